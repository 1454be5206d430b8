/** perf_log.tsv: a row a second and agent. Pure. */

import { z } from 'zod'
import type { PerfSample, StageResult } from '../../io/mod.ts'
import type { StageRecord } from './record.ts'
import { tsvTable } from './tsv.ts'

export interface PerfRow {
  readonly agent: string
  /** End of the interval, in the agent's own clock, ms. */
  readonly at: number
  /** End of the interval, since the stage began. */
  readonly second: number
  readonly stage: string
  readonly ops: number
  readonly bytes: number
  readonly opsPerSecond: number
  readonly mibPerSecond: number
  readonly p50Us: number
  readonly p99Us: number
  readonly errors: number
}

const columns = [
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

/** In the order of time. */
export function perfRowsOf(stages: readonly StageRecord[]): PerfRow[] {
  const rows = stages.flatMap(({ name, agents }) =>
    agents.flatMap(({ agent, result }) => result.perf.map((sample, at) => perfRow(agent, name, result, sample, at))),
  )
  return rows.sort((a, b) => a.at - b.at)
}

function perfRow(agent: string, stage: string, result: StageResult, sample: PerfSample, index: number): PerfRow {
  const seconds = Math.max(sample.second - (result.perf[index - 1]?.second ?? 0), 1e-9)
  return {
    agent,
    at: Math.round(result.startedAt + sample.second * 1000),
    second: sample.second,
    stage,
    ops: sample.ops,
    bytes: sample.bytes,
    opsPerSecond: sample.ops / seconds,
    mibPerSecond: sample.bytes / 1048576 / seconds,
    p50Us: sample.p50Ns / 1000,
    p99Us: sample.p99Ns / 1000,
    errors: sample.errors,
  }
}

export function perfLogTsv(rows: readonly PerfRow[]): string {
  return tsvTable(
    columns,
    rows.map((row) => [
      row.agent,
      row.at,
      row.second.toFixed(3),
      row.stage,
      row.ops,
      row.bytes,
      row.opsPerSecond.toFixed(1),
      row.mibPerSecond.toFixed(2),
      row.p50Us.toFixed(1),
      row.p99Us.toFixed(1),
      row.errors,
    ]),
  )
}

const amount = z.coerce.number().min(0)
const row = z
  .tuple([z.string(), amount, amount, z.string(), amount, amount, amount, amount, amount, amount, amount])
  .transform(([agent, at, second, stage, ops, bytes, opsPerSecond, mibPerSecond, p50Us, p99Us, errors]): PerfRow => {
    return { agent, at, second, stage, ops, bytes, opsPerSecond, mibPerSecond, p50Us, p99Us, errors }
  })

/** Null for a text that is no such table. */
export function parsePerfLog(text: string): PerfRow[] | null {
  const [head, ...lines] = text.split('\n').filter((line) => line !== '')
  if (head === undefined) return []
  if (head !== columns.join('\t')) return null
  const parsed = z.array(row).safeParse(lines.map((line) => line.split('\t')))
  return parsed.success ? parsed.data : null
}
