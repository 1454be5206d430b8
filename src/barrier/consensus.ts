/**
 * One single-decree consensus a sequence (Lamport 2001, "Paxos Made Simple"): promises of a majority of the sequence's
 * members, then accepts of a majority. Phase 1 is the election; a leader keeps its promises from sequence to sequence.
 */

import { accept } from './accepting.ts'
import { assert } from './assert.ts'
import { compareBallots, sameBallot, showBallot } from './ballot.ts'
import { giveDecisions, refuse } from './catchup.ts'
import { applyDecision, finish, offsetTo } from './course.ts'
import type { Decision } from './decisions.ts'
import { faultOf } from './invariants.ts'
import { limits } from './limits.ts'
import { hasMajority, heartbeatSpec, isMember, openPlan, samePlan } from './membership.ts'
import type { Message } from './messages.ts'
import type { Ballot, PeerId } from './plans.ts'
import { majorityOf } from './policy.ts'
import { hasAccepted } from './recall.ts'
import type { LeaderState, PlanState } from './state.ts'
import type { Step } from './step.ts'

type Of<T extends Message['type']> = Extract<Message, { type: T }>

/** A start needs everybody it names, as long as the leader that made it proposes it. */
export function needsEverybody(lead: LeaderState, decision: Decision): boolean {
  return decision.kind === 'start' && sameBallot(decision.ballot, lead.ballot)
}

/**
 * Leader: proposes the value of the open sequence, and accepts it itself: a start once it is armed, and its own new one only
 * when all others have, so that it knows of each start that it gave up that nobody will ever act on it. Those that have
 * accepted the same `carriedFrom` another ballot are only told so.
 */
export function propose(step: Step, decision: Decision, carriedFrom: Ballot | null = null): void {
  const { state, now } = step
  const { lead } = state
  const plan = openPlan(state)
  assert(lead !== null && plan !== null, 'only the leader of an open plan proposes')
  assert(lead.proposal === null, 'one proposal a sequence and ballot')
  assert(decision.sequence === plan.openSequence && samePlan(decision.plan, plan.ref), 'only the open sequence')
  const fault = faultOf(decision, plan.members)
  assert(fault === undefined, `policy holds: ${fault ?? ''}`)
  if (!needsEverybody(lead, decision)) assert(hasPromises(plan, lead), 'a majority of the members has promised')
  if (lead.proposedSequence > 0) learnAcceptSpread(step, lead)
  lead.proposal = decision
  lead.proposalOf = carriedFrom ?? lead.ballot
  lead.recall = null
  lead.recheckAt = null
  lead.proposedAt = now
  lead.proposedSequence = decision.sequence
  lead.slowestAcceptMs = 0
  lead.repeatMs = heartbeatSpec(state).heartbeatIntervalMs
  lead.repeatAt = now + lead.repeatMs
  lead.accepts = new Set()
  plan.known = { ballot: lead.ballot, decision }
  if (decision.kind !== 'start') acceptOwn(step, plan, lead, decision)
  const hold = (peer: PeerId) => carriedFrom !== null && hasAccepted(plan, lead, peer, carriedFrom)
  const lacking = plan.members.flatMap(({ peer }) => (hold(peer) ? [] : [peer]))
  step.sendEach(lacking, { type: 'propose', ballot: lead.ballot, decision })
  for (const { peer } of plan.members) if (hold(peer)) remind(step, peer)
}

/** Leader: once a quorum has accepted, the value is chosen. Announces and applies it. True when it was. */
export function decideIfChosen(step: Step): boolean {
  const { state } = step
  const { lead } = state
  const plan = openPlan(state)
  if (lead === null || plan === null || lead.proposal === null) return false
  const { proposal } = lead
  const members = plan.members.map((member) => member.peer)
  if (mayAcceptStart(step, plan, lead, proposal)) acceptOwn(step, plan, lead, proposal)
  const chosen = needsEverybody(lead, proposal)
    ? members.every((peer) => lead.accepts.has(peer))
    : hasMajority(members, lead.accepts)
  if (!chosen) return false
  const startAt = freshStart(step, lead, proposal)
  announce(step, plan, lead, proposal, startAt)
  for (const peer of lead.accepts) {
    if (!lead.promises.has(peer)) lead.promises.set(peer, null)
  }
  applyDecision(step, proposal, startAt)
  return true
}

