/**
 * Yamux that gives credit back half a window at a time. As shipped, it answers every data frame with a window update: a
 * packet, an encryption and a wake-up of the other side for each message received.
 */

import type { StreamMuxerFactory } from '@libp2p/interface'
import { yamux } from '@libp2p/yamux'
import { limits } from './limits.ts'

/** Yamux's number for a stream that both sides know of. */
const ESTABLISHED = 3

/** What is used of a yamux stream beyond the interface of streams. */
interface CreditStream {
  readonly state: number
  readonly recvWindow: number
  readonly recvWindowCapacity: number
  sendWindowUpdate: () => void
}

/** A version of yamux whose inside looks different is left as it is. */
export function thriftyYamux(): () => StreamMuxerFactory {
  return () => {
    // Whether the other side lives is found out by the barrier core; a keep-alive would wake idle peers.
    const factory = yamux({ enableKeepAlive: false, maxInboundStreams: limits.streamsPerConnection })()
    const create = factory.createStreamMuxer.bind(factory)
    factory.createStreamMuxer = (connection) => {
      const muxer = create(connection)
      holdCreditOf(muxer)
      return muxer
    }
    return factory
  }
}

function holdCreditOf(muxer: object): void {
  if (!('onRemoteStream' in muxer) || typeof muxer.onRemoteStream !== 'function') return
  const onRemoteStream = muxer.onRemoteStream.bind(muxer)
  muxer.onRemoteStream = (stream: object) => {
    if (isCreditStream(stream)) holdCredit(stream)
    onRemoteStream(stream)
  }
}

function holdCredit(stream: CreditStream): void {
  const give = stream.sendWindowUpdate.bind(stream)
  stream.sendWindowUpdate = () => {
    // Before it is established, an update also says that the stream was taken.
    const plenty = stream.state === ESTABLISHED && stream.recvWindowCapacity > stream.recvWindow / 2
    if (!plenty) give()
  }
}

function isCreditStream(stream: object): stream is CreditStream {
  return (
    'state' in stream &&
    'recvWindow' in stream &&
    'recvWindowCapacity' in stream &&
    'sendWindowUpdate' in stream &&
    typeof stream.sendWindowUpdate === 'function'
  )
}
