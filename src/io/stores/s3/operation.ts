/** One request, repeated as client libraries repeat it: its attempts, its end. Handler of the HTTP client. */

import type { Client, Dispatcher } from 'undici'
import { IoError } from '../../errors.ts'
import { answerError, isPassing, isThrottle, isUnconnected, transportError } from './faults.ts'

export interface S3Request {
  readonly method: 'GET' | 'PUT' | 'HEAD' | 'DELETE' | 'POST'
  /** Encoded, with a slash at its start. */
  readonly path: string
  /** Encoded, keys sorted, each with an equals sign; '' for none. */
  readonly query: string
  /** Value of the `range` header. */
  readonly range?: string
  readonly body?: Buffer | S3Stream
  /** Gets the body of a success piece by piece. Left out: it is counted only. */
  readonly onData?: (data: Buffer) => void
  /** Keep the body of a success as text. */
  readonly wantsText?: boolean
  /** Goes out though everything else was cancelled: what tidies up. */
  readonly isLast?: boolean
  /** When the operation that this is a part of must be over, by `performance.now()`. */
  readonly deadline?: number
}

/** A body that does not fit into one buffer. `open` is called again for each attempt. */
export interface S3Stream {
  readonly length: number
  open(): AsyncIterable<Buffer>
}

export interface S3Response {
  readonly status: number
  /** Of the body. */
  readonly bytes: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
}

/** What an operation needs of the endpoint that it belongs to. */
export interface OperationHost {
  readonly attemptsMax: number
  /** A connection that carries nothing now. */
  take(): Client
  /** `isClean`: it can carry the next request. */
  giveBack(client: Client, isClean: boolean): void
  headersFor(request: S3Request): string[]
  /** Takes credentials out of what a server says. */
  redact(text: string): string
  /** False when too much was repeated lately. */
  mayRepeat(isTimeout: boolean): boolean
  onRepeat(isThrottle: boolean): void
  /** `isPlainSuccess`: at the first attempt. */
  onEnd(operation: Operation, isPlainSuccess: boolean): void
}

/** Waits between attempts: twice as long each time, a random part of it. Milliseconds. */
const BACKOFF_MS = 100
const THROTTLED_BACKOFF_MS = 500
const BACKOFF_MS_MAX = 20_000
/** A failed connection is told after this: lanes must not spin on a server that is gone. */
const UNCONNECTED_PAUSE_MS = 100
/** Of an error's body, or of a text. A page of a listing has up to 1000 keys of up to 1024 bytes, encoded. */
const TEXT_BYTES_MAX = 8 * 1024 * 1024

export class Operation implements Dispatcher.DispatchHandler {
  readonly request: S3Request
  /** By `performance.now()`; infinite for none. */
  readonly deadline: number
  readonly #host: OperationHost
  readonly #resolve: (response: S3Response) => void
  readonly #reject: (error: IoError) => void
  #client: Client | null = null
  #attempt = 0
  #isOver = false
  #timer: ReturnType<typeof setTimeout> | null = null
  #status = 0
  #headers: S3Response['headers'] = {}
  #bytes = 0
  #text: Buffer[] = []
  #wrong: unknown = null

  constructor(
    request: S3Request,
    deadline: number,
    host: OperationHost,
    resolve: (response: S3Response) => void,
    reject: (error: IoError) => void,
  ) {
    this.request = request
    this.deadline = deadline
    this.#host = host
    this.#resolve = resolve
    this.#reject = reject
  }

  start(): void {
    const { request } = this
    const { method, path, query, range, body } = request
    this.#attempt++
    this.#status = 0
    this.#bytes = 0
    this.#text = []
    const headers = this.#host.headersFor(request)
    if (range !== undefined) headers.push('range', range)
    const isStream = body !== undefined && !Buffer.isBuffer(body)
    if (isStream) headers.push('content-length', String(body.length))
    const client = this.#host.take()
    this.#client = client
    const target = query === '' ? path : `${path}?${query}`
    // Any iterable is a body; the client's types name streams only.
    const sent = (isStream ? body.open() : (body ?? null)) as Buffer | null
    // Without `reset` the client would close the connection after every HEAD.
    client.dispatch({ method, path: target, headers, body: sent, reset: false }, this)
  }

  /** Ends it now; the connection goes with it. */
  cut(error: IoError): void {
    this.#fail(error)
    this.#release(false)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.#isOver) controller.abort(new Error('the operation is over'))
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: S3Response['headers']): void {
    this.#status = status
    this.#headers = headers
  }

  onResponseData(_controller: Dispatcher.DispatchController, data: Buffer): void {
    this.#bytes += data.length
    const isSuccess = this.#status < 300
    if (!isSuccess || this.request.wantsText === true) {
      if (this.#bytes <= TEXT_BYTES_MAX) this.#text.push(data)
    } else if (this.request.onData !== undefined && this.#wrong === null) {
      try {
        this.request.onData(data)
      } catch (error) {
        // The rest is read all the same: the connection can then be used again.
        this.#wrong = error
      }
    }
  }

  onResponseEnd(): void {
    if (this.#isOver) return
    this.#release(true)
    const text = this.#text.length === 0 ? '' : Buffer.concat(this.#text).toString('utf8')
    const status = this.#status
    if (status >= 300) {
      if (isPassing(status) && this.#repeat(isThrottle(status), false)) return
      this.#fail(answerError(status, this.#host.redact(text)))
    } else if (this.#wrong !== null) {
      this.#fail(transportError(this.#wrong))
    } else {
      this.#end(this.#attempt === 1)
      this.#resolve({ status, bytes: this.#bytes, headers: this.#headers, text })
    }
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#isOver) return
    this.#release(false)
    if (this.#status !== 0) {
      this.#fail(new IoError('TRUNCATED', `the connection was closed after ${this.#bytes} bytes of the answer`))
      return
    }
    const told = transportError(error)
    if (this.#repeat(false, told.code === 'TIMED_OUT')) return
    if (isUnconnected(error)) this.#timer = setTimeout(() => this.#fail(told), UNCONNECTED_PAUSE_MS)
    else this.#fail(told)
  }

  #release(isClean: boolean): void {
    const client = this.#client
    this.#client = null
    if (client !== null) this.#host.giveBack(client, isClean)
  }

  /** True when there will be another attempt. */
  #repeat(isThrottle: boolean, isTimeout: boolean): boolean {
    if (this.#attempt >= this.#host.attemptsMax) return false
    const base = isThrottle ? THROTTLED_BACKOFF_MS : BACKOFF_MS
    const wait = Math.random() * Math.min(BACKOFF_MS_MAX, base * 2 ** (this.#attempt - 1))
    if (performance.now() + wait >= this.deadline || !this.#host.mayRepeat(isTimeout)) return false
    this.#host.onRepeat(isThrottle)
    this.#timer = setTimeout(() => this.start(), wait)
    return true
  }

  #fail(error: IoError): void {
    if (this.#isOver) return
    this.#end(false)
    this.#reject(error)
  }

  #end(isPlainSuccess: boolean): void {
    this.#isOver = true
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#host.onEnd(this, isPlainSuccess)
  }
}
