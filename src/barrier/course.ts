/** This peer's way through its plan: bound by accepting a start, on by decisions, to an end. */

import { assert } from './assert.ts'
import type { Decision, Exclusion, ReleaseDecision, StageReport, StartDecision } from './decisions.ts'
import { loseLeader, measureClock, scheduleElection } from './following.ts'
import type { Input, PlanStatus } from './interface.ts'
import { isNamed } from './invariants.ts'
import { limits } from './limits.ts'
import { announcedStart, samePlan, silenceMs, stageAt } from './membership.ts'
import { bestSample } from './offset.ts'
import type { Member, PeerId } from './plans.ts'
import type { HeldReport, PlanState } from './state.ts'
import type { Step } from './step.ts'

/** idle -> bound: was proposed (or learned) the start of a plan. */
export function bind(step: Step, start: StartDecision): PlanState {
  const { state, now } = step
  assert(state.plan === null, 'a peer takes part in one plan at a time')
  assert(isNamed(start.members, state.self), 'only a named peer takes part, in the incarnation that was named')
  const plan: PlanState = {
    ref: start.plan,
    spec: start.spec,
    roster: start.members,
    decisions: [],
    openSequence: 0,
    members: start.members,
    accepted: null,
    known: null,
    arming: null,
    position: 0,
    running: false,
    reports: new Map(),
    reportedAt: new Map(),
    catchup: null,
    announcedStart: null,
    waitingSince: now,
    unilateral: false,
    abortReason: null,
    gone: new Set(),
    refusals: new Map(),
    digest: null,
  }
  const silence = silenceMs(state)
  state.plan = plan
  // Questions of the plan before are nobody's concern any more.
  for (const peer of state.peers.values()) peer.query = null
  state.asked.clear()
  keepPace(step, silence)
  state.joinedPlans.set(plan.ref.uid, false)
  for (const uid of state.joinedPlans.keys()) {
    if (state.joinedPlans.size <= limits.joinedPlansMax) break
    state.joinedPlans.delete(uid)
  }
  state.campaign = null
  measureClock(state, now)
  return plan
}

/**
 * A sequence may ask for quicker heartbeats than the one before: the leader is not silent only because it was asked
 * slowly until now.
 */
function keepPace(step: Step, silenceBeforeMs: number): void {
  const { state, now } = step
  if (silenceMs(state) >= silenceBeforeMs) return
  if (state.leader !== null) state.leaderHeardAt = Math.max(state.leaderHeardAt, now)
  state.pingAt = Math.min(state.pingAt, now)
  for (const peer of state.peers.values()) if (peer.connected) peer.lastHeardAt = Math.max(peer.lastHeardAt, now)
}

/** open -> decided: records the value of the open sequence and acts on it. `startAt`: announced instead of its own. */
export function applyDecision(step: Step, decision: Decision, startAt: number | null = null): void {
  const { state, now } = step
  const { plan } = state
  assert(plan !== null && samePlan(plan.ref, decision.plan), 'only decisions of the own plan are applied')
  assert(decision.sequence === plan.openSequence, 'sequences are decided in order')
  const silence = silenceMs(state)
  plan.decisions.push(decision)
  plan.openSequence += 1
  plan.accepted = null
  plan.known = null
  plan.arming = null
  plan.announcedStart = startAt
  if (plan.catchup !== null) plan.catchup = plan.openSequence < plan.catchup.until ? { ...plan.catchup, at: now } : null
  if (decision.kind !== 'abort') plan.members = decision.members
  // Starts that are given up take no number away: the first plan that begins is plan 1.
  if (decision.kind === 'start') state.planMax = Math.max(state.planMax, plan.ref.number)
  keepPace(step, silence)
  dropCarried(plan, decision)
  resetLead(step)
  if (decision.kind === 'start') step.emit({ type: 'plan_started', decision, plan: plan.ref })
  // An aborted start was never shown to anybody, so neither is its abort.
  if (decision.sequence > 0 || decision.kind === 'start') {
    const waited = !plan.running && decision.sequence === plan.position ? now - plan.waitingSince : 0
    step.emit({ type: 'decided', decision, unilateral: false, waitedMs: waited })
  }
  if (decision.kind === 'abort') finish(step, 'aborted', decision.reason)
  else if (!isNamed(decision.members, state.self)) {
    const over = decision.sequence >= plan.spec.stages.length
    if (state.lead !== null && !over) state.lead.heir = decision.members[0]?.peer ?? null
    finish(step, 'excluded', exclusionText(step, decision))
  } else {
    leaveExcludedLeader(step, decision.members)
    goOn(step)
  }
}

