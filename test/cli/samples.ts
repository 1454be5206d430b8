/** Made-up runs: decisions with results, as agents would have agreed on them. */

import { createHash } from 'node:crypto'
import type { Decision, Exclusion, Member, Policy, StartDecision } from '../../src/barrier/mod.ts'
import { encodeReport } from '../../src/cli/stage-report.ts'
import { HISTOGRAM_LENGTH, histogramIndex } from '../../src/io/histogram.ts'
import { encodeHistogram, type OpStats, plainResult, type StageResult } from '../../src/io/mod.ts'
import { barrierSpec } from '../barrier/plans.ts'

/** When the first stage of a made-up run starts, in the clock of its first leader. */
export const STARTED_AT = 1_800_000_000_000

export interface Work {
  readonly seconds: number
  /** How much later than agreed it began, ms. */
  readonly lateStartMs?: number
  readonly failed?: string
  /** It was stopped in the middle. */
  readonly stopped?: boolean
  readonly warnings?: readonly string[]
  readonly output?: string
  readonly latenciesNs?: readonly number[]
}

export interface StageSketch {
  readonly name: string
  readonly policy?: Policy
  /** By name: what each member that reported did. */
  readonly works: Readonly<Record<string, Work>>
  readonly leader: string
  readonly term: number
  readonly excluded?: readonly { readonly name: string; readonly reason: Exclusion['reason'] }[]
  readonly aborted?: string
}

export interface RunSketch {
  readonly agents: readonly string[]
  readonly stages: readonly StageSketch[]
  readonly yaml?: string
  /** Own clock minus that of the run, ms. */
  readonly skewMs?: Readonly<Record<string, number>>
}

const PLAN = { number: 1, uid: 'made-up' }
const WAIT_MS = 250

/** A start and what followed it; each stage starts `WAIT_MS` after the slowest of the one before. */
export function madeUpRun(sketch: RunSketch): { start: StartDecision; decisions: Decision[] } {
  const [first] = sketch.stages
  if (first === undefined) throw new Error('A run needs a stage')
  const skewOf = (name: string) => sketch.skewMs?.[name] ?? 0
  let members: Member[] = sketch.agents.map((name) => ({ peer: `peer-${name}`, name, incarnation: '1' }))
  let startAt = STARTED_AT
  const base = ({ leader, term }: { leader: string; term: number }) => ({
    plan: PLAN,
    leader,
    ballot: { term, peer: `peer-${leader}` },
  })
  const start: StartDecision = {
    kind: 'start',
    ...base(first),
    sequence: 0,
    members,
    startAt: startAt + skewOf(first.leader),
    armMs: 10_000,
    spec: specOf(sketch),
  }
  const decisions: Decision[] = [start]
  let startedBy = first.leader
  for (const [index, stage] of sketch.stages.entries()) {
    const sequence = index + 1
    const reports = Object.entries(stage.works).map(([name, work]) => ({
      peer: `peer-${name}`,
      name,
      sequence,
      status: work.failed === undefined ? ('ok' as const) : ('failed' as const),
      payload: encodeReport({
        offsetMs: skewOf(startedBy) - skewOf(name),
        about: { ...MACHINE, host: `host-of-${name}` },
        result: resultOf(work, startAt + skewOf(name)),
      }),
    }))
    const excluded = (stage.excluded ?? []).map((one) => ({ peer: `peer-${one.name}`, ...one }))
    members = members.filter(({ name }) => !excluded.some((one) => one.name === name))
    const common = { ...base(stage), sequence, policy: stage.policy ?? 'majority', members, excluded, reports } as const
    startAt += Math.max(0, ...Object.values(stage.works).map(({ seconds }) => seconds)) * 1000 + WAIT_MS
    const ready = reports.map(({ peer }) => peer)
    decisions.push(
      stage.aborted === undefined
        ? { kind: 'release', ...common, ready, waitedMs: WAIT_MS, startAt: startAt + skewOf(stage.leader) }
        : { kind: 'abort', ...common, reason: stage.aborted },
    )
    startedBy = stage.leader
  }
  return { start, decisions }
}

const MACHINE = {
  version: '0.1.0',
  runtime: 'node 24.18.0',
  host: '',
  system: 'linux 6.1 x64',
  cores: 2,
  cpu: 'A processor',
  memoryBytes: 8 * 1024 ** 3,
}

function specOf({ stages, yaml = 'stages: made up' }: RunSketch): StartDecision['spec'] {
  return {
    submission: 'made-up-submission',
    hash: createHash('sha256').update(yaml).digest('hex'),
    yaml,
    stages: stages.map(({ name, policy = 'majority' }, index) => ({
      barrierName: `stage-${index + 1}-${name}`,
      name,
      optional: false,
      barrier: barrierSpec(policy),
    })),
    wanted: { kind: 'all' },
    agentReadyTimeoutMs: 30_000,
  }
}

function resultOf(work: Work, startAt: number): StageResult {
  const startedAt = startAt + (work.lateStartMs ?? 0)
  const latencies = work.latenciesNs ?? []
  const result = plainResult({ startedAt, endedAt: startAt + work.seconds * 1000 })
  const perSecond = Math.floor(latencies.length / Math.max(1, Math.ceil(work.seconds)))
  const stopped = work.stopped === true
  return {
    ...result,
    status: work.failed === undefined && !stopped ? 'ok' : 'failed',
    reason: work.failed ?? (stopped ? 'The stage was cancelled' : ''),
    code: stopped ? 'CANCELLED' : work.failed === undefined ? '' : 'FAILED',
    warnings: work.warnings ?? [],
    output: work.output ?? '',
    stats: latencies.length === 0 ? [] : [statsOf('get', latencies)],
    perf: latencies.length === 0 ? [] : perfOf(work.seconds, perSecond),
  }
}

function perfOf(seconds: number, ops: number): StageResult['perf'] {
  return Array.from({ length: Math.ceil(seconds) }, (_, index) => ({
    second: Math.min(index + 1, seconds),
    ops,
    bytes: ops * 4096,
    errors: 0,
    p50Ns: 1000,
    p99Ns: 9000,
    get: { ops, bytes: ops * 4096, meanNs: 2000, p50Ns: 1000, p90Ns: 5000, p99Ns: 9000 },
    put: nothingDone,
    meta: nothingDone,
    warm: false,
    cpu: { user: 0.25, system: 0.125, iowait: 0 },
  }))
}

const nothingDone = { ops: 0, bytes: 0, meanNs: 0, p50Ns: 0, p90Ns: 0, p99Ns: 0 }

/** One op with these latencies, on objects of 4 KiB. */
export function statsOf(op: OpStats['op'], latenciesNs: readonly number[], errors = 0): OpStats {
  const counts = new Float64Array(HISTOGRAM_LENGTH)
  for (const ns of latenciesNs) counts[histogramIndex(ns)] = (counts[histogramIndex(ns)] ?? 0) + 1
  return {
    op,
    bucket: '1B-8KiB',
    bucketIndex: 1,
    count: latenciesNs.length,
    bytes: latenciesNs.length * 4096,
    errors,
    totalNs: latenciesNs.reduce((sum, ns) => sum + ns, 0),
    histogram: encodeHistogram(counts),
  }
}
