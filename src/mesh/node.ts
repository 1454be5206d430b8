/** The libp2p node: transports, encryption, gossip, and limits that suit many peers behind one address. */

import { createHash } from 'node:crypto'
import { type GossipSub, gossipsub } from '@chainsafe/libp2p-gossipsub'
import type { FastMsgIdFn } from '@chainsafe/libp2p-gossipsub/types'
import { type Identify, identify } from '@libp2p/identify'
import type { Libp2p } from '@libp2p/interface'
import { preSharedKey } from '@libp2p/pnet'
import { tcp } from '@libp2p/tcp'
import { createLibp2p } from 'libp2p'
import { thriftyNoise } from './encryption.ts'
import { allMessages, MeshError } from './errors.ts'
import type { Gate } from './gate.ts'
import { limits } from './limits.ts'
import { thriftyYamux } from './muxer.ts'
import { wholePackets } from './packets.ts'
import { normalizeSecret } from './secret.ts'
import type { MeshOptions } from './types.ts'

export type Node = Libp2p<{ identify: Identify; pubsub: GossipSub }>

const loopback = /^\/ip4\/127\.|^\/ip6\/::1\//

/** The gossip topic of a run. */
export function topicOf(runId: string): string {
  return `/paceline/${runId}/1`
}

/** Starts a node. Throws MeshError when it may not or cannot listen where it should. */
export async function startNode(options: MeshOptions, gate: Gate): Promise<Node> {
  const listen = listenAddresses(options)
  const idle = 24 * 60 * 60 * 1000
  const { secret } = options
  try {
    return await createLibp2p({
      addresses: { listen },
      transports: [
        wholePackets(
          tcp({
            inboundSocketInactivityTimeout: idle,
            outboundSocketInactivityTimeout: idle,
            dialOpts: { noDelay: true },
            listenOpts: { noDelay: true },
            backlog: 1024,
          }),
        ),
      ],
      connectionEncrypters: [thriftyNoise()],
      streamMuxers: [thriftyYamux()],
      ...(secret === null
        ? {}
        : { connectionProtector: () => gate.watched(preSharedKey({ psk: normalizeSecret(secret) })()) }),
      connectionGater: gate.gater,
      connectionManager: {
        maxConnections: 4096,
        maxParallelDials: 64,
        maxDialQueueLength: 4096,
        inboundConnectionThreshold: Number.POSITIVE_INFINITY,
        maxIncomingPendingConnections: 1024,
        dialTimeout: limits.patientDialMs,
        addressDialTimeout: limits.patientDialMs,
        reconnectRetries: 0,
      },
      connectionMonitor: { enabled: false },
      peerDiscovery: await discovery(options),
      services: {
        identify: identify(),
        pubsub: gossipsub({
          emitSelf: false,
          allowPublishToZeroTopicPeers: true,
          // Each peer passes a message on to a few others; nobody sends to all.
          floodPublish: false,
          D: limits.gossipFanout,
          Dlo: limits.gossipFanout - 1,
          Dhi: limits.gossipFanout + 2,
          Dscore: 1,
          Dout: 1,
          fallbackToFloodsub: false,
          maxInboundDataLength: limits.gossipBytesMax * 2,
          allowedTopics: [topicOf(options.runId)],
          decodeRpcLimits: gossipLimits,
          // A copy is known by its content, before its signature is checked again.
          fastMsgIdFn: contentId,
          // "I don't want" saves large copies only; ours are small.
          idontwantMinDataSize: limits.gossipBytesMax,
          // Many peers behind one address are normal here, not an attack.
          scoreParams: { IPColocationFactorWeight: 0 },
        }),
      },
    })
  } catch (error) {
    throw listenError(error, listen)
  }
}

/** In one packet of gossip; more than these are lost, as gossip may be. */
const gossipLimits = {
  maxSubscriptions: 16,
  maxMessages: 256,
  maxIhaveMessageIDs: 2048,
  maxIwantMessageIDs: 2048,
  maxControlMessages: 64,
  maxIdontwantMessageIDs: 256,
  maxPeerInfos: 16,
}

/** Enters the cache only once the signature was good, so it need not cover it. */
function contentId({ from, seqno, topic, data }: Parameters<FastMsgIdFn>[0]): string {
  const hash = createHash('sha1').update(topic)
  for (const part of [from, seqno, data]) {
    // With its length, so that the borders between the parts cannot be moved.
    hash.update(`/${part?.length ?? -1}/`)
    if (part !== undefined) hash.update(part)
  }
  return hash.digest('base64')
}

/** Multicast DNS, where others can reach this node at all. */
async function discovery(options: MeshOptions): Promise<ReturnType<typeof import('@libp2p/mdns')['mdns']>[]> {
  if (!options.mdns || (options.secret === null && !options.insecure)) return []
  const { mdns } = await import('@libp2p/mdns')
  const tag = createHash('sha256').update(options.runId).digest('hex').slice(0, 16)
  return [mdns({ serviceTag: `_pl-${tag}._udp.local`, interval: 10_000 })]
}

function listenAddresses(options: MeshOptions): string[] {
  if (options.role === 'client') return []
  const open = options.secret !== null || options.insecure
  if (options.listen.length === 0) {
    return open ? ['/ip4/0.0.0.0/tcp/0', '/ip6/::/tcp/0'] : ['/ip4/127.0.0.1/tcp/0']
  }
  const exposed = options.listen.find((address) => !loopback.test(address))
  if (!open && exposed !== undefined) {
    throw new MeshError(
      'MESH_NOT_PRIVATE',
      `Cannot listen on ${exposed} without a secret, anybody who reaches it could take part: ` +
        'give --secret-file (made with "paceline keygen"), or --insecure if this network is trusted',
    )
  }
  return [...options.listen]
}

function listenError(error: unknown, listen: readonly string[]): MeshError {
  if (error instanceof MeshError) return error
  const text = allMessages(error)
  const where = listen.join(', ')
  if (text.includes('EADDRINUSE')) {
    return new MeshError(
      'MESH_PORT_IN_USE',
      `Cannot listen on ${where}: the port is in use; choose another with --listen`,
      error,
    )
  }
  if (text.includes('EADDRNOTAVAIL')) {
    return new MeshError(
      'MESH_LISTEN',
      `Cannot listen on ${where}: that is no address of this host; 0.0.0.0:PORT is all that it has`,
      error,
    )
  }
  // What the system said, without what the library makes of it.
  const [said = text] = /listen E[A-Z]+: .*?(?= at |;|$)/.exec(text) ?? []
  return new MeshError('MESH_LISTEN', `Cannot listen on ${where} (${said}): choose another with --listen`, error)
}