/** A leader that is no member any more hands over; should its heir miss that, another member stands. */
function leaveExcludedLeader(step: Step, members: readonly Member[]): void {
  const { state } = step
  const { leader, plan } = state
  if (leader === null || state.lead !== null || plan === null || plan.openSequence > plan.spec.stages.length) return
  if (members.some(({ peer }) => peer === leader.peer)) return
  loseLeader(step, 'excluded from the plan')
  scheduleElection(step, limits.candidateGraceMs)
}

/** The own stage is done: wait, or pass where the barrier was released already. False when it was not expected. */
export function finishStage(step: Step, input: Extract<Input, { type: 'ready' }>): boolean {
  const { state, now } = step
  const { plan } = state
  if (plan === null || !samePlan(plan.ref, input.plan)) return false
  if (!plan.running || plan.position !== input.sequence) return false
  plan.running = false
  plan.waitingSince = now
  const held = { status: input.status, payload: input.payload, readyAt: now }
  reportsOf(plan, input.sequence).set(state.self.peer, held)
  if (plan.decisions[input.sequence] === undefined) {
    step.emit({ type: 'waiting', plan: plan.ref, sequence: input.sequence })
  }
  goOn(step)
  return true
}

/** Goes on alone (best_effort without a quorum). It binds nobody else, and all that follows is marked with it. */
export function releaseAlone(step: Step): void {
  const { state, now } = step
  const { plan } = state
  assert(plan !== null && !plan.running, 'only a waiting peer releases itself')
  const stage = stageAt(plan, plan.position)
  assert(stage?.barrier.policy === 'best_effort', 'only best_effort is released without the others')
  const excluded: Exclusion[] = []
  for (const { peer, name } of plan.members) {
    if (peer !== state.self.peer) excluded.push({ peer, name, reason: 'dead' })
  }
  plan.unilateral = true
  plan.accepted = null
  if (state.lead !== null) resetLead(step)
  const decision: ReleaseDecision = {
    kind: 'release',
    plan: plan.ref,
    sequence: plan.position,
    ballot: { term: state.promised.term, peer: state.self.peer },
    leader: state.self.name,
    policy: 'best_effort',
    members: [state.self],
    ready: [state.self.peer],
    excluded,
    reports: heldReports(plan, plan.position),
    waitedMs: now - plan.waitingSince,
    startAt: now,
  }
  dropCarried(plan, decision)
  step.emit({ type: 'decided', decision, unilateral: true, waitedMs: now - plan.waitingSince })
  startNext(step, plan, now, 0)
}

/** bound -> idle. */
export function finish(step: Step, status: PlanStatus, reason: string): void {
  const { state } = step
  const { plan } = state
  assert(plan !== null, 'only a bound peer can end its plan')
  if (plan.running) {
    step.emit({ type: 'cancel_stage', plan: plan.ref, sequence: plan.position, reason })
    plan.running = false
  }
  const shown = plan.decisions[0]?.kind === 'start'
  if (shown) {
    const reports = heldReports(plan, Math.max(plan.openSequence, plan.position))
    step.emit({ type: 'plan_finished', plan: plan.ref, status, reason, unilateral: plan.unilateral, reports })
  } else step.emit({ type: 'plan_withdrawn', plan: plan.ref })
  archive(step, plan, shown ? status : 'aborted')
  state.plan = null
  // They are free again as far as this peer knows; who is not refuses the next start.
  for (const peer of state.peers.values()) if (samePlan(peer.plan, plan.ref)) peer.plan = null
  if (state.lead !== null) resetLead(step)
}

