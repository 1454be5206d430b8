/** Tables as sai3-bench writes them, so that its users' tools go on working. Pure. */

import { type OpStats, summarize } from '../../io/mod.ts'
import { mergeIgnoringBucket } from './by-op.ts'

const resultColumns = [
  'operation',
  'size_bucket',
  'bucket_idx',
  'mean_us',
  'p50_us',
  'p90_us',
  'p95_us',
  'p99_us',
  'max_us',
  'avg_bytes',
  'ops_per_sec',
  'throughput_mibps',
  'count',
]

/** sai3-bench sorts its aggregate rows behind the buckets by these numbers. */
const aggregates = [
  { operation: 'META', index: 97, ops: ['stat', 'list', 'delete'] },
  { operation: 'GET', index: 98, ops: ['get'] },
  { operation: 'PUT', index: 99, ops: ['put'] },
]

/** Rows by op and size bucket, then the aggregates. `seconds`: measured time. */
export function resultsTsv(stats: readonly OpStats[], seconds: number): string {
  const rows = stats.map((one) => row(one.op.toUpperCase(), one.bucket, one.bucketIndex, one, seconds))
  for (const { operation, index, ops } of aggregates) {
    const all = stats.filter((one) => ops.includes(one.op))
    const merged = mergeIgnoringBucket(all)
    if (merged !== undefined) rows.push(row(operation, 'ALL', index, merged, seconds))
  }
  return tsvTable(resultColumns, rows)
}

function row(operation: string, bucket: string, index: number, stats: OpStats, seconds: number): Cell[] {
  const figures = summarize(stats, seconds)
  const micros = [figures.meanUs, figures.p50Us, figures.p90Us, figures.p95Us, figures.p99Us, figures.maxUs]
  const averageBytes = stats.count === 0 ? 0 : stats.bytes / stats.count
  return [
    operation,
    bucket,
    index,
    ...micros.map((value) => value.toFixed(2)),
    averageBytes.toFixed(0),
    figures.opsPerSecond.toFixed(2),
    figures.mibPerSecond.toFixed(2),
    stats.count,
  ]
}

type Cell = string | number

/** Names come from people: a tab or a line end in them would break the table. */
export function tsvTable(columns: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const lines = rows.map((cells) => cells.map((value) => String(value).replace(/[\t\r\n]+/g, ' ')).join('\t'))
  return `${[columns.join('\t'), ...lines].join('\n')}\n`
}
