/** One outgoing stream to one peer: frames in order, written together, bounded. */

import type { Stream } from '@libp2p/interface'
import { limits } from './limits.ts'

export class Link {
  readonly #stream: Stream
  #queue: Uint8Array[] = []
  #queuedBytes = 0

  constructor(stream: Stream) {
    this.#stream = stream
  }

  get open(): boolean {
    return this.#stream.status === 'open'
  }

  /**
   * Waits for `flush`. False when the stream is closed, and for what does not fit behind all that waits for a slow peer: it
   * is lost, as on any network, and said again by whoever needs an answer.
   */
  send(frame: Uint8Array): boolean {
    if (!this.open) return false
    const waiting = this.#stream.writeBufferLength + this.#queuedBytes
    if (waiting > 0 && waiting + frame.length > limits.sendQueueBytesMax) return false
    this.#queue.push(frame)
    this.#queuedBytes += frame.length
    return true
  }

  async close(): Promise<void> {
    this.flush()
    await this.#stream.close({ signal: AbortSignal.timeout(limits.streamOpenMs) })
  }

  abort(reason: string): void {
    this.#stream.abort(new Error(reason))
  }

  /** Hands the frames to the stream, together. */
  flush(): void {
    const queue = this.#queue
    if (queue.length === 0) return
    this.#queue = []
    const bytes = this.#queuedBytes
    this.#queuedBytes = 0
    if (!this.open) return
    const first = queue[0]
    try {
      this.#stream.send(queue.length === 1 && first !== undefined ? first : joined(queue, bytes))
    } catch (error) {
      this.#stream.abort(error instanceof Error ? error : new Error(String(error)))
    }
  }
}

function joined(queue: readonly Uint8Array[], bytes: number): Uint8Array {
  const all = new Uint8Array(bytes)
  let at = 0
  for (const frame of queue) {
    all.set(frame, at)
    at += frame.length
  }
  return all
}
