/** perf_log.tsv: a row a second and agent, with the columns of sai3-bench first and those for all ops behind. Pure. */

import { z } from 'zod'
import type { GroupSample, PerfSample } from '../../io/mod.ts'
import type { AgentStage, StageRecord } from './record.ts'
import { tsvTable } from './tsv.ts'

export interface PerfGroup {
  readonly ops: number
  readonly bytes: number
  readonly opsPerSecond: number
  readonly mibPerSecond: number
  readonly meanUs: number
  readonly p50Us: number
  readonly p90Us: number
  readonly p99Us: number
}

export interface PerfRow {
  readonly agent: string
  /** End of the interval, in the clock of the leader that started the stage, ms. */
  readonly at: number
  /** End of the interval, since the stage began. */
  readonly second: number
  readonly stage: string
  readonly get: PerfGroup
  readonly put: PerfGroup
  /** Stat, list, delete. */
  readonly meta: PerfGroup
  /** Percent of the agent's machine. */
  readonly cpu: { readonly user: number; readonly system: number; readonly iowait: number }
  readonly errors: number
  /** Whether some of it was done before the measurement began. */
  readonly warm: boolean
  /** Of all ops. */
  readonly ops: number
  readonly bytes: number
  readonly opsPerSecond: number
  readonly mibPerSecond: number
  readonly p50Us: number
  readonly p99Us: number
}

/** In the order of time. */
export function perfRowsOf(stages: readonly StageRecord[]): PerfRow[] {
  const rows = stages.flatMap(({ name, agents }) =>
    agents.flatMap((agent) => agent.result.perf.map((sample, at) => perfRow(agent, name, sample, at))),
  )
  return rows.sort((a, b) => a.at - b.at)
}

function perfRow({ agent, result, offsetMs }: AgentStage, stage: string, sample: PerfSample, index: number): PerfRow {
  const seconds = Math.max(sample.second - (result.perf[index - 1]?.second ?? 0), 1e-9)
  const percent = (share: number | undefined): number => Number((100 * (share ?? 0)).toFixed(1))
  return {
    agent,
    at: Math.round(result.startedAt + offsetMs + sample.second * 1000),
    second: sample.second,
    stage,
    get: groupOf(sample.get, seconds),
    put: groupOf(sample.put, seconds),
    meta: groupOf(sample.meta, seconds),
    cpu: {
      user: percent(sample.cpu?.user),
      system: percent(sample.cpu?.system),
      iowait: percent(sample.cpu?.iowait),
    },
    errors: sample.errors,
    warm: sample.warm,
    ops: sample.ops,
    bytes: sample.bytes,
    opsPerSecond: sample.ops / seconds,
    mibPerSecond: sample.bytes / 1048576 / seconds,
    p50Us: sample.p50Ns / 1000,
    p99Us: sample.p99Ns / 1000,
  }
}

function groupOf({ ops, bytes, meanNs, p50Ns, p90Ns, p99Ns }: GroupSample, seconds: number): PerfGroup {
  return {
    ops,
    bytes,
    opsPerSecond: ops / seconds,
    mibPerSecond: bytes / 1048576 / seconds,
    meanUs: meanNs / 1000,
    p50Us: p50Ns / 1000,
    p90Us: p90Ns / 1000,
    p99Us: p99Ns / 1000,
  }
}

const groupColumns = ['ops', 'bytes', 'iops', 'mbps', 'mean_us', 'p50_us', 'p90_us', 'p99_us']
const dataGroups = (['get', 'put'] as const).flatMap((name) => groupColumns.map((column) => `${name}_${column}`))
const metaColumns = ['meta_ops', 'meta_iops', 'meta_mean_us', 'meta_p50_us', 'meta_p90_us', 'meta_p99_us']

const columns = [
  ...['agent_id', 'timestamp_epoch_ms', 'elapsed_s', 'stage'],
  ...dataGroups,
  ...metaColumns,
  ...['cpu_user_pct', 'cpu_system_pct', 'cpu_iowait_pct', 'errors', 'is_warmup'],
  ...['ops', 'bytes', 'iops', 'mibps', 'p50_us', 'p99_us'],
]

export function perfLogTsv(rows: readonly PerfRow[]): string {
  return tsvTable(columns, rows.map(cellsOf))
}

function cellsOf(row: PerfRow): (string | number)[] {
  const { meta, cpu } = row
  const latencies = (group: PerfGroup) => [group.meanUs, group.p50Us, group.p90Us, group.p99Us].map(microseconds)
  const data = [row.get, row.put].flatMap((group) => [
    group.ops,
    group.bytes,
    group.opsPerSecond.toFixed(1),
    group.mibPerSecond.toFixed(2),
    ...latencies(group),
  ])
  return [
    ...[row.agent, row.at, row.second.toFixed(3), row.stage],
    ...data,
    ...[meta.ops, meta.opsPerSecond.toFixed(1), ...latencies(meta)],
    ...[cpu.user, cpu.system, cpu.iowait].map((percent) => percent.toFixed(1)),
    ...[row.errors, row.warm ? 1 : 0],
    ...[row.ops, row.bytes, row.opsPerSecond.toFixed(1), row.mibPerSecond.toFixed(2)],
    ...[row.p50Us, row.p99Us].map(microseconds),
  ]
}

/** Whole ones would make memory-speed operations look like none. */
function microseconds(us: number): string {
  return us.toFixed(us < 100 ? 1 : 0)
}

const amount = z.coerce.number().min(0)

/** Null for a text that is no such table. */
export function parsePerfLog(text: string): PerfRow[] | null {
  const [head, ...lines] = text.split('\n').filter((line) => line !== '')
  if (head === undefined) return []
  if (head !== columns.join('\t')) return null
  const rows = lines.map((line) => parseRow(line.split('\t')))
  return rows.every((row) => row !== null) ? rows : null
}

function parseRow(cells: readonly string[]): PerfRow | null {
  const numbers = z.array(amount).safeParse(cells.filter((_, at) => at !== 0 && at !== 3))
  const [agent, , , stage] = cells
  if (!numbers.success || cells.length !== columns.length || agent === undefined || stage === undefined) return null
  const values = numbers.data
  let next = 0
  const take = (): number => values[next++] ?? 0
  const [at, second] = [take(), take()]
  const data = (): PerfGroup => ({ ...volume(take), ...latency(take) })
  const [get, put] = [data(), data()]
  const meta: PerfGroup = { ops: take(), bytes: 0, opsPerSecond: take(), mibPerSecond: 0, ...latency(take) }
  const cpu = { user: take(), system: take(), iowait: take() }
  const [errors, warm] = [take(), take() === 1]
  return { agent, at, second, stage, get, put, meta, cpu, errors, warm, ...volume(take), p50Us: take(), p99Us: take() }
}

function volume(take: () => number): Pick<PerfGroup, 'ops' | 'bytes' | 'opsPerSecond' | 'mibPerSecond'> {
  return { ops: take(), bytes: take(), opsPerSecond: take(), mibPerSecond: take() }
}

function latency(take: () => number): Pick<PerfGroup, 'meanUs' | 'p50Us' | 'p90Us' | 'p99Us'> {
  return { meanUs: take(), p50Us: take(), p90Us: take(), p99Us: take() }
}
