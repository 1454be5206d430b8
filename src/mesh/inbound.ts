/** A stream that another peer opened: first a hello, then frames. Bounded in size, rate and patience. */

import type { Stream } from '@libp2p/interface'
import { now } from './clock.ts'
import { allMessages } from './errors.ts'
import { decodeBody, FrameReader } from './frames.ts'
import type { Guard } from './guard.ts'
import { limits } from './limits.ts'
import type { RefuseReason } from './types.ts'
import { alive, isOfType } from './wire.ts'

/** Unfinished frames of so many bytes need no care: a window's worth is allowed to everybody. */
const carefreeBytes = 256 * 1024

export interface InboundEvents {
  /** The first document. What frames may be long of a peer of this run, in bytes; 0: the stream is of no use. */
  onHello(document: unknown): number
  /** `at`: own clock, when it arrived; `bytes` long. */
  onDocument(document: unknown, at: number, bytes: number): void
  onBytes(): void
  /** Bytes of the unfinished frames of all peers. */
  heldByAll(): number
  onRefused(reason: RefuseReason, expected: string, got: string, bytes?: number): void
  /** Nothing more comes. */
  onEnd(): void
}

export class Inbound {
  readonly #stream: Stream
  readonly #guard: Guard
  readonly #events: InboundEvents
  readonly #reader = new FrameReader(limits.helloBytesMax)
  #greeted = false
  #ended = false
  /** Looks since the stream was opened, or since its unfinished frame began. */
  #looks = 0

  constructor(stream: Stream, guard: Guard, events: InboundEvents) {
    this.#stream = stream
    this.#guard = guard
    this.#events = events
    stream.addEventListener('message', ({ data }) => {
      for (const part of data instanceof Uint8Array ? [data] : data) this.#read(part)
    })
    stream.addEventListener('close', () => this.#end())
    stream.addEventListener('remoteCloseWrite', () => this.#end())
    // It may have ended before anybody listened; what came before its end is heard first.
    queueMicrotask(() => {
      if (stream.status !== 'open' || stream.remoteWriteStatus === 'closed') this.#end()
    })
  }

  /** Bytes of an unfinished frame. */
  get held(): number {
    return this.#reader.held
  }

  /** Called in turns: a pause of this process is not taken for silence of the other one. */
  look(): void {
    const { missing } = this.#reader
    if (this.#greeted && missing === 0) return
    this.#looks += 1
    if (!this.#greeted) {
      if (this.#looks < limits.helloLooks) return
      this.#refuse('hello', 'a hello at once', missing === 0 ? 'silence' : 'an unfinished one')
    } else {
      if (this.#looks < limits.frameLooks + missing / limits.frameBytesPerLook) return
      this.#refuse('frame', 'frames that end', `one that lacks ${missing} bytes`)
    }
    this.abort('unfinished frame')
  }

  abort(why: string): void {
    this.#stream.abort(new Error(why))
    this.#end()
  }

  #read(part: Uint8Array): void {
    // What came in one piece with the end is not heard any more.
    if (this.#ended) return
    const at = now()
    this.#events.onBytes()
    if (!this.#guard.bytes.take(part.length)) {
      this.#refuse('rate', `at most ${limits.bytesPerSecond} bytes a second`, 'more')
      return this.abort('too many bytes')
    }
    try {
      for (const body of this.#reader.push(part)) {
        this.#looks = 0
        this.#onBody(body, at)
        if (this.#ended) return
      }
      if (this.held > carefreeBytes && this.#events.heldByAll() > limits.unfinishedBytesMax) {
        this.#refuse('frame', `unfinished frames of at most ${limits.unfinishedBytesMax} bytes by all peers`, 'more')
        this.abort('too many unfinished frames')
      }
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      // What follows on this stream cannot be told apart any more.
      this.#refuse('frame', `frames of at most ${this.#reader.bytesMax} bytes`, allMessages(error))
      this.abort('refused frame')
    }
  }

  #onBody(body: Uint8Array, at: number): void {
    if (!this.#guard.messages.take()) {
      this.#refuse('rate', `at most ${limits.messagesPerSecond} messages a second`, 'more')
      return
    }
    let document: unknown
    try {
      document = decodeBody(body)
    } catch {
      this.#refuse('malformed', 'JSON text', `${body.length} other bytes`, body.length)
      if (!this.#greeted) this.abort('no hello')
      return
    }
    if (!this.#greeted) this.#greet(document)
    else if (!isOfType(document, alive.type)) this.#events.onDocument(document, at, body.length)
  }

  #greet(document: unknown): void {
    const bytesMax = this.#events.onHello(document)
    this.#greeted = bytesMax > 0
    if (this.#greeted) this.#reader.bytesMax = bytesMax
    else this.abort('not a peer of this run')
  }

  #refuse(reason: RefuseReason, expected: string, got: string, bytes = 0): void {
    if (!this.#ended) this.#events.onRefused(reason, expected, got, bytes)
  }

  #end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#events.onEnd()
  }
}
