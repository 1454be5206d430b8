/** Figures of operations: exact merge over lanes, agents and stages; the numbers that people read. Pure. */

import {
  addHistogram,
  type Counts,
  decodeHistogram,
  encodeHistogram,
  HISTOGRAM_LENGTH,
  highestOf,
  lowestOf,
  totalOf,
  valueAtPercentile,
} from './histogram.ts'
import type { OpStats } from './types.ts'

/**
 * Sums statistics of the same op and size bucket; percentiles of the sum are those of all latencies together.
 * Sorted by op, then bucket. Throws IoError BAD_RESULT when a histogram cannot be read.
 */
export function mergeStats(lists: readonly (readonly OpStats[])[]): OpStats[] {
  const groups = new Map<string, OpStats[]>()
  for (const stats of lists.flat()) {
    const key = `${stats.op} ${stats.bucketIndex}`
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [stats])
    else group.push(stats)
  }
  return [...groups.values()].map(mergeGroup).sort(byOpAndBucket)
}

function mergeGroup(group: readonly OpStats[]): OpStats {
  const [first, ...rest] = group
  if (first === undefined) throw new RangeError('Nothing to merge')
  if (rest.length === 0) return first
  const counts = new Float64Array(HISTOGRAM_LENGTH)
  let [count, bytes, errors, totalNs] = [0, 0, 0, 0]
  for (const stats of group) {
    count += stats.count
    bytes += stats.bytes
    errors += stats.errors
    totalNs += stats.totalNs
    addHistogram(counts, stats.histogram)
  }
  return { ...first, count, bytes, errors, totalNs, histogram: encodeHistogram(counts) }
}

export function addCounts(into: Float64Array, counts: Counts): void {
  for (let i = 0; i < into.length; i++) {
    const more = counts[i]
    if (more !== undefined && more !== 0) into[i] = (into[i] ?? 0) + more
  }
}

const OP_ORDER: readonly string[] = ['get', 'put', 'stat', 'list', 'delete']

export function byOpAndBucket(a: OpStats, b: OpStats): number {
  return OP_ORDER.indexOf(a.op) - OP_ORDER.indexOf(b.op) || a.bucketIndex - b.bucketIndex
}

export interface Summary {
  readonly count: number
  readonly bytes: number
  readonly errors: number
  readonly opsPerSecond: number
  readonly mibPerSecond: number
  /** Exact mean, microseconds. The others have the histogram's three significant digits. */
  readonly meanUs: number
  readonly minUs: number
  readonly p50Us: number
  readonly p90Us: number
  readonly p95Us: number
  readonly p99Us: number
  readonly p999Us: number
  readonly maxUs: number
}

/** `seconds` is the measured time; 0 gives rates of 0. Throws IoError BAD_RESULT for a damaged histogram. */
export function summarize(stats: OpStats, seconds: number): Summary {
  const counts = decodeHistogram(stats.histogram)
  const total = totalOf(counts)
  const at = (percent: number): number => valueAtPercentile(counts, percent, total) / 1000
  const rate = (amount: number): number => (seconds > 0 ? amount / seconds : 0)
  return {
    count: stats.count,
    bytes: stats.bytes,
    errors: stats.errors,
    opsPerSecond: rate(stats.count),
    mibPerSecond: rate(stats.bytes) / 1048576,
    meanUs: stats.count === 0 ? 0 : stats.totalNs / stats.count / 1000,
    minUs: lowestOf(counts) / 1000,
    p50Us: at(50),
    p90Us: at(90),
    p95Us: at(95),
    p99Us: at(99),
    p999Us: at(99.9),
    maxUs: highestOf(counts) / 1000,
  }
}
