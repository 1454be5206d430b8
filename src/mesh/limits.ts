/** Sizes in bytes, times in milliseconds, numbers per peer unless said otherwise. */
export const limits = {
  frameBytesMax: 32 * 1024 * 1024,
  /** Of a peer that has not said yet who it is, and of clients, which say little more. */
  helloBytesMax: 1024 * 1024,
  gossipBytesMax: 256 * 1024,
  /** Peers to which each peer passes gossip on. */
  gossipFanout: 4,
  /** Peers of one host connect all to all as long as they are no more than this ... */
  neighboursMax: 8,
  /** ... further ones to so many of those that are there, and to others once there is something to say. */
  newcomerLinks: 4,
  /** Messages that wait for the connection to such a peer. */
  unsentMax: 256,
  /** Gossip of a decision waits this long, and for the next decision: those that it concerns were told directly. */
  decidedGossipMs: 500,
  /** What a node tells its clients, and what they may ask. */
  clientFrameBytesMax: 32 * 1024 * 1024,
  requestBytesMax: 4 * 1024 * 1024,
  /** Bytes that may wait for a slow peer: more than one of the largest frames, less than two. */
  sendQueueBytesMax: 36 * 1024 * 1024,
  /** What a peer may send, on average a second and at once. */
  messagesPerSecond: 2000,
  messageBurst: 8000,
  bytesPerSecond: 16 * 1024 * 1024,
  bytesBurst: 96 * 1024 * 1024,
  /** What a peer may say to all by gossip. */
  gossipPerSecond: 50,
  gossipBurst: 300,
  /** Gossip overtaken by so many later messages of its author was not late: somebody sent it again. */
  gossipLateMax: 64,
  /** Refusals in a burst after which a peer is disconnected, how many are forgiven a second, how long it stays out. */
  refusalsMax: 100,
  /** A refused message counts once more for each such part of it: the longest take seconds to read. */
  refusedBytesPerRefusal: 128 * 1024,
  refusalsForgivenPerSecond: 0.1,
  banMs: 60_000,
  /** Looks in which a new peer must say who it is, and in which something of an unfinished frame must have come. */
  helloLooks: 3,
  frameLooks: 4,
  /** Unfinished frames of all peers together. */
  unfinishedBytesMax: 64 * 1024 * 1024,
  /** A frame that is longer than this takes may take a look more for each such part. */
  frameBytesPerLook: 128 * 1024,
  connectionsPerPeer: 8,
  streamsPerConnection: 64,
  clientStreamsPerConnection: 8,
  /** Documents after its request that a client may send, on average a second and at once. */
  clientDocumentsPerSecond: 2,
  clientDocumentBurst: 16,
  /** Peers that others told of and that were never met. */
  hearsayMax: 1024,
  /** Peers that are remembered, those that have gone among them. */
  peersMax: 8192,
  dialMs: 5000,
  /** A peer of this host that starts, or starves, may take its time to answer. */
  patientDialMs: 15_000,
  probeMs: 1000,
  /** A port that is open is knocked at again after so long, then after twice as long each time; dialled from here on. */
  probeAgainMs: 2,
  probeDialMs: 16,
  /** The peer with the lower ID dials; the other one waits this long first, so that they do not cross. */
  dialCourtesyMs: 400,
  joinRetryMs: 500,
  joinRetryMaxMs: 5000,
  rendezvousRescanMs: 5000,
  /** Links and lost peers are looked after so often; the other "looks" count in this unit. */
  lookMs: 2500,
  /** A peer that has nothing to say says that it is there after so many looks. */
  quietLooks: 2,
  /** So many looks without a word: a new connection is tried; closed where that fails for so long. */
  silentLooks: 4,
  forgottenLooks: 24,
  /** Lost peers are dialled at first after one look, then more rarely, for an hour. */
  searchLooksApart: 12,
  searchLooksMax: 1440,
  streamOpenMs: 3000,
  linkOpenMs: 15_000,
  leaveMs: 2000,
  peersInHelloMax: 1024,
  /** After a peer came, those who came with it are waited for, then they are introduced to each other. */
  introductionMs: 500,
  addressesMax: 16,
  clientsMax: 64,
} as const

export const protocols = {
  peer: '/paceline/peer/1',
  client: '/paceline/client/1',
} as const
