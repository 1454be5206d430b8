/** Sizes in bytes, times in milliseconds, numbers per peer unless said otherwise. */
export const limits = {
  frameBytesMax: 32 * 1024 * 1024,
  gossipBytesMax: 256 * 1024,
  /** Peers to which each peer passes gossip on. */
  gossipFanout: 4,
  /** Gossip of a decision waits this long, and for the next decision: those that it concerns were told directly. */
  decidedGossipMs: 150,
  clientFrameBytesMax: 32 * 1024 * 1024,
  /** Bytes that may wait for a slow peer before its stream is given up. */
  sendQueueBytesMax: 64 * 1024 * 1024,
  /** Messages a second that a peer may send, on average and at once. */
  messagesPerSecond: 4000,
  messageBurst: 12_000,
  /** Refusals after which a peer is disconnected. */
  refusalsMax: 100,
  helloMs: 5000,
  dialMs: 5000,
  probeMs: 1000,
  probeAgainMs: 20,
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
  leaveMs: 2000,
  peersInHelloMax: 1024,
  addressesMax: 16,
  clientsMax: 64,
} as const

export const protocols = {
  peer: '/paceline/peer/1',
  client: '/paceline/client/1',
} as const