/** Its own one last, and none before it is armed: who leads takes its time as others do. */
function mayAcceptStart({ state }: Step, plan: PlanState, lead: LeaderState, start: Decision): boolean {
  if (plan.arming !== null || lead.accepts.has(state.self.peer)) return false
  const others = plan.members.filter(({ peer }) => peer !== state.self.peer)
  return !needsEverybody(lead, start) || others.every(({ peer }) => lead.accepts.has(peer))
}

function acceptOwn(step: Step, plan: PlanState, lead: LeaderState, decision: Decision): void {
  lead.accepts.add(step.state.self.peer)
  accept(step, plan, { ballot: lead.ballot, decision })
}

export function hasPromises(plan: PlanState, lead: LeaderState): boolean {
  return hasMajority(
    plan.members.map((member) => member.peer),
    lead.promises,
  )
}

/** The highest ballot at which a value was accepted among the promises for the open sequence: it may have been chosen. */
export function carriedOver(plan: PlanState, lead: LeaderState): Ballot | null {
  let best: Ballot | null = null
  for (const accepted of lead.promises.values()) {
    if (accepted?.sequence !== plan.openSequence) continue
    if (best === null || compareBallots(accepted.ballot, best) > 0) best = accepted.ballot
  }
  return best
}

/** Leader: speaks again of the open proposal to those that have not accepted it, more and more rarely. */
export function tickProposal(step: Step): void {
  const { state, now } = step
  const { lead } = state
  const plan = openPlan(state)
  if (lead === null || plan === null || lead.proposal === null || now < lead.repeatAt) return
  lead.repeatMs = Math.min(2 * lead.repeatMs, limits.repeatIntervalsMax * heartbeatSpec(state).heartbeatIntervalMs)
  lead.repeatAt = now + lead.repeatMs
  for (const { peer } of plan.members) remind(step, peer)
}

/** Leader: a member that has not accepted the open proposal is told of it; it asks for the value, should it lack that. */
export function remind(step: Step, peer: PeerId): void {
  const { lead } = step.state
  const plan = openPlan(step.state)
  if (lead === null || plan === null || !isWanted(step, plan, lead, peer)) return
  const { ballot, proposalOf } = lead
  step.send(peer, { type: 'remind', ballot, plan: plan.ref, sequence: plan.openSequence, origin: proposalOf })
}

/** Leader: gives the open proposal to one that lacks it. */
function offerProposal(step: Step, peer: PeerId): void {
  const { lead } = step.state
  const plan = openPlan(step.state)
  if (lead === null || plan === null || lead.proposal === null || !isWanted(step, plan, lead, peer)) return
  step.send(peer, { type: 'propose', ballot: lead.ballot, decision: lead.proposal })
}

/** Its accept of the open proposal has not come. */
function isWanted({ state }: Step, plan: PlanState, lead: LeaderState, peer: PeerId): boolean {
  return lead.proposal !== null && isMember(state, plan.members, peer) && !lead.accepts.has(peer)
}

/** Leader: promises may lack for a sequence that has just opened, when those that gave theirs were excluded. */
export function askMissingPromises(step: Step): void {
  const { lead } = step.state
  const plan = openPlan(step.state)
  if (lead === null || plan === null || plan.openSequence === 0 || hasPromises(plan, lead)) return
  askPromises(step)
}

/** Leader: asks all members that have not promised. */
export function askPromises(step: Step): void {
  const { lead } = step.state
  const plan = openPlan(step.state)
  if (lead === null || plan === null) return
  for (const { peer } of plan.members) if (!lead.promises.has(peer)) askPromise(step, peer)
}

