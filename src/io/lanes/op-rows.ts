/** A lane thread's part of the log of operations: makes a line of each, and hands them over many at a time. */

import { codeOf, describeReason } from '../errors.ts'
import type { ObjectRef, Store } from '../stores/types.ts'
import type { OpName } from '../types.ts'
import type { Job } from './jobs.ts'
import type { Timing } from './timing.ts'

/** Those of s3dlio and warp, then two of our own: readers find columns by their names. */
export const OP_COLUMNS = [
  ...['idx', 'thread', 'op', 'client_id', 'n_objects', 'bytes', 'endpoint', 'file', 'error'],
  ...['start', 'first_byte', 'end', 'duration_ns', 'stage', 'is_warmup'],
] as const

/** Some 250 operations. */
const CHUNK_CHARS = 32 * 1024
/** Chunks of a thread that wait to be written; then its lanes wait, between operations. */
const PENDING_MAX = 4
const ERROR_CHARS_MAX = 200

const NAMES: Readonly<Record<OpName, string>> = { get: 'GET', put: 'PUT', stat: 'HEAD', list: 'LIST', delete: 'DELETE' }

export interface DoneOp {
  readonly lane: number
  readonly op: OpName
  readonly store: Store
  readonly ref: ObjectRef
  /** Its latency is between these: the thread's clock, ms. */
  readonly from: number
  readonly to: number
  /** What the store answered: bytes, a size or a count. */
  readonly answer: number
  /** Undefined when it went well. */
  readonly error: unknown
  readonly warm: boolean
}

export class OpRows {
  readonly #agent: string
  readonly #stage: string
  readonly #timing: Timing
  readonly #counter: BigInt64Array
  readonly #pending: Int32Array
  readonly #send: (text: string) => void
  #text = ''
  /** The last second that was written, and its text without the fraction. */
  #second = Number.NaN
  #secondText = ''

  constructor(job: Job, link: NonNullable<Job['opLog']>, timing: Timing, send: (text: string) => void) {
    this.#agent = cell(job.context.agent)
    this.#stage = cell(job.context.stage)
    this.#timing = timing
    this.#counter = new BigInt64Array(link.counter)
    this.#pending = new Int32Array(link.pending)
    this.#send = send
  }

  /** Call it when the operation has been measured. */
  add({ lane, op, store, ref, from, to, answer, error, warm }: DoneOp): void {
    // Cut off with the stage: figures do not have it either.
    if (codeOf(error) === 'CANCELLED') return
    const index = Atomics.add(this.#counter, 0, 1n)
    const bytes = error === undefined && (op === 'get' || op === 'put') ? answer : 0
    const objects = op === 'list' ? answer : 1
    const uri = store.describe(ref)
    const path = uri.indexOf('://') + 3
    const why = error === undefined ? '' : cell(describeReason(error)).slice(0, ERROR_CHARS_MAX)
    const what = `${index}\t${lane}\t${NAMES[op]}\t${this.#agent}\t${objects}\t${bytes}`
    const where = `${endpointOf(uri, path)}\t${cell(uri.slice(path))}\t${why}`
    const when = `${this.#time(from)}\t\t${this.#time(to)}\t${Math.round((to - from) * 1e6)}`
    this.#text += `${what}\t${where}\t${when}\t${this.#stage}\t${warm ? 1 : 0}\n`
    if (this.#text.length >= CHUNK_CHARS) this.flush()
  }

  flush(): void {
    if (this.#text === '') return
    const pending = this.#pending
    for (let count = Atomics.load(pending, 0); count >= PENDING_MAX; count = Atomics.load(pending, 0)) {
      Atomics.wait(pending, 0, count)
    }
    Atomics.add(pending, 0, 1)
    this.#send(this.#text)
    this.#text = ''
  }

  /** RFC 3339 with nanoseconds, in the engine's clock: as milliseconds since 1970, a number has no room for these. */
  #time(at: number): string {
    const { toEngineClock } = this.#timing
    const whole = Math.floor(toEngineClock / 1000)
    const ns = Math.round((at + (toEngineClock - whole * 1000)) * 1e6)
    const seconds = Math.floor(ns / 1e9)
    if (whole + seconds !== this.#second) {
      this.#second = whole + seconds
      this.#secondText = new Date(this.#second * 1000).toISOString().slice(0, -4)
    }
    return `${this.#secondText}${String(ns - seconds * 1e9).padStart(9, '0')}Z`
  }
}

/** Files are reached through nothing, objects through a host or a bucket. */
function endpointOf(uri: string, path: number): string {
  if (uri.startsWith('file:') || uri.startsWith('direct:')) return uri.slice(0, path)
  const slash = uri.indexOf('/', path)
  return slash < 0 ? uri : uri.slice(0, slash)
}

/** Names of objects may contain anything. */
function cell(text: string): string {
  return text.replace(/[\t\n\r]/g, ' ')
}
