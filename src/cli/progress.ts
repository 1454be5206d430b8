/** What `run` and `submit` know of a plan while it runs: a view that documents of a node change. Pure. */

import type { Decision, Leaderless, PlanStatus, ReadinessDigest } from '../barrier/mod.ts'
import type { StageProgress } from '../io/mod.ts'

export type AgentState = 'working' | 'ready' | 'failed' | 'dead' | 'excluded'

export interface AgentView {
  readonly peer: string
  readonly name: string
  readonly state: AgentState
  /** Figures of the stage that is running; null before the first report of it. */
  readonly progress: StageProgress | null
}

export interface StageView {
  readonly name: string
  readonly type: string
  /** Null where the plan does not tell. */
  readonly expectedSeconds: number | null
}

export interface PlanView {
  readonly runId: string
  /** 0 until the plan is accepted. */
  readonly plan: number
  readonly stages: readonly StageView[]
  /** Sequence that is open: 0 before the start, k while stage k runs, stages.length + 1 once all are released. */
  readonly sequence: number
  /** When it was opened, own clock, ms. */
  readonly openedAt: number
  readonly agents: readonly AgentView[]
  readonly leader: string
  readonly unilateral: boolean
  /** Of the peer that is followed, while it waits and has no leader. */
  readonly leaderless: Leaderless | null
  readonly end: { readonly status: PlanStatus; readonly reason: string } | null
}

export function newPlanView(runId: string, stages: readonly StageView[], now: number): PlanView {
  return {
    runId,
    plan: 0,
    stages,
    sequence: 0,
    openedAt: now,
    agents: [],
    leader: '',
    unilateral: false,
    leaderless: null,
    end: null,
  }
}

/** A start or a release opens the next sequence for the members that it names; an abort opens none. */
export function withDecision(view: PlanView, decision: Decision, unilateral: boolean, now: number): PlanView {
  if (decision.kind === 'abort') return withBlame({ ...view, leader: decision.leader }, decision)
  const excluded = decision.kind === 'start' ? [] : decision.excluded
  const members = new Set(decision.members.map((member) => member.peer))
  const known = new Map(view.agents.map((agent) => [agent.peer, agent]))
  const agents: AgentView[] = decision.members.map((member) => ({
    peer: member.peer,
    name: member.name,
    state: 'working',
    progress: null,
  }))
  for (const one of excluded) {
    known.delete(one.peer)
    agents.push({ peer: one.peer, name: one.name, state: one.reason === 'dead' ? 'dead' : 'excluded', progress: null })
  }
  for (const agent of known.values()) {
    if (!members.has(agent.peer)) agents.push({ ...agent, state: agent.state === 'dead' ? 'dead' : 'excluded' })
  }
  return {
    ...view,
    plan: decision.plan.number,
    sequence: decision.sequence + 1,
    openedAt: now,
    agents,
    leader: decision.leader,
    leaderless: null,
    unilateral: view.unilateral || unilateral,
  }
}

/** Of those who made the plan abort; stragglers are still at work. */
function withBlame(view: PlanView, { excluded }: Extract<Decision, { kind: 'abort' }>): PlanView {
  const states = { dead: 'dead', left: 'dead', failed: 'failed', straggler: 'working' } as const
  return {
    ...view,
    agents: view.agents.map((agent) => {
      const blamed = excluded.find(({ peer }) => peer === agent.peer)
      return blamed === undefined ? agent : { ...agent, state: states[blamed.reason] }
    }),
  }
}

/** A digest of another sequence than the open one is old, or too early to be shown. */
export function withDigest(view: PlanView, digest: ReadinessDigest): PlanView {
  if (digest.sequence !== view.sequence) return view
  const states = new Map<string, AgentState>()
  for (const peer of digest.waiting) states.set(peer, 'working')
  for (const peer of digest.ready) states.set(peer, 'ready')
  for (const peer of digest.failed) states.set(peer, 'failed')
  for (const peer of digest.dead) states.set(peer, 'dead')
  return {
    ...view,
    agents: view.agents.map((agent) => {
      const state = states.get(agent.peer)
      return state === undefined || agent.state === 'excluded' ? agent : { ...agent, state }
    }),
  }
}

export function withProgress(view: PlanView, peer: string, sequence: number, progress: StageProgress): PlanView {
  if (sequence !== view.sequence) return view
  return { ...view, agents: view.agents.map((agent) => (agent.peer === peer ? { ...agent, progress } : agent)) }
}

export function withLeader(view: PlanView, leader: string): PlanView {
  return { ...view, leader, leaderless: null }
}

export function withLeaderless(view: PlanView, leaderless: Leaderless | null): PlanView {
  return view.leaderless === null && leaderless === null ? view : { ...view, leaderless }
}

export function withEnd(view: PlanView, status: PlanStatus, reason: string, unilateral: boolean): PlanView {
  return { ...view, leaderless: null, end: { status, reason }, unilateral: view.unilateral || unilateral }
}

/** Sums over the agents of the open stage. */
export interface Totals {
  readonly ops: number
  readonly bytes: number
  readonly errors: number
  readonly opsPerSecond: number
  readonly bytesPerSecond: number
  /** Highest p99 of an agent over its last interval: percentiles cannot be added up. */
  readonly p99NsMax: number
  /** 0..1; null while nobody knows. */
  readonly done: number | null
  /** Seconds left; null while unknown. */
  readonly secondsLeft: number | null
}

export function totalsOf(view: PlanView, now: number): Totals {
  let [ops, bytes, errors, opsPerSecond, bytesPerSecond, p99NsMax, doneSum, doneCount] = [0, 0, 0, 0, 0, 0, 0, 0]
  for (const { progress, state } of view.agents) {
    if (progress === null) continue
    ops += progress.ops
    bytes += progress.bytes
    errors += progress.errors
    if (state === 'working') {
      opsPerSecond += progress.opsPerSecond
      bytesPerSecond += progress.bytesPerSecond
      p99NsMax = Math.max(p99NsMax, progress.p99Ns)
    }
    const done = state === 'ready' ? 1 : progress.done
    if (done !== null) {
      doneSum += done
      doneCount += 1
    }
  }
  const elapsed = (now - view.openedAt) / 1000
  const expected = view.stages[view.sequence - 1]?.expectedSeconds ?? null
  const byTime = expected === null || expected <= 0 ? null : Math.min(1, elapsed / expected)
  const done = doneCount > 0 ? Math.min(1, doneSum / doneCount) : byTime
  return {
    ops,
    bytes,
    errors,
    opsPerSecond,
    bytesPerSecond,
    p99NsMax,
    done,
    secondsLeft: left(expected, elapsed, done),
  }
}

/** Of the open stage: from its stated duration, else by rule of three once a twentieth is done. */
function left(expected: number | null, elapsed: number, done: number | null): number | null {
  if (expected !== null) return Math.max(0, expected - elapsed)
  return done !== null && done >= 0.05 ? (elapsed / done) * (1 - done) : null
}

export function namesIn(view: PlanView, state: AgentState): string[] {
  return view.agents.filter((agent) => agent.state === state).map((agent) => agent.name)
}
