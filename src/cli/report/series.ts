/** Throughput and latency over time, in at most so many intervals that a page can hold them. Pure. */

import type { PerfRow } from '../results/mod.ts'
import type { AgentSeries, ReportStage, StageSeries } from './types.ts'

/** Intervals of all stages of one agent, and of all agents together. */
const POINTS_MAX = 1200
const POINTS_OF_ALL_MAX = 120_000

export interface SeriesInput {
  readonly stages: readonly ReportStage[]
  readonly perf: readonly PerfRow[]
  /** Start of an agent's stage in the clock of its rows, ms; undefined when it is not known. */
  readonly startedAt: (sequence: number, agent: string) => number | undefined
}

/** One agent's samples of one stage. */
interface Samples {
  readonly sequence: number
  readonly agent: string
  readonly rows: readonly PerfRow[]
}

export function seriesOf(input: SeriesInput): StageSeries[] {
  const samples = sorted(input)
  const step = stepOf(input.stages, samples)
  return input.stages.flatMap((stage) => {
    const own = samples.filter(({ sequence }) => sequence === stage.sequence)
    return own.length === 0 ? [] : [stageSeries(stage, own, step)]
  })
}

/** Which stage a row belongs to: its end says so even where two stages share a name. */
function sorted({ stages, perf, startedAt }: SeriesInput): Samples[] {
  const byAgent = Map.groupBy(perf, ({ agent, stage }) => `${agent}\n${stage}`)
  return stages.flatMap((stage) =>
    stage.agents.flatMap((agent) => {
      const start = startedAt(stage.sequence, agent.name)
      const rows = (byAgent.get(`${agent.name}\n${stage.name}`) ?? []).filter(
        ({ at, second }) => start !== undefined && Math.abs(at - second * 1000 - start) < 2,
      )
      return rows.length === 0 ? [] : [{ sequence: stage.sequence, agent: agent.name, rows }]
    }),
  )
}

/** The samples' own interval, or a multiple of it where a page could not hold them all. */
function stepOf(stages: readonly ReportStage[], samples: readonly Samples[]): number {
  const intervals = samples.flatMap(({ rows }) => rows.slice(1).map((row, at) => row.second - (rows[at]?.second ?? 0)))
  intervals.sort((a, b) => a - b)
  const own = nominal(intervals[Math.floor(intervals.length / 2)] ?? 1)
  const agents = new Set(samples.map(({ agent }) => agent)).size
  const points = Math.max(50, Math.min(POINTS_MAX, Math.floor(POINTS_OF_ALL_MAX / Math.max(1, agents))))
  const seconds = stages.reduce((sum, stage) => sum + lastEnd(stage) - stage.from, 0)
  return own * Math.max(1, Math.ceil(seconds / own / points))
}

/** Samples come a little early or late: whole seconds, below one tenths of it. */
function nominal(interval: number): number {
  return interval >= 0.75 ? Math.round(interval) : Math.max(0.1, Math.round(interval * 10) / 10)
}

function lastEnd({ from, agents }: ReportStage): number {
  return agents.reduce((last, { to }) => Math.max(last, to), from)
}

function stageSeries(stage: ReportStage, samples: readonly Samples[], step: number): StageSeries {
  const { sequence, from } = stage
  const ends = samples.map(({ agent, rows }) => startIn(stage, agent) + (rows.at(-1)?.second ?? 0))
  const length = Math.max(1e-3, ...ends)
  // A last interval that is almost nothing would show a rate that is almost anything.
  const count = Math.max(1, Math.floor(length / step + 0.75))
  const grid = { step, count, length }
  const agents = samples.map(({ agent, rows }) => agentSeries(agent, rows, startIn(stage, agent), grid))
  return { sequence, from, to: from + round(length), step, agents }
}

/** When an agent began, after its stage's agreed start. */
function startIn({ from, agents }: ReportStage, name: string): number {
  return Math.max(0, (agents.find((agent) => agent.name === name)?.from ?? from) - from)
}

interface Grid {
  readonly step: number
  readonly count: number
  readonly length: number
}

function agentSeries(name: string, rows: readonly PerfRow[], start: number, grid: Grid): AgentSeries {
  const zeros = () => Array.from({ length: grid.count }, () => 0)
  const sums = { ops: zeros(), bytes: zeros(), errors: zeros(), p50: zeros(), p99: zeros() }
  let before = 0
  for (const row of rows) {
    const interval = { from: start + before, to: start + row.second }
    before = row.second
    for (const { at, share } of overlaps(interval, grid)) {
      sums.ops[at] = (sums.ops[at] ?? 0) + row.ops * share
      sums.bytes[at] = (sums.bytes[at] ?? 0) + row.bytes * share
      sums.errors[at] = (sums.errors[at] ?? 0) + row.errors * share
      // A sample that merely touches the interval, as where starts differ by a millisecond, says nothing about it.
      if (share < 0.05 || row.ops === 0) continue
      sums.p50[at] = Math.max(sums.p50[at] ?? 0, row.p50Us)
      sums.p99[at] = Math.max(sums.p99[at] ?? 0, row.p99Us)
    }
  }
  const rate = (sum: number, at: number) => short(sum / widthAt(at, grid))
  const percentile = (us: number) => (us === 0 ? null : short(us))
  return {
    name,
    opsPerSecond: sums.ops.map(rate),
    mibPerSecond: sums.bytes.map((bytes, at) => rate(bytes / 1048576, at)),
    errors: sums.errors.map(short),
    p50Us: sums.p50.map(percentile),
    p99Us: sums.p99.map(percentile),
  }
}

function widthAt(at: number, { step, count, length }: Grid): number {
  return at === count - 1 ? length - at * step : step
}

/** The grid's intervals that a sample overlaps, and the share of the sample in each. */
function overlaps({ from, to }: { from: number; to: number }, grid: Grid): { at: number; share: number }[] {
  const found: { at: number; share: number }[] = []
  const last = grid.count - 1
  for (let at = Math.min(last, Math.floor(from / grid.step)); at <= last; at += 1) {
    const begin = at * grid.step
    if (begin >= to && found.length > 0) break
    const inside = Math.min(to, at === last ? Number.POSITIVE_INFINITY : begin + grid.step) - Math.max(from, begin)
    if (to <= from) return [{ at, share: 1 }]
    if (inside > 0) found.push({ at, share: inside / (to - from) })
  }
  return found
}

function short(value: number): number {
  return Number(value.toPrecision(5))
}

function round(seconds: number): number {
  return Math.round(seconds * 10_000) / 10_000
}
