/** summary.json: the figures of a plan, whose work they contain, and who is missing. */

import { z } from 'zod'
import type { PlanStatus } from '../../barrier/mod.ts'
import { type OpStats, type StageResult, summarize } from '../../io/mod.ts'
import { aboutSchema } from '../about.ts'
import { sumStage } from '../stage-result.ts'
import { byOp } from './by-op.ts'
import { mergedStats } from './merged.ts'
import { type AgentStage, figuredAgents, type PlanRecord, type StageRecord } from './record.ts'
import { startSpread } from './start-spread.ts'

const number = z.number()
const text = z.string().max(100_000)

const figures = z.strictObject({
  op: z.string().max(20),
  count: number,
  bytes: number,
  errors: number,
  opsPerSecond: number,
  mibPerSecond: number,
  meanUs: number,
  minUs: number,
  p50Us: number,
  p90Us: number,
  p95Us: number,
  p99Us: number,
  p999Us: number,
  maxUs: number,
})

/** Before the first operation that counts. */
const warmup = z.strictObject({ ops: number, bytes: number, errors: number })

/** What all lanes had done when the first, and when the last of them ended. */
const doneSchema = z.strictObject({ seconds: number, ops: number, bytes: number })

/** How the figures were taken. Absent in folders of older versions. */
const measured = {
  warmup: warmup.optional(),
  /** `intended_start`: rate-controlled, latencies contain the wait behind slow operations. */
  latencyFrom: z.enum(['start', 'intended_start']).optional(),
  /** Part of each latency, ns. */
  clockReadNs: number.optional(),
  lanes: number.optional(),
  /** Share of the lanes' time in operations, 0..1. */
  busyShare: number.optional(),
  laneOpsMin: number.optional(),
  laneOpsMax: number.optional(),
  /** Worst delay behind an intended start, ms. */
  lagMs: number.optional(),
  timedOut: number.optional(),
  stalledMs: number.optional(),
  firstDone: doneSchema.optional(),
  lastDone: doneSchema.optional(),
}

const agentFigures = z.strictObject({
  name: text,
  status: z.enum(['ok', 'failed']),
  reason: text,
  late: z.boolean(),
  /** Stopped in the middle of its work: figures until then. */
  partial: z.boolean().default(false),
  /** In its own clock, ms. */
  startedAt: number,
  endedAt: number,
  /** What to add for the clock of the leader whose decision started the stage, ms. */
  offsetMs: number.default(0),
  seconds: number,
  /** From the end of its own work to the start of the next stage, ms; no part of any figure; null where it has no end. */
  waitedMs: number.nullable().default(null),
  ops: z.array(figures),
  warnings: z.array(text),
  errors: z.array(z.strictObject({ message: text, count: number })),
  exitCode: number.nullable(),
  cpu: z.strictObject({ host: number.nullable(), process: number.nullable() }),
  /** What held complete figures back other than the storage. */
  limits: z.array(text).default([]),
  ...measured,
})

const stageSummary = z.strictObject({
  sequence: number,
  name: text,
  policy: z.enum(['all_or_nothing', 'majority', 'best_effort']),
  /** `degraded`: the figures do not contain the whole work of every member of the stage. */
  outcome: z.enum(['complete', 'degraded', 'failed', 'aborted']),
  unilateral: z.boolean(),
  leader: text,
  term: number,
  members: z.array(text),
  /** Whose whole work the figures contain. */
  counted: z.array(text),
  /** Whose work they contain as far as it came: stopped in the middle. */
  partial: z.array(text).default([]),
  missing: z.array(text),
  excluded: z.array(z.strictObject({ name: text, reason: text })),
  seconds: number,
  /** From the first ready to the proposal of the decision; no part of any figure, ms. */
  waitedMs: number,
  /** Between the first and the last start, by the leader's clock, late agents apart, ms; null for fewer than two. */
  startSpreadMs: number.nullable().default(null),
  ops: z.array(figures),
  agents: z.array(agentFigures),
  notes: z.array(text),
})

export const summarySchema = z.strictObject({
  format: z.literal(1),
  run: text,
  plan: number,
  hash: text,
  status: z.enum(['completed', 'aborted', 'quorum_lost', 'excluded', 'running']),
  reason: text,
  unilateral: z.boolean(),
  agents: z.array(text),
  stages: z.array(stageSummary),
  /** Stages that this peer saw nothing of: the plan ended before, or went on without it. */
  notReached: z.array(text).default([]),
  leaders: z.array(z.strictObject({ fromSequence: number, term: number, name: text })),
  /** What the agents run on, as far as they have reported. */
  machines: z.array(z.strictObject({ name: text, ...aboutSchema.shape })).default([]),
})

