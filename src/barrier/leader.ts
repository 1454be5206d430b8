/** What a leader does: gathers peers for a plan, weighs readiness, proposes, keeps members informed. */

import { beginArming } from './accepting.ts'
import { assert } from './assert.ts'
import { sameBallot } from './ballot.ts'
import {
  askMissingPromises,
  askPromises,
  carriedOver,
  decideIfChosen,
  hasPromises,
  needsEverybody,
  propose,
  tickProposal,
} from './consensus.ts'
import { bind, heldReports } from './course.ts'
import type { Accepted, Decision, Exclusion, StageReport, StartDecision } from './decisions.ts'
import { callVote } from './election.ts'
import { scheduleElection, stepDown } from './following.ts'
import { limits } from './limits.ts'
import { heartbeatSpec, nameOf, openPlan, stageAt } from './membership.ts'
import type { ReadinessDigest } from './messages.ts'
import { bestKnownClock } from './offset.ts'
import type { Member, PeerId, StageSpec } from './plans.ts'
import { firstReady, judge, majorityOf, type Standing } from './policy.ts'
import { recall, valueAt } from './recall.ts'
import type { Gathering, LeaderState, PlanState } from './state.ts'
import type { Step } from './step.ts'
import { closeGathering, wantedPeers } from './submission.ts'

/** Does what can be done now. True when something changed and another look is worth it. */
export function advance(step: Step): boolean {
  const { state } = step
  const { lead } = state
  if (lead === null) return false
  const plan = openPlan(state)
  if (plan === null) return state.plan === null && startPlan(step, lead)
  if (!quorumReachable(step, plan)) {
    stepDown(step, 'less than a majority of the members is reachable')
    scheduleElection(step, limits.campaignRetryMs)
    return false
  }
  if (lead.proposal !== null) return decideIfChosen(step) ? opened(step) : giveUpStart(step, plan, lead)
  if (!hasPromises(plan, lead)) return false
  const ballot = carriedOver(plan, lead)
  const value = ballot === null ? null : valueAt(plan, ballot)
  // Nobody gives the value of that ballot: who promises a new one says whether there is any.
  if (ballot !== null && value === null) return recall(step, plan, lead, ballot) ? false : callVote(step)
  const carried = ballot === null || value === null ? null : { ballot, decision: value }
  const decision = nextDecision(step, plan, lead, carried)
  if (decision === null) return false
  propose(step, decision, carried?.decision === decision ? carried.ballot : null)
  return true
}

/** Heartbeat, repetition of what may be lost, coalesced digest. */
export function tickLeader(step: Step): void {
  const { state, now } = step
  const { lead } = state
  if (lead === null) return
  if (now >= lead.heartbeatAt) {
    lead.heartbeatAt = now + heartbeatSpec(state).heartbeatIntervalMs
    if (now - lead.proposedAt > limits.digestDelayMs || lead.proposal === null) askPromises(step)
    sendHeartbeat(step, lead)
  } else if (lead.digestAt !== null && now >= lead.digestAt) sendHeartbeat(step, lead)
  tickProposal(step)
}

export function leaderWakeAt(step: Step): number | null {
  const { lead } = step.state
  if (lead === null) return null
  let wakeAt = lead.heartbeatAt
  const repeatAt = lead.proposal === null ? null : lead.repeatAt
  const recallAt = lead.recall?.until ?? null
  for (const at of [lead.digestAt, lead.recheckAt, repeatAt, recallAt, lead.gathering?.deadlineAt ?? null]) {
    if (at !== null && at < wakeAt) wakeAt = at
  }
  return wakeAt
}

/** Readiness changed: tell it soon, together with what else changes. */
export function digestSoon(step: Step): void {
  const { lead } = step.state
  if (lead !== null) lead.digestAt ??= step.now + limits.digestDelayMs
}

/** To peers that must know at once who leads: all members after an election, a newcomer. */
export function greet(step: Step, to: Iterable<PeerId>): void {
  const { state } = step
  const { lead, planMax } = state
  if (lead === null) return
  const plan = openPlan(state)
  const sequence = plan?.openSequence ?? 0
  const measured = [...state.peers.values()].map(({ member: { peer }, offsets }) => ({ peer, offsets }))
  const clock = bestKnownClock(measured, step.now)
  const { ballot } = lead
  step.sendEach(to, { type: 'heartbeat', ballot, plan: plan?.ref ?? null, sequence, planMax, digest: null, clock })
}

function sendHeartbeat(step: Step, lead: LeaderState): void {
  const { state } = step
  const plan = openPlan(state)
  const digest = plan === null || plan.openSequence === 0 ? null : readinessDigest(step, plan, lead)
  lead.digestAt = null
  if (digest !== null && plan !== null) {
    plan.digest = { ballot: lead.ballot, digest }
    step.emit({ type: 'progress', digest })
  }
  const sequence = plan?.openSequence ?? 0
  const { planMax } = state
  const { ballot } = lead
  step.broadcast({ type: 'heartbeat', ballot, plan: plan?.ref ?? null, sequence, planMax, digest, clock: null })
}

