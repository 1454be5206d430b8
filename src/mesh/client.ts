/** Requests of clients: one libp2p stream each, JSON documents both ways. */

import type { Stream } from '@libp2p/interface'
import { MeshError } from './errors.ts'
import { decodeBody, encodeFrame, FrameReader } from './frames.ts'
import { limits } from './limits.ts'
import type { ClientChannel } from './types.ts'

/** Wraps a stream. A peer that sends what is no document ends the channel. */
export function clientChannel(stream: Stream, peer: string): ClientChannel {
  return {
    peer,
    documents: documentsOf(stream),
    async send(document: unknown): Promise<void> {
      if (stream.status !== 'open') throw new MeshError('MESH_CHANNEL', `The connection to ${peer} is closed`)
      const frame = encodeFrame(document)
      if (frame.length > limits.clientFrameBytesMax) {
        throw new MeshError('MESH_CHANNEL', `A document of ${frame.length} bytes is too large to send`)
      }
      try {
        if (!stream.send(frame)) await stream.onDrain()
      } catch (error) {
        throw new MeshError('MESH_CHANNEL', `The connection to ${peer} broke`, error)
      }
    },
    async close(): Promise<void> {
      if (stream.status === 'open')
        await stream
          .close({ signal: AbortSignal.timeout(limits.streamOpenMs) })
          .catch(() => stream.abort(new Error('closing')))
    },
  }
}

async function* documentsOf(stream: Stream): AsyncGenerator<unknown> {
  const reader = new FrameReader(limits.clientFrameBytesMax)
  try {
    for await (const chunk of stream) {
      for (const body of reader.push(chunk instanceof Uint8Array ? chunk : chunk.subarray())) yield decodeBody(body)
    }
  } catch (error) {
    if (error instanceof RangeError || error instanceof SyntaxError || error instanceof TypeError) {
      stream.abort(new Error('not a client of paceline'))
      throw new MeshError('MESH_CHANNEL', `The other side sent what is no document: ${error.message}`, error)
    }
    // A broken connection ends the documents; who needs more asks another peer.
  }
}