export type RunSummary = z.infer<typeof summarySchema>
export type StageSummary = z.infer<typeof stageSummary>
export type Figures = z.infer<typeof figures>

export function summaryOf(
  record: PlanRecord,
  runId: string,
  end: { readonly status: PlanStatus | 'running'; readonly reason: string; readonly unilateral: boolean },
): RunSummary {
  const { start } = record
  return {
    format: 1,
    run: runId,
    plan: start.plan.number,
    hash: start.spec.hash,
    status: end.status,
    reason: end.reason,
    unilateral: end.unilateral,
    agents: start.members.map(({ name }) => name),
    stages: record.stages.map(stageOf),
    notReached: start.spec.stages.map(({ name }) => name).slice(record.stages.at(-1)?.sequence ?? 0),
    leaders: leadersOf(record),
    machines: machinesOf(record),
  }
}

function figuresByOp(stats: readonly OpStats[], seconds: number): Figures[] {
  return byOp(stats).map((one) => ({ op: one.op, ...summarize(one, seconds) }))
}

/** Of the slowest agent: rates of all agents together must not be better than what the last one saw. */
export function secondsOf(agents: readonly AgentStage[]): number {
  return agents.reduce((longest, { result }) => Math.max(longest, result.seconds), 0)
}

const known = new WeakMap<StageRecord, { readonly version: number; readonly summary: StageSummary }>()

/** Percentiles are costly, and a stage rarely changes once it was decided about: the last summary is kept. */
function stageOf(stage: StageRecord): StageSummary {
  const kept = known.get(stage)
  if (kept?.version === stage.version) return kept.summary
  const summary = summarizeStage(stage)
  known.set(stage, { version: stage.version, summary })
  return summary
}

function summarizeStage(stage: StageRecord): StageSummary {
  const { agents, decision } = stage
  const figured = figuredAgents(stage)
  const counted = figured.filter((one) => !one.partial).map(({ agent }) => agent)
  const partial = figured.filter((one) => one.partial).map(({ agent }) => agent)
  const missing = stage.members.filter((name) => !counted.includes(name) && !partial.includes(name))
  const excluded = (decision?.excluded ?? []).map(({ name, reason }) => ({ name, reason }))
  const notes = notesOf(stage, figured, missing)
  const seconds = secondsOf(figured)
  return {
    sequence: stage.sequence,
    name: stage.name,
    policy: stage.policy,
    outcome: outcomeOf(stage, figured, missing.length + notes.length),
    unilateral: stage.unilateral,
    leader: decision?.leader ?? '',
    term: decision?.ballot.term ?? 0,
    members: [...stage.members],
    counted,
    partial,
    missing,
    excluded,
    seconds,
    waitedMs: decision?.kind === 'release' ? decision.waitedMs : 0,
    startSpreadMs: startSpread(beginnings(figured)),
    ops: figuresByOp(mergedStats(stage), seconds),
    agents: agents.map((agent) => agentOf(agent, decision?.kind === 'release' ? decision.startAt : null)),
    notes: [...notes, ...limitsOf(figured)],
  }
}

/** Who is late may have begun late too, because it was late already: it does not count. */
function beginnings(agents: readonly AgentStage[]): Parameters<typeof startSpread>[0] {
  return agents.filter(({ late }) => !late).map(({ result, offsetMs }) => ({ startedAt: result.startedAt, offsetMs }))
}

/** `releasedTo`: when the next stage starts, in the leader's clock. */
function agentOf(
  { agent, result, offsetMs, late, partial }: AgentStage,
  releasedTo: number | null,
): StageSummary['agents'][number] {
  return {
    name: agent,
    status: result.status,
    reason: result.reason,
    late,
    partial,
    startedAt: result.startedAt,
    endedAt: result.endedAt,
    offsetMs,
    seconds: result.seconds,
    waitedMs: releasedTo === null || late || partial ? null : Math.max(0, releasedTo - (result.endedAt + offsetMs)),
    ops: figuresByOp(result.stats, result.seconds),
    warnings: [...result.warnings],
    errors: result.errorSamples.map(({ message, count }) => ({ message, count })),
    exitCode: result.exitCode,
    cpu: { ...result.cpu },
    limits: [...result.limits],
    warmup: { ...result.warmup },
    ...measuredOf(result),
  }
}