export function onAccept(step: Step, from: PeerId, message: Of<'accept'>): void {
  const { state, now } = step
  const { lead } = state
  if (lead === null || !sameBallot(lead.ballot, message.ballot)) {
    step.reject('stale_term', from, 'accept', showBallot(state.promised), showBallot(message.ballot))
    return
  }
  if (message.sequence === lead.proposedSequence)
    lead.slowestAcceptMs = Math.max(lead.slowestAcceptMs, now - lead.proposedAt)
  const plan = openPlan(state)
  if (plan === null || !samePlan(plan.ref, message.plan) || message.sequence !== plan.openSequence) return
  if (lead.proposal === null || !isMember(state, plan.members, from)) return
  lead.accepts.add(from)
}

export function onCatchup(step: Step, from: PeerId, message: Of<'catchup'>): void {
  const { state } = step
  const given = giveDecisions(step, from, message.plan, message.sequence)
  const plan = openPlan(state)
  // Busy with another plan, or done with this one: the asker should not wait for this peer.
  const elsewhere = plan !== null || state.joinedPlans.has(message.plan.uid)
  if (!given && elsewhere && !samePlan(state.plan?.ref ?? null, message.plan)) {
    refuse(step, from, state.promised, message.plan, 'takes no part in this plan')
  }
  // Who was behind could not accept: it gets the open proposal again.
  if (samePlan(plan?.ref ?? null, message.plan)) offerProposal(step, from)
}

export function onRefuse(step: Step, from: PeerId, message: Of<'refuse'>): void {
  const { state } = step
  const plan = openPlan(state)
  if (plan === null || !samePlan(plan.ref, message.plan) || !isMember(state, plan.members, from)) return
  state.planMax = Math.max(state.planMax, message.planMax)
  plan.gone.add(from)
  if (plan.openSequence > 0) return
  if (!message.accepted) plan.refusals.set(from, message.reason)
  // Nothing can be decided any more about a start that a majority has no part in.
  const left = plan.members.filter(({ peer }) => !plan.gone.has(peer))
  if (left.length < majorityOf(plan.members.length)) finish(step, 'aborted', message.reason)
}

/**
 * Leader: the start that a decision names has passed while members got ready for the plan, or their leader was missed, or
 * will before all have heard of it. The value must not change, and nothing safe rests on the time: it is announced anew.
 * All have measured the clock of the leader that made the decision, few that of another one.
 */
function freshStart(step: Step, lead: LeaderState, decision: Decision): number | null {
  const own = sameBallot(decision.ballot, lead.ballot)
  if (decision.kind === 'abort' || (own && decision.kind === 'release')) return null
  const offset = offsetTo(step, decision.ballot.peer)
  if (offset === null) return null
  const carriedMs = decision.kind === 'start' ? limits.startLeadMaxMs : limits.startLeadUnknownMs
  const leadMs = own ? limits.startLeadArmedMs : carriedMs
  const startAt = step.now + offset + leadMs
  return startAt > decision.startAt ? startAt : null
}

function announce(
  step: Step,
  plan: PlanState,
  lead: LeaderState,
  { sequence }: Decision,
  startAt: number | null,
): void {
  const message = { type: 'decided', ballot: lead.ballot, plan: plan.ref, sequence, startAt } as const
  step.sendEach(
    plan.members.map((member) => member.peer),
    message,
  )
  step.broadcast(message)
}

export function askPromise(step: Step, peer: PeerId): void {
  const { lead } = step.state
  const plan = openPlan(step.state)
  if (lead === null || plan === null) return
  step.send(peer, { type: 'vote', ballot: lead.ballot, plan: plan.ref, sequence: plan.openSequence, inFull: false })
}

/** A peak that fades: the slowest accept of late. Those of a start wait for more than the network. */
function learnAcceptSpread(step: Step, lead: LeaderState): void {
  const { state } = step
  const faded = 0.9 * state.acceptSpreadMs + 0.1 * lead.slowestAcceptMs
  state.acceptSpreadMs = Math.max(lead.slowestAcceptMs, faded)
}
