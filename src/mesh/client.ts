/** Requests of clients: one libp2p stream each, JSON documents both ways. */

import type { Stream } from '@libp2p/interface'
import { MeshError } from './errors.ts'
import { decodeBody, encodeFrame, FrameReader } from './frames.ts'
import { Budget } from './guard.ts'
import { limits } from './limits.ts'
import type { ClientChannel } from './types.ts'

export interface ChannelOptions {
  readonly peer: string
  /** Of one document of the other side. */
  readonly bytesMax: number
  /** How many documents the other side may send; undefined: any number. */
  readonly budget?: Budget
  /** The other side sent what is no document, or too much. */
  readonly onRefused?: (expected: string, got: string) => void
}

/** For requests that a node gets. */
export function requestBudget(): Budget {
  return new Budget(limits.clientDocumentsPerSecond, limits.clientDocumentBurst)
}

/** Wraps a stream. A peer that sends what is no document ends the channel. */
export function clientChannel(stream: Stream, options: ChannelOptions): ClientChannel {
  const { peer } = options
  return {
    peer,
    documents: new Documents(stream, options),
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

/** Documents of the other side, which is held up while nobody takes them. */
class Documents implements AsyncIterable<unknown> {
  readonly #stream: Stream
  readonly #options: ChannelOptions
  readonly #reader: FrameReader
  readonly #queue: unknown[] = []
  #wake: (() => void) | undefined
  #failure: MeshError | undefined

  constructor(stream: Stream, options: ChannelOptions) {
    this.#stream = stream
    this.#options = options
    this.#reader = new FrameReader(options.bytesMax)
    stream.addEventListener('message', ({ data }) => {
      for (const part of data instanceof Uint8Array ? [data] : data) this.#read(part)
    })
    const wake = () => this.#wake?.()
    stream.addEventListener('close', wake)
    stream.addEventListener('remoteCloseWrite', wake)
  }

  /** A broken connection ends the documents too; who needs more asks another peer. It may have ended before anybody listened. */
  get #ended(): boolean {
    return this.#stream.status !== 'open' || this.#stream.remoteWriteStatus === 'closed'
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<unknown> {
    while (true) {
      if (this.#queue.length > 0) {
        yield this.#queue.shift()
        continue
      }
      if (this.#failure !== undefined) throw this.#failure
      // Resumed, it may bring some at once, also what came before the other side closed it.
      if (this.#stream.readStatus === 'paused') this.#stream.resume()
      if (this.#queue.length > 0) continue
      if (this.#ended && this.#stream.readBufferLength === 0) return
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  #read(part: Uint8Array): void {
    if (this.#failure !== undefined) return
    const { budget } = this.#options
    try {
      for (const body of this.#reader.push(part)) {
        if (budget?.take() === false) return this.#refuse('few documents', 'many')
        this.#queue.push(decodeBody(body))
      }
    } catch (error) {
      const known = error instanceof RangeError || error instanceof SyntaxError || error instanceof TypeError
      if (!known) throw error
      return this.#refuse(`JSON documents of at most ${this.#options.bytesMax} bytes`, error.message)
    }
    if (this.#queue.length > 0 && this.#stream.readStatus === 'readable') this.#stream.pause()
    this.#wake?.()
  }

  #refuse(expected: string, got: string): void {
    this.#failure = new MeshError('MESH_CHANNEL', `The other side did not send what it should: ${got}`)
    this.#stream.abort(new Error('not a client of paceline'))
    this.#options.onRefused?.(expected, got.slice(0, 300))
    this.#wake?.()
  }
}