function measuredOf(result: StageResult): Partial<StageSummary['agents'][number]> {
  const { ops, bytes } = sumStage(result)
  const { firstDone, ...measuring } = result.measuring
  return {
    ...measuring,
    firstDone: { seconds: result.firstLaneDoneSeconds, ...firstDone },
    lastDone: { seconds: result.lastLaneDoneSeconds, ops, bytes },
  }
}

/** One note for all agents that it is true of. */
function limitsOf(agents: readonly AgentStage[]): string[] {
  const names = new Map<string, string[]>()
  for (const { agent, result } of agents) {
    for (const limit of result.limits) names.set(limit, [...(names.get(limit) ?? []), agent])
  }
  return [...names].map(([limit, who]) => `${who.join(', ')}: ${limit}`)
}

function outcomeOf(stage: StageRecord, figured: readonly AgentStage[], faults: number): StageSummary['outcome'] {
  if (stage.decision?.kind === 'abort') return 'aborted'
  const whole = figured.filter(({ partial }) => !partial)
  const isFailed = whole.length > 0 && whole.every(({ result }) => result.status === 'failed')
  if (isFailed && !stage.optional) return 'failed'
  return faults > 0 ? 'degraded' : 'complete'
}

/** Everything that keeps the figures from being a plain success. */
function notesOf(stage: StageRecord, figured: readonly AgentStage[], missing: readonly string[]): string[] {
  const notes: string[] = []
  const { decision } = stage
  if (decision === null) notes.push('nothing was decided about this stage')
  if (stage.unilateral) notes.push('released by this peer alone, without a quorum: its own work only')
  // Who is named by an abort is in its reason.
  for (const { name, reason } of decision?.kind === 'release' ? decision.excluded : []) {
    notes.push(`${name} was excluded (${reason})`)
  }
  const late = lateOf(stage).filter((name) => missing.includes(name))
  const lost = missing.filter((name) => !late.includes(name))
  if (lost.length > 0) notes.push(`without the work of ${lost.join(', ')}`)
  if (late.length > 0) notes.push(`without the work of ${late.join(', ')}: late when the barrier was released`)
  const partial = figured.filter((one) => one.partial).map(({ agent }) => agent)
  if (partial.length > 0) notes.push(`partial: only what ${partial.join(', ')} had done when stopped at work`)
  for (const one of stage.agents) notes.push(...notesOfAgent(one, figured.includes(one)))
  for (const fault of stage.unreadable) notes.push(`the report of ${fault}`)
  if (decision?.kind === 'abort') notes.push(`aborted: ${decision.reason}`)
  return notes
}

/** Members that a barrier did not wait for any longer, and that stayed members; of the last one nobody hears more. */
function lateOf({ decision }: StageRecord): string[] {
  if (decision?.kind !== 'release' || decision.policy !== 'best_effort') return []
  const { members, ready } = decision
  return members.filter(({ peer }) => !ready.includes(peer)).map(({ name }) => name)
}

function notesOfAgent({ agent, result, late, partial }: AgentStage, figured: boolean): string[] {
  const notes = result.warnings.map((warning) => `${agent}: ${warning}`)
  if (result.status === 'failed' && !partial) notes.unshift(`${agent} failed: ${result.reason}`)
  const apart = figured ? '' : ': what it did is shown apart, in no sum'
  if (partial && !figured) notes.unshift(`${agent} was stopped at work${apart}`)
  if (late) notes.unshift(`${agent} finished after the barrier was released${apart}`)
  return notes
}

function leadersOf(record: PlanRecord): RunSummary['leaders'] {
  const leaders: RunSummary['leaders'] = []
  for (const { sequence, term, leader, unilateral } of record.lines) {
    const last = leaders.at(-1)
    if (unilateral || (last?.term === term && last.name === leader)) continue
    leaders.push({ fromSequence: sequence, term, name: leader })
  }
  return leaders
}

function machinesOf(record: PlanRecord): RunSummary['machines'] {
  return record.start.members.flatMap(({ name }) => {
    const reports = record.stages.flatMap(({ agents }) => agents.filter(({ agent }) => agent === name))
    return reports.slice(0, 1).map(({ about }) => ({ name, ...about }))
  })
}
