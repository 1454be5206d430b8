/**
 * What a lane and the engine share: memory that the lane writes while it works and the engine reads at any time, so
 * that progress costs no messages and nothing is lost with a lane that does not come back.
 */

import { COARSE_LENGTH, HISTOGRAM_LENGTH, HISTOGRAM_MAX_NS, histogramIndex } from '../histogram.ts'
import { BUCKETS, bucketOf } from '../sizes.ts'
import type { OpName } from '../types.ts'

export const OPS: readonly OpName[] = ['get', 'put', 'stat', 'list', 'delete']

/** Ops that samples are kept by: gets, puts, and all others. */
export const GROUPS = ['get', 'put', 'meta'] as const
export const GROUP_META = 2

/** Positions of `warm`, one row a group. */
export const WARM = { OPS: 0, BYTES: 1, NS: 2, LENGTH: 3 } as const

/** Positions of `control`, shared by all lanes of a stage. */
export const CONTROL = {
  /** 0: wait. 1: start at `clock[0]`. 2: do not start at all. */
  GO: 0,
  /** Not 0: stop before the next operation. */
  STOP: 1,
  /** Operations taken from the limit of a hybrid stage. */
  TAKEN: 2,
  /** 1 once the first lane has ended. */
  DONE: 3,
  /** Errors of a workload that puts up with so many only; those of the window that is counted now, and which one it is. */
  ERRORS: 4,
  WINDOW_ERRORS: 5,
  ERROR_WINDOW: 6,
  /** Threads that practise for this stage now. */
  PRACTISING: 7,
  LENGTH: 16,
} as const

/** Positions of `head`, one per lane. Times are in the engine's clock, ms. */
export const HEAD = {
  STARTED_AT: 0,
  MEASURED_AT: 1,
  ENDED_AT: 2,
  WARM_ERRORS: 3,
  CREATED: 4,
  EXISTED: 5,
  DELETED: 6,
  MISSING: 7,
  /** Worst lag behind the intended start of a rate-controlled operation, ms. */
  LAG_MS: 8,
  /** Requests that were repeated, and those of them that the storage was too busy for. */
  REPEATED: 9,
  THROTTLED: 10,
  TIMED_OUT: 11,
  /** What this lane had done when the first lane ended: 1 once that is known, then operations and bytes. */
  FIRST_DONE: 12,
  FIRST_DONE_OPS: 13,
  FIRST_DONE_BYTES: 14,
  LENGTH: 16,
} as const

/** Positions within a slot of `sums`. */
export const SUM = { COUNT: 0, BYTES: 1, ERRORS: 2, NS: 3, LENGTH: 4 } as const

const KEYS = OPS.length * BUCKETS

/** Arrays over one SharedArrayBuffer. A slot holds one op in one size bucket. */
export interface Board {
  readonly head: Float64Array
  /** Slot + 1 of each op and bucket, 0 for none yet. */
  readonly slotOf: Int32Array
  readonly sums: Float64Array
  /** Per group: what is done before the measurement, in no slot. */
  readonly warm: Float64Array
  /** Per group: latencies in few steps, those before the measurement included. */
  readonly coarse: Uint32Array
  readonly fine: Uint32Array
}

export function boardBytes(slots: number): number {
  const doubles = HEAD.LENGTH + SUM.LENGTH * slots + WARM.LENGTH * GROUPS.length
  return 8 * doubles + 4 * (KEYS + 1 + COARSE_LENGTH * GROUPS.length + HISTOGRAM_LENGTH * slots)
}

export function openBoard(memory: SharedArrayBuffer, slots: number): Board {
  let at = 0
  const head = new Float64Array(memory, at, HEAD.LENGTH)
  at += head.byteLength
  const sums = new Float64Array(memory, at, SUM.LENGTH * slots)
  at += sums.byteLength
  const warm = new Float64Array(memory, at, WARM.LENGTH * GROUPS.length)
  at += warm.byteLength
  const slotOf = new Int32Array(memory, at, KEYS + 1)
  at += slotOf.byteLength
  const coarse = new Uint32Array(memory, at, COARSE_LENGTH * GROUPS.length)
  at += coarse.byteLength
  return { head, slotOf, sums, warm, coarse, fine: new Uint32Array(memory, at, HISTOGRAM_LENGTH * slots) }
}

/** A lane's side. Element reads are cast: the index is always in range, and this runs a million times a second. */
export class Recorder {
  readonly #board: Board
  readonly #slots: number
  #used = 0

  constructor(board: Board, slots: number) {
    this.#board = board
    this.#slots = slots
  }

  success(op: number, bytes: number, ns: number): void {
    const { sums, fine, coarse } = this.#board
    const slot = this.#slot(op * BUCKETS + bucketOf(bytes))
    const index = histogramIndex(Math.min(ns, HISTOGRAM_MAX_NS))
    const counter = slot * HISTOGRAM_LENGTH + index
    fine[counter] = (fine[counter] as number) + 1
    const step = Math.min(op, GROUP_META) * COARSE_LENGTH + (index >> 3)
    coarse[step] = (coarse[step] as number) + 1
    const at = slot * SUM.LENGTH
    sums[at] = (sums[at] as number) + 1
    sums[at + SUM.BYTES] = (sums[at + SUM.BYTES] as number) + bytes
    sums[at + SUM.NS] = (sums[at + SUM.NS] as number) + ns
  }

  /** An operation before the measurement. */
  warm(op: number, bytes: number, ns: number): void {
    const { warm, coarse } = this.#board
    const group = Math.min(op, GROUP_META)
    const step = group * COARSE_LENGTH + (histogramIndex(Math.min(ns, HISTOGRAM_MAX_NS)) >> 3)
    coarse[step] = (coarse[step] as number) + 1
    const at = group * WARM.LENGTH
    warm[at] = (warm[at] as number) + 1
    warm[at + WARM.BYTES] = (warm[at + WARM.BYTES] as number) + bytes
    warm[at + WARM.NS] = (warm[at + WARM.NS] as number) + ns
  }

  /** `bytes`: what the operation would have moved, 0 when unknown; it only chooses the bucket. */
  failure(op: number, bytes: number): void {
    const at = this.#slot(op * BUCKETS + bucketOf(bytes)) * SUM.LENGTH + SUM.ERRORS
    this.#board.sums[at] = (this.#board.sums[at] as number) + 1
  }

  add(position: number, amount: number): void {
    const { head } = this.#board
    head[position] = (head[position] as number) + amount
  }

  set(position: number, value: number): void {
    this.#board.head[position] = value
  }

  raise(position: number, value: number): void {
    if (value > (this.#board.head[position] as number)) this.#board.head[position] = value
  }

  /** Once: what was done so far, for the figures of the moment when the first lane ended. */
  noteFirstDone(): void {
    const { head, sums } = this.#board
    if (head[HEAD.FIRST_DONE] !== 0) return
    head[HEAD.FIRST_DONE] = 1
    for (let at = 0; at < sums.length; at += SUM.LENGTH) {
      this.add(HEAD.FIRST_DONE_OPS, sums[at + SUM.COUNT] as number)
      this.add(HEAD.FIRST_DONE_BYTES, sums[at + SUM.BYTES] as number)
    }
  }

  #slot(key: number): number {
    const slot = this.#board.slotOf[key] as number
    return slot > 0 ? slot - 1 : this.#addSlot(key)
  }

  #addSlot(key: number): number {
    if (this.#used === this.#slots) throw new RangeError(`A lane has room for ${this.#slots} kinds of figures`)
    const slot = this.#used++
    this.#board.slotOf[key] = slot + 1
    return slot
  }
}