function readinessDigest(step: Step, plan: PlanState, lead: LeaderState): ReadinessDigest {
  lead.digestSequence += 1
  const standings = standingsOf(step, plan)
  const inState = (...states: Standing['state'][]) =>
    standings.filter((member) => states.includes(member.state)).map((member) => member.peer)
  return {
    plan: plan.ref,
    sequence: plan.openSequence,
    digestSequence: lead.digestSequence,
    ready: inState('ready'),
    failed: inState('failed'),
    waiting: inState('waiting'),
    dead: inState('dead', 'left'),
  }
}

function opened(step: Step): true {
  askMissingPromises(step)
  return true
}

/** The value for the open sequence: what may have been chosen already, else what the policy says; null: nothing yet. */
function nextDecision(step: Step, plan: PlanState, lead: LeaderState, carried: Accepted | null): Decision | null {
  if (plan.openSequence === 0) {
    if (carried !== null && !startIsFree(plan, lead, carried.ballot, carried.decision)) return carried.decision
    return abort(step, plan, lead, startAbortReason(step, plan), [])
  }
  if (carried !== null) return carried.decision
  if (plan.abortReason !== null) return abort(step, plan, lead, plan.abortReason, [])
  const stage = stageAt(plan, plan.openSequence)
  assert(stage !== undefined, 'an open sequence has a stage')
  return judgeStage(step, plan, lead, stage)
}

function judgeStage(step: Step, plan: PlanState, lead: LeaderState, stage: StageSpec): Decision | null {
  const { now, state } = step
  const standings = standingsOf(step, plan)
  const verdict = judge(stage.barrier, standings, now)
  lead.recheckAt = verdict.kind === 'pending' ? verdict.recheckAt : null
  if (verdict.kind === 'pending') return null
  if (verdict.kind === 'abort') return abort(step, plan, lead, verdict.reason, verdict.excluded)
  const reports = heldReports(plan, plan.openSequence)
  if (fitting(reports).length < reports.length) return abort(step, plan, lead, tooLarge(stage, reports), [])
  return {
    kind: 'release',
    plan: plan.ref,
    sequence: plan.openSequence,
    ballot: lead.ballot,
    leader: state.self.name,
    policy: stage.barrier.policy,
    members: membersOf(plan, verdict.stay),
    ready: verdict.ready,
    excluded: verdict.excluded,
    reports,
    waitedMs: Math.max(0, now - (firstReady(standings) ?? now)),
    startAt: now + startLeadMs(step, lead),
  }
}

function membersOf(plan: PlanState, peers: readonly string[]): Member[] {
  const stay = new Set(peers)
  return plan.members.filter(({ peer }) => stay.has(peer))
}

function abort(
  step: Step,
  plan: PlanState,
  lead: LeaderState,
  reason: string,
  excluded: readonly Exclusion[],
): Decision {
  return {
    kind: 'abort',
    plan: plan.ref,
    sequence: plan.openSequence,
    ballot: lead.ballot,
    leader: step.state.self.name,
    policy: stageAt(plan, Math.max(1, plan.openSequence))?.barrier.policy ?? 'all_or_nothing',
    members: plan.members,
    reason,
    excluded,
    reports: fitting(heldReports(plan, plan.openSequence)),
  }
}

/** As many of them as one decision can carry. */
function fitting(reports: readonly StageReport[]): readonly StageReport[] {
  let left = limits.reportsCharsMax
  return reports.filter(({ payload }) => {
    const fits = payload.length <= left
    if (fits) left -= payload.length
    return fits
  })
}

function tooLarge({ name }: StageSpec, reports: readonly StageReport[]): string {
  const chars = reports.reduce((sum, { payload }) => sum + payload.length, 0)
  return `the results of stage ${name} together have ${chars} characters, more than ${limits.reportsCharsMax}: use fewer agents or a shorter stage`
}

function standingsOf(step: Step, plan: PlanState): Standing[] {
  const { state } = step
  const stage = stageAt(plan, plan.openSequence)
  return plan.members.map(({ peer, name, incarnation }) => {
    const known = state.peers.get(peer)
    const report = plan.reports.get(plan.openSequence)?.get(peer)
    const readyAt = report?.readyAt ?? null
    const here = peer === state.self.peer
    if (!here && (known?.verdict === 'left' || plan.gone.has(peer))) return { peer, name, state: 'left', readyAt }
    const died = known === undefined || known.verdict === 'dead' || known.member.incarnation !== incarnation
    if (!here && died) return { peer, name, state: 'dead', readyAt }
    if (report === undefined) return { peer, name, state: 'waiting', readyAt }
    const failed = report.status === 'failed' && stage?.optional !== true
    return { peer, name, state: failed ? 'failed' : 'ready', readyAt }
  })
}

