/** What happens second by second: all operations, those of the warm-up included, by gets, puts and others. */

import { cpuMeter } from './cpu.ts'
import { totalsOf, warmupOf } from './gauge.ts'
import { COARSE_LENGTH, totalOf, valueAtPercentile } from './histogram.ts'
import { type Board, GROUP_META, GROUPS, SUM, WARM } from './lanes/board.ts'
import { PERF_SAMPLES_ALL_MAX, PERF_SAMPLES_MAX } from './limits.ts'
import { BUCKETS } from './sizes.ts'
import { addCounts } from './stats.ts'
import type { GroupSample, PerfSample } from './types.ts'

/** A percentile of a coarse histogram. */
const COARSE_SCALE = 8

/** Everything that lanes have counted so far. */
interface Reading {
  /** Per group: operations, bytes, nanoseconds. */
  readonly groups: readonly (readonly [ops: number, bytes: number, ns: number])[]
  readonly coarse: Float64Array
  readonly errors: number
  readonly warmOps: number
}

function read(boards: readonly Board[]): Reading {
  const groups = GROUPS.map((): [number, number, number] => [0, 0, 0])
  const coarse = new Float64Array(COARSE_LENGTH * GROUPS.length)
  for (const board of boards) {
    for (const [key, slot] of board.slotOf.entries()) {
      const group = groups[Math.min(Math.floor(key / BUCKETS), GROUP_META)]
      if (slot === 0 || group === undefined) continue
      const at = (slot - 1) * SUM.LENGTH
      group[0] += board.sums[at + SUM.COUNT] ?? 0
      group[1] += board.sums[at + SUM.BYTES] ?? 0
      group[2] += board.sums[at + SUM.NS] ?? 0
    }
    for (const [at, group] of groups.entries()) {
      group[0] += board.warm[at * WARM.LENGTH + WARM.OPS] ?? 0
      group[1] += board.warm[at * WARM.LENGTH + WARM.BYTES] ?? 0
      group[2] += board.warm[at * WARM.LENGTH + WARM.NS] ?? 0
    }
  }
  for (const [at, [ops]] of groups.entries()) if (ops > 0) addGroup(coarse, boards, at)
  const warmup = warmupOf(boards)
  return { groups, coarse, errors: totalsOf(boards).errors + warmup.errors, warmOps: warmup.ops }
}

/** Most stages have operations of one group only: the others are not worth a look, five times a second. */
function addGroup(coarse: Float64Array, boards: readonly Board[], group: number): void {
  const [from, end] = [group * COARSE_LENGTH, (group + 1) * COARSE_LENGTH]
  const into = coarse.subarray(from, end)
  for (const board of boards) addCounts(into, board.coarse.subarray(from, end))
}

export type Interval = Omit<PerfSample, 'second' | 'cpu'>

/** What happened since the last look. */
export class IntervalGauge {
  readonly #boards: readonly Board[]
  #before: Reading

  constructor(boards: readonly Board[]) {
    this.#boards = boards
    this.#before = read(boards)
  }

  take(): Interval {
    const now = read(this.#boards)
    const before = this.#before
    this.#before = now
    const [get, put, meta] = GROUPS.map((_, at) => groupOf(now, before, at))
    if (get === undefined || put === undefined || meta === undefined) throw new RangeError('A group is missing')
    const all = new Float64Array(COARSE_LENGTH)
    for (let at = 0; at < GROUPS.length; at++) addCounts(all, freshCounts(now, before, at))
    return {
      ops: get.ops + put.ops + meta.ops,
      bytes: get.bytes + put.bytes + meta.bytes,
      errors: now.errors - before.errors,
      p50Ns: valueAtPercentile(all, 50, totalOf(all), COARSE_SCALE),
      p99Ns: valueAtPercentile(all, 99, totalOf(all), COARSE_SCALE),
      get,
      put,
      meta,
      warm: now.warmOps > before.warmOps,
    }
  }
}

function freshCounts(now: Reading, before: Reading, group: number): Float64Array {
  const from = group * COARSE_LENGTH
  return now.coarse.slice(from, from + COARSE_LENGTH).map((count, i) => count - (before.coarse[from + i] ?? 0))
}

function groupOf(now: Reading, before: Reading, group: number): GroupSample {
  const [ops = 0, bytes = 0, ns = 0] = (now.groups[group] ?? []).map((sum, i) => sum - (before.groups[group]?.[i] ?? 0))
  const counts = freshCounts(now, before, group)
  const total = totalOf(counts)
  const [p50Ns = 0, p90Ns = 0, p99Ns = 0] = [50, 90, 99].map((percent) =>
    valueAtPercentile(counts, percent, total, COARSE_SCALE),
  )
  return { ops, bytes, meanNs: ops > 0 ? Math.round(ns / ops) : 0, p50Ns, p90Ns, p99Ns }
}

/** Samples that one of so many agents may keep: an even number. */
export function samplesMax(agents: number): number {
  const pairs = Math.floor(PERF_SAMPLES_ALL_MAX / agents / 2)
  return Math.min(PERF_SAMPLES_MAX, Math.max(2, 2 * pairs))
}

/** Samples of a stage; bounded: a stage that outlives them gets intervals of twice the length. */
export class PerfLog {
  readonly #gauge: IntervalGauge
  readonly #cpu = cpuMeter()
  readonly #samples: PerfSample[] = []
  readonly #max: number
  #every = 1
  #skipped = 0

  /** `agents`: of this stage. */
  constructor(boards: readonly Board[], agents: number) {
    this.#gauge = new IntervalGauge(boards)
    this.#max = samplesMax(agents)
  }

  /** At the end of an interval, `second` seconds after the start. */
  tick(second: number): void {
    if (++this.#skipped < this.#every) return
    this.#skipped = 0
    this.#samples.push(this.#sample(second, this.#gauge.take()))
    if (this.#samples.length < this.#max) return
    this.#every *= 2
    const halved: PerfSample[] = []
    for (let i = 0; i + 1 < this.#samples.length; i += 2) halved.push(join(this.#samples[i], this.#samples[i + 1]))
    this.#samples.splice(0, this.#samples.length, ...halved)
  }

  #sample(second: number, interval: Interval): PerfSample {
    const cpu = this.#cpu()
    const shares = cpu && { user: rounded(cpu.user), system: rounded(cpu.system), iowait: rounded(cpu.iowait) }
    return { second: rounded(second), ...interval, cpu: shares }
  }

  /** The rest of an interval, when there is something in it. */
  finish(second: number): readonly PerfSample[] {
    const rest = this.#gauge.take()
    if (rest.ops + rest.errors > 0) this.#samples.push(this.#sample(second, rest))
    return this.#samples
  }
}

/** Results travel: digits that say nothing stay here. */
function rounded(value: number): number {
  return Math.round(value * 10_000) / 10_000
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
    get: joinGroups(a.get, b.get),
    put: joinGroups(a.put, b.put),
    meta: joinGroups(a.meta, b.meta),
    warm: a.warm || b.warm,
    cpu: b.cpu,
  }
}

function joinGroups(a: GroupSample, b: GroupSample): GroupSample {
  const ops = a.ops + b.ops
  return {
    ops,
    bytes: a.bytes + b.bytes,
    meanNs: ops === 0 ? 0 : Math.round((a.meanNs * a.ops + b.meanNs * b.ops) / ops),
    p50Ns: Math.max(a.p50Ns, b.p50Ns),
    p90Ns: Math.max(a.p90Ns, b.p90Ns),
    p99Ns: Math.max(a.p99Ns, b.p99Ns),
  }
}
