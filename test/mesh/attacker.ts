/** A libp2p peer that speaks to nodes without being one: it says what it likes. */

import { type GossipSub, gossipsub } from '@chainsafe/libp2p-gossipsub'
import { noise } from '@chainsafe/libp2p-noise'
import { identify } from '@libp2p/identify'
import type { Connection, Libp2p, Stream } from '@libp2p/interface'
import { preSharedKey } from '@libp2p/pnet'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { decodeBody, encodeFrame, FrameReader } from '../../src/mesh/frames.ts'
import { protocols } from '../../src/mesh/limits.ts'
import { type Hello, wireVersion } from '../../src/mesh/wire.ts'

export interface AttackerOptions {
  readonly secret?: Uint8Array
}

function once(target: GossipSub, event: 'subscription-change'): Promise<void> {
  return new Promise((resolve) => target.addEventListener(event, () => resolve(), { once: true }))
}

export class Attacker implements AsyncDisposable {
  readonly node: Libp2p<{ pubsub: GossipSub }>
  /** Frames that nodes have sent on streams they opened, newest last. */
  readonly heard: unknown[] = []
  onDocument: (document: unknown) => void = () => {}

  constructor(node: Libp2p<{ pubsub: GossipSub }>) {
    this.node = node
  }

  static async create({ secret }: AttackerOptions = {}): Promise<Attacker> {
    const node = await createLibp2p({
      addresses: { listen: [] },
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux({ maxOutboundStreams: 100_000 })],
      ...(secret === undefined ? {} : { connectionProtector: preSharedKey({ psk: secret }) }),
      connectionGater: { denyDialMultiaddr: () => false },
      connectionManager: { reconnectRetries: 0 },
      services: {
        identify: identify(),
        pubsub: gossipsub({ allowPublishToZeroTopicPeers: true, maxOutboundBufferSize: Number.POSITIVE_INFINITY }),
      },
    })
    const attacker = new Attacker(node)
    await node.handle(protocols.peer, (stream) => attacker.#listen(stream), { maxInboundStreams: 1000 })
    return attacker
  }

  get peerId(): string {
    return this.node.peerId.toString()
  }

  dial(address: string, force = false): Promise<Connection> {
    return this.node.dial(multiaddr(address), { force })
  }

  /** A stream of the protocol between peers, with nothing said yet. */
  async stream(address: string, protocol: string = protocols.peer): Promise<Stream> {
    const connection = await this.dial(address)
    return await connection.newStream(protocol, { maxOutboundStreams: 100_000 })
  }

  /** What a node says that it speaks. */
  async protocolsOf(address: string): Promise<string[]> {
    const known = new Promise<string[]>((resolve) => {
      this.node.addEventListener('peer:identify', ({ detail }) => resolve(detail.protocols), { once: true })
    })
    await this.dial(address)
    return await known
  }

  /** Resolves when the node is known to listen to a topic. */
  async hearsOf(topic: string): Promise<void> {
    const { pubsub } = this.node.services
    pubsub.subscribe(topic)
    while (pubsub.getSubscribers(topic).length === 0) await once(pubsub, 'subscription-change')
  }

  hello(run: string, more: Partial<Hello> = {}): Hello {
    return {
      type: 'hello',
      wire: wireVersion,
      run,
      name: 'mallory',
      incarnation: 'ffff',
      role: 'agent',
      version: '0.0.0',
      runtime: 'raw',
      addrs: [],
      peers: [],
      ...more,
    }
  }

  /** A stream on which it has said that it is a peer of the run. */
  async join(address: string, run: string, more: Partial<Hello> = {}): Promise<Stream> {
    const stream = await this.stream(address)
    stream.send(encodeFrame(this.hello(run, more)))
    return stream
  }

  #listen(stream: Stream): void {
    const reader = new FrameReader(2 ** 30)
    stream.addEventListener('message', ({ data }) => {
      for (const part of data instanceof Uint8Array ? [data] : data) {
        for (const body of reader.push(part)) {
          const document = decodeBody(body)
          this.heard.push(document)
          this.onDocument(document)
        }
      }
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.node.stop()
  }
}

/** Sends, and waits while the other side takes no more; ends quietly when it has had enough. */
export async function pour(stream: Stream, parts: Iterable<Uint8Array>): Promise<void> {
  try {
    for (const part of parts) {
      if (stream.status !== 'open') return
      if (!stream.send(part)) await stream.onDrain({ signal: AbortSignal.timeout(20_000) })
    }
  } catch {
    // Refused, which is what the tests look for at the node.
  }
}