/** Keeps the last plans for those who were away; starts that were given up, however many, push out no plan. */
function archive({ state }: Step, plan: PlanState, status: PlanStatus): void {
  const { ref, spec, roster, decisions } = plan
  state.archive.push({ ref, submission: spec.submission, roster, decisions, status })
  const began = (one: { readonly decisions: readonly Decision[] }) => one.decisions[0]?.kind === 'start'
  const alike = state.archive.filter((one) => began(one) === began(plan))
  if (alike.length > limits.archivedPlansMax) state.archive = state.archive.filter((one) => one !== alike[0])
}

export function reportsOf(plan: PlanState, sequence: number): Map<PeerId, HeldReport> {
  const known = plan.reports.get(sequence)
  if (known !== undefined) return known
  const fresh = new Map<PeerId, HeldReport>()
  plan.reports.set(sequence, fresh)
  return fresh
}

/** Reports that a decision on `sequence` carries: its own stage's, and late ones of stages before. */
export function heldReports(plan: PlanState, sequence: number): StageReport[] {
  const list: StageReport[] = []
  for (const [about, reports] of plan.reports) {
    if (about > sequence) continue
    for (const [peer, { status, payload }] of reports) {
      const name = plan.roster.find((member) => member.peer === peer)?.name ?? peer
      list.push({ peer, name, sequence: about, status, payload })
    }
  }
  return list.sort((a, b) => a.sequence - b.sequence || (a.name < b.name ? -1 : 1))
}

/** Starts the next stage, or ends the plan, where the barrier of the finished one was released. */
function goOn(step: Step): void {
  const { state, now } = step
  const { plan } = state
  if (plan === null || plan.running) return
  if (plan.unilateral) {
    if (stageAt(plan, plan.position)?.barrier.policy === 'best_effort') releaseAlone(step)
    return
  }
  const decision = plan.decisions[plan.position]
  if (decision === undefined || decision.kind === 'abort') return
  // A clock that was never measured is taken for a good one. None is trusted: one that jumped delays nobody by more
  // than a start is ever announced ahead.
  const offset = offsetTo(step, decision.ballot.peer) ?? 0
  const startAt = announcedStart(plan, plan.position) ?? decision.startAt
  startNext(step, plan, Math.min(startAt - offset, now + limits.startLeadMaxMs), offset)
}

function startNext(step: Step, plan: PlanState, startAt: number, offsetMs: number): void {
  if (plan.position >= plan.spec.stages.length) {
    finish(step, 'completed', '')
    return
  }
  plan.position += 1
  plan.running = true
  const members = plan.unilateral ? [step.state.self] : (plan.decisions[plan.position - 1]?.members ?? plan.members)
  step.emit({ type: 'run_stage', plan: plan.ref, sequence: plan.position, startAt, offsetMs, members })
}

/** The other peer's clock minus the own one; null when never measured. */
export function offsetTo(step: Step, peer: string): number | null {
  if (peer === step.state.self.peer) return 0
  const samples = step.state.peers.get(peer)?.offsets ?? []
  return bestSample(samples)?.offsetMs ?? null
}

function resetLead(step: Step): void {
  const { lead } = step.state
  if (lead === null) return
  lead.proposal = null
  lead.recall = null
  lead.accepts = new Set()
  lead.recheckAt = null
  lead.digestAt = null
}

function dropCarried(plan: PlanState, decision: Decision): void {
  if (decision.kind === 'start') return
  for (const report of decision.reports) {
    const held = plan.reports.get(report.sequence)
    held?.delete(report.peer)
    if (held?.size === 0) plan.reports.delete(report.sequence)
  }
}

function exclusionText(step: Step, decision: Exclude<Decision, { kind: 'abort' }>): string {
  const own =
    decision.kind === 'release' ? decision.excluded.find(({ peer }) => peer === step.state.self.peer) : undefined
  return `excluded at sequence ${decision.sequence}${own === undefined ? '' : ` as ${own.reason}`} by ${decision.leader}`
}
