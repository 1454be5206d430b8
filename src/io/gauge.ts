/** Reads the boards of all lanes of a stage: while they work for progress, afterwards for the result. */

import { encodeHistogram, HISTOGRAM_LENGTH, totalOf } from './histogram.ts'
import { type Board, HEAD, OPS, SUM, WARM } from './lanes/board.ts'
import { BUCKET_LABELS, BUCKETS } from './sizes.ts'
import { addCounts, byOpAndBucket } from './stats.ts'
import type { Measuring, OpStats } from './types.ts'

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

/** What was done before the measurement. */
export function warmupOf(boards: readonly Board[]): Totals {
  let [ops, bytes] = [0, 0]
  for (const { warm } of boards) {
    for (let at = 0; at < warm.length; at += WARM.LENGTH) {
      ops += warm[at + WARM.OPS] ?? 0
      bytes += warm[at + WARM.BYTES] ?? 0
    }
  }
  return { ops, bytes, errors: headSum(boards, HEAD.WARM_ERRORS) }
}

/** Nanoseconds that lanes spent in measured operations. */
function busyNs(boards: readonly Board[]): number {
  let ns = 0
  for (const { sums } of boards) for (let at = SUM.NS; at < sums.length; at += SUM.LENGTH) ns += sums[at] ?? 0
  return ns
}

/** How busy lanes were with `seconds` of measured work. */
export function loadOf(
  boards: readonly Board[],
  seconds: number,
): Pick<Measuring, 'lanes' | 'busyShare' | 'laneOpsMin' | 'laneOpsMax' | 'lagMs' | 'timedOut' | 'firstDone'> {
  const ops = boards.map((board) => totalsOf([board]).ops)
  const firstDone = boards.map((board) => {
    // A lane that did not come back did nothing more.
    if (board.head[HEAD.FIRST_DONE] === 0) return totalsOf([board])
    return { ops: board.head[HEAD.FIRST_DONE_OPS] ?? 0, bytes: board.head[HEAD.FIRST_DONE_BYTES] ?? 0 }
  })
  return {
    lanes: boards.length,
    busyShare: seconds > 0 ? Math.min(1, busyNs(boards) / 1e9 / (seconds * boards.length)) : 0,
    laneOpsMin: Math.min(...ops),
    laneOpsMax: Math.max(...ops),
    lagMs: Math.max(0, ...boards.map(({ head }) => head[HEAD.LAG_MS] ?? 0)),
    timedOut: headSum(boards, HEAD.TIMED_OUT),
    firstDone: {
      ops: firstDone.reduce((sum, one) => sum + one.ops, 0),
      bytes: firstDone.reduce((sum, one) => sum + one.bytes, 0),
    },
  }
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
  if (boards.every(({ slotOf }) => slotOf[key] === 0)) return null
  const counts = new Float64Array(HISTOGRAM_LENGTH)
  for (const { slotOf, sums, fine } of boards) {
    const slot = (slotOf[key] ?? 0) - 1
    if (slot < 0) continue
    const at = slot * SUM.LENGTH
    bytes += sums[at + SUM.BYTES] ?? 0
    errors += sums[at + SUM.ERRORS] ?? 0
    totalNs += sums[at + SUM.NS] ?? 0
    addCounts(counts, fine.subarray(slot * HISTOGRAM_LENGTH, (slot + 1) * HISTOGRAM_LENGTH))
  }
  // Counted from the histogram: a lane that was given up may have been between two additions.
  return { count: totalOf(counts), bytes, errors, totalNs: Math.round(totalNs), counts }
}