/**
 * The start was surely not chosen: it was only ever proposed at its own ballot, where it needs everybody, and somebody
 * has promised not to accept it any more. That may be the leader that made it, which accepts last.
 */
function startIsFree(plan: PlanState, lead: LeaderState, ballot: Decision['ballot'], decision: Decision): boolean {
  if (decision.kind !== 'start' || !sameBallot(ballot, decision.ballot)) return false
  if (sameBallot(lead.ballot, decision.ballot)) return false
  return plan.members.some(({ peer }) => plan.refusals.has(peer) || lead.promises.get(peer) === null)
}

/** A start that somebody refuses, or that somebody did not live to accept, is given up by a new ballot. */
function giveUpStart(step: Step, plan: PlanState, lead: LeaderState): boolean {
  if (lead.proposal === null || !needsEverybody(lead, lead.proposal)) return false
  const lost = plan.members.some(({ peer }) => {
    const known = step.state.peers.get(peer)
    return plan.refusals.has(peer) || plan.gone.has(peer) || known?.verdict === 'dead' || known?.verdict === 'left'
  })
  const late = lead.gathering !== null && step.now >= lead.gathering.deadlineAt
  if (!lost && !late && plan.abortReason === null) return false
  return callVote(step)
}

function startAbortReason(step: Step, plan: PlanState): string {
  if (plan.abortReason !== null) return plan.abortReason
  const refusals = [...plan.refusals].map(([peer, reason]) => `${nameOf(step.state, peer)}: ${reason}`)
  return refusals.length > 0 ? refusals.join(', ') : 'not every wanted peer took part'
}

/** Leader and idle: proposes the start as soon as those wanted by the submission are there. */
function startPlan(step: Step, lead: LeaderState): boolean {
  const { state, now } = step
  const { gathering } = lead
  if (gathering === null || state.leaving !== null) return false
  const wanted = wantedPeers(step, lead, gathering)
  if (wanted.kind === 'missing') {
    if (now >= gathering.deadlineAt) closeGathering(step, lead, { status: 'refused', detail: wanted.detail() })
    return false
  }
  if (!wanted.members.some((member) => member.peer === state.self.peer)) {
    const heir = wanted.members[0]
    assert(heir !== undefined, 'a roster names somebody')
    step.send(heir.peer, { type: 'handover', ballot: lead.ballot })
    stepDown(step, `${heir.name} takes part in the plan and leads it`)
    scheduleElection(step, limits.candidateGraceMs)
    return false
  }
  const decision = startDecision(step, lead, gathering, wanted.members)
  beginArming(step, bind(step, decision), decision)
  propose(step, decision)
  return true
}

function startDecision(
  step: Step,
  lead: LeaderState,
  { spec, deadlineAt }: Gathering,
  members: readonly Member[],
): StartDecision {
  const { state, now } = step
  const number = state.planMax + 1
  state.startsMade += 1
  // With the incarnation: a restarted peer may be elected for a term a second time.
  const uid = `${number}/${lead.ballot.term}/${lead.ballot.peer}/${state.self.incarnation}/${state.startsMade}`
  return {
    kind: 'start',
    plan: { number, uid },
    sequence: 0,
    ballot: lead.ballot,
    leader: state.self.name,
    spec,
    members,
    // Members measure the leader's clock in peace. Getting ready for the plan may take longer: then it is announced anew.
    startAt: now + limits.startLeadMaxMs,
    // Of the time for wanted peers to come there is enough left to agree on the start.
    armMs: Math.min(limits.armMsMax, Math.max(0, deadlineAt - now) / 2),
  }
}

/** So far ahead that the slowest member has heard of it by then: its accept came back, the announcement goes out. */
function startLeadMs(step: Step, lead: LeaderState): number {
  const stageMs = step.now - Math.max(lead.proposedAt, lead.electedAt)
  const affordable = Math.min(limits.startLeadSharedMaxMs, stageMs * limits.startLeadShare)
  // A new leader does not know yet how long accepts take.
  const least = lead.proposedSequence < 0 ? limits.startLeadUnknownMs : limits.startLeadMinMs
  const needed = Math.max(least, limits.startLeadAccepts * step.state.acceptSpreadMs, affordable)
  return Math.min(limits.startLeadMaxMs, needed)
}

/** A leader that cannot reach a majority of the members must not be taken for one that works. */
function quorumReachable(step: Step, plan: PlanState): boolean {
  const { state } = step
  const reachable = plan.members.filter(({ peer, incarnation }) => {
    if (peer === state.self.peer) return true
    const known = state.peers.get(peer)
    return known?.verdict === 'alive' && known.member.incarnation === incarnation && !plan.gone.has(peer)
  })
  return reachable.length >= majorityOf(plan.members.length)
}
