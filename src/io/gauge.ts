/** Reads the boards of all lanes of a stage: while they work for progress, afterwards for the result. */

import { COARSE_LENGTH, encodeHistogram, HISTOGRAM_LENGTH, totalOf, valueAtPercentile } from './histogram.ts'
import { type Board, HEAD, OPS, SUM } from './lanes/board.ts'
import { PERF_SAMPLES_MAX } from './limits.ts'
import { BUCKET_LABELS, BUCKETS } from './sizes.ts'
import { addCounts, byOpAndBucket } from './stats.ts'
import type { OpStats, PerfSample } from './types.ts'

export interface Totals {
  readonly ops: number
  readonly bytes: number
  readonly errors: number
}

/** What was measured, warm-up apart. */
export function totalsOf(boards: readonly Board[]): Totals {
  let [ops, bytes, errors] = [0, 0, 0]
  for (const { sums } of boards) {
    for (let at = 0; at < sums.length; at += SUM.LENGTH) {
      ops += sums[at] ?? 0
      bytes += sums[at + SUM.BYTES] ?? 0
      errors += sums[at + SUM.ERRORS] ?? 0
    }
  }
  return { ops, bytes, errors }
}

export function headSum(boards: readonly Board[], position: number): number {
  return boards.reduce((sum, { head }) => sum + (head[position] ?? 0), 0)
}

export function warmupOf(boards: readonly Board[]): Totals {
  return {
    ops: headSum(boards, HEAD.WARM_OPS),
    bytes: headSum(boards, HEAD.WARM_BYTES),
    errors: headSum(boards, HEAD.WARM_ERRORS),
  }
}

/** Nanoseconds that lanes spent in measured operations. */
export function busyNs(boards: readonly Board[]): number {
  let ns = 0
  for (const { sums } of boards) for (let at = SUM.NS; at < sums.length; at += SUM.LENGTH) ns += sums[at] ?? 0
  return ns
}

/** Exact sums over lanes, per op and size bucket. */
export function collectStats(boards: readonly Board[]): OpStats[] {
  const stats: OpStats[] = []
  for (const [op, name] of OPS.entries()) {
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      const collected = collectOne(boards, op * BUCKETS + bucket)
      if (collected === null) continue
      const { counts, ...sums } = collected
      const histogram = encodeHistogram(counts)
      stats.push({ op: name, bucket: BUCKET_LABELS[bucket] ?? '', bucketIndex: bucket, ...sums, histogram })
    }
  }
  return stats.sort(byOpAndBucket)
}

function collectOne(
  boards: readonly Board[],
  key: number,
): { count: number; bytes: number; errors: number; totalNs: number; counts: Float64Array } | null {
  let [bytes, errors, totalNs] = [0, 0, 0]
  const counts = new Float64Array(HISTOGRAM_LENGTH)
  let found = false
  for (const { slotOf, sums, fine } of boards) {
    const slot = (slotOf[key] ?? 0) - 1
    if (slot < 0) continue
    found = true
    const at = slot * SUM.LENGTH
    bytes += sums[at + SUM.BYTES] ?? 0
    errors += sums[at + SUM.ERRORS] ?? 0
    totalNs += sums[at + SUM.NS] ?? 0
    addCounts(counts, fine.subarray(slot * HISTOGRAM_LENGTH, (slot + 1) * HISTOGRAM_LENGTH))
  }
  // Counted from the histogram: a lane that was given up may have been between two additions.
  return found ? { count: totalOf(counts), bytes, errors, totalNs: Math.round(totalNs), counts } : null
}

export interface Interval extends Totals {
  readonly p50Ns: number
  readonly p99Ns: number
}

/** What happened since the last look. */
export class IntervalGauge {
  readonly #boards: readonly Board[]
  #before: Totals
  #counts: Float64Array

  constructor(boards: readonly Board[]) {
    this.#boards = boards
    this.#before = totalsOf(boards)
    this.#counts = sumCoarse(boards)
  }

  take(): Interval {
    const totals = totalsOf(this.#boards)
    const counts = sumCoarse(this.#boards)
    const fresh = counts.map((count, i) => count - (this.#counts[i] ?? 0))
    const before = this.#before
    this.#before = totals
    this.#counts = counts
    const total = totalOf(fresh)
    return {
      ops: totals.ops - before.ops,
      bytes: totals.bytes - before.bytes,
      errors: totals.errors - before.errors,
      p50Ns: valueAtPercentile(fresh, 50, total, 8),
      p99Ns: valueAtPercentile(fresh, 99, total, 8),
    }
  }
}

function sumCoarse(boards: readonly Board[]): Float64Array {
  const counts = new Float64Array(COARSE_LENGTH)
  for (const { coarse } of boards) addCounts(counts, coarse)
  return counts
}

/** Samples of a stage; bounded: a stage that outlives them gets intervals of twice the length. */
export class PerfLog {
  readonly #gauge: IntervalGauge
  readonly #samples: PerfSample[] = []
  #every = 1
  #skipped = 0

  constructor(boards: readonly Board[]) {
    this.#gauge = new IntervalGauge(boards)
  }

  /** At the end of an interval, `second` seconds after the start. */
  tick(second: number): void {
    if (++this.#skipped < this.#every) return
    this.#skipped = 0
    this.#samples.push({ second, ...this.#gauge.take() })
    if (this.#samples.length < PERF_SAMPLES_MAX) return
    this.#every *= 2
    const halved: PerfSample[] = []
    for (let i = 0; i + 1 < this.#samples.length; i += 2) halved.push(join(this.#samples[i], this.#samples[i + 1]))
    this.#samples.splice(0, this.#samples.length, ...halved)
  }

  /** The rest of an interval, when there is something in it. */
  finish(second: number): readonly PerfSample[] {
    const rest = this.#gauge.take()
    if (rest.ops + rest.errors > 0) this.#samples.push({ second, ...rest })
    return this.#samples
  }
}

/** Percentiles of two intervals cannot be joined exactly from percentiles: the higher one is an upper bound. */
function join(a: PerfSample | undefined, b: PerfSample | undefined): PerfSample {
  if (a === undefined || b === undefined) throw new RangeError('Two samples are needed')
  return {
    second: b.second,
    ops: a.ops + b.ops,
    bytes: a.bytes + b.bytes,
    errors: a.errors + b.errors,
    p50Ns: Math.max(a.p50Ns, b.p50Ns),
    p99Ns: Math.max(a.p99Ns, b.p99Ns),
  }
}
