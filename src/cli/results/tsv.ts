/** Tables as sai3-bench writes them, so that its users' tools go on working. Pure. */

import { mergeStats, type OpStats, type StageResult, summarize } from '../../io/mod.ts'

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

const perfColumns = [
  'agent_id',
  'timestamp_epoch_ms',
  'elapsed_s',
  'stage',
  'ops',
  'bytes',
  'iops',
  'mibps',
  'p50_us',
  'p99_us',
  'errors',
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
  return table(resultColumns, rows)
}

export interface PerfSource {
  readonly agent: string
  readonly stage: string
  readonly result: StageResult
}

/** A row a second and agent, in the order of time. */
export function perfLogTsv(sources: readonly PerfSource[]): string {
  const rows: { at: number; text: string }[] = []
  for (const { agent, stage, result } of sources) {
    let before = 0
    for (const sample of result.perf) {
      const seconds = Math.max(sample.second - before, 1e-9)
      before = sample.second
      const at = Math.round(result.startedAt + sample.second * 1000)
      const cells = [
        agent,
        at,
        sample.second.toFixed(3),
        stage,
        sample.ops,
        sample.bytes,
        (sample.ops / seconds).toFixed(1),
        (sample.bytes / 1048576 / seconds).toFixed(2),
        (sample.p50Ns / 1000).toFixed(1),
        (sample.p99Ns / 1000).toFixed(1),
        sample.errors,
      ]
      rows.push({ at, text: cells.map(cell).join('\t') })
    }
  }
  rows.sort((a, b) => a.at - b.at)
  return table(
    perfColumns,
    rows.map(({ text }) => text),
  )
}

/** All size buckets of some ops as one; undefined for none. */
export function mergeIgnoringBucket(stats: readonly OpStats[]): OpStats | undefined {
  const [first] = stats
  if (first === undefined) return undefined
  const { op, bucket, bucketIndex } = first
  return mergeStats([stats.map((one) => ({ ...one, op, bucket, bucketIndex }))])[0]
}

function row(operation: string, bucket: string, index: number, stats: OpStats, seconds: number): string {
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
    .map(cell)
    .join('\t')
}

/** Names come from people: a tab or a line end would break the table. */
function cell(value: string | number): string {
  return String(value).replace(/[\t\r\n]+/g, ' ')
}

function table(columns: readonly string[], rows: readonly string[]): string {
  return `${[columns.join('\t'), ...rows].join('\n')}\n`
}
