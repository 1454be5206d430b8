/** Statistics of all size buckets of an op together. Pure. */

import { mergeStats, type OpStats } from '../../io/mod.ts'

/** One of each op. */
export function byOp(stats: readonly OpStats[]): OpStats[] {
  const ops = [...new Set(stats.map((one) => one.op))]
  return ops.flatMap((op) => mergeIgnoringBucket(stats.filter((one) => one.op === op)) ?? [])
}

/** All of them as one, whatever their op and bucket; undefined for none. */
export function mergeIgnoringBucket(stats: readonly OpStats[]): OpStats | undefined {
  const [first] = stats
  if (first === undefined) return undefined
  const { op, bucket, bucketIndex } = first
  return mergeStats([stats.map((one) => ({ ...one, op, bucket, bucketIndex }))])[0]
}
