/**
 * One single-decree consensus a sequence (Lamport 2001, "Paxos Made Simple"): promises of a majority of the sequence's
 * members, then accepts of a majority. Phase 1 is the election; a leader keeps its promises from sequence to sequence.
 */

import { accept, beginArming, takeProposal } from './accepting.ts'
import { assert } from './assert.ts'
import { compareBallots, sameBallot, showBallot } from './ballot.ts'
import { askDecisions, giveDecisions, refuse } from './catchup.ts'
import { applyDecision, bind, finish, offsetTo } from './course.ts'
import { follow, pingPeer, rejectBallot, stepDown } from './following.ts'
import { faultOf, isNamed } from './invariants.ts'
import { limits } from './limits.ts'
import { hasMajority, heartbeatSpec, isMember, nameOf, openPlan, samePlan, showPlan } from './membership.ts'
import { majorityOf } from './policy.ts'
import type { LeaderState, PlanState } from './state.ts'
import type { Step } from './step.ts'
import type { Accepted, Decision, Message, PeerId, StartDecision } from './types.ts'

type Of<T extends Message['type']> = Extract<Message, { type: T }>

/** A start needs everybody it names, as long as the leader that made it proposes it. */
export function needsEverybody(lead: LeaderState, decision: Decision): boolean {
  return decision.kind === 'start' && sameBallot(decision.ballot, lead.ballot)
}

/**
 * Leader: proposes the value of the open sequence, and accepts it itself. Its own new start it accepts only when all
 * others have, and it is armed: so it knows of each start that it gave up that nobody will ever act on it.
 */
export function propose(step: Step, decision: Decision): void {
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
  lead.recheckAt = null
  lead.proposedAt = now
  lead.proposedSequence = decision.sequence
  lead.slowestAcceptMs = 0
  lead.repeatMs = heartbeatSpec(state).heartbeatIntervalMs
  lead.repeatAt = now + lead.repeatMs
  lead.accepts = new Set()
  if (!needsEverybody(lead, decision)) acceptOwn(step, plan, lead, decision)
  step.sendEach(
    plan.members.map((member) => member.peer),
    { type: 'propose', ballot: lead.ballot, decision },
  )
}

/** Leader: once a quorum has accepted, the value is chosen. Announces and applies it. True when it was. */
export function decideIfChosen(step: Step): boolean {
  const { state } = step
  const { lead } = state
  const plan = openPlan(state)
  if (lead === null || plan === null || lead.proposal === null) return false
  const { proposal } = lead
  const members = plan.members.map((member) => member.peer)
  const others = members.filter((peer) => peer !== state.self.peer)
  if (needsEverybody(lead, proposal) && plan.arming === null && others.every((peer) => lead.accepts.has(peer))) {
    acceptOwn(step, plan, lead, proposal)
  }
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

/** The value accepted with the highest ballot among the promises for the open sequence: it may have been chosen. */
export function carriedOver(plan: PlanState, lead: LeaderState): Accepted | null {
  let best: Accepted | null = null
  for (const accepted of lead.promises.values()) {
    if (accepted === null || accepted.decision.sequence !== plan.openSequence) continue
    if (!samePlan(accepted.decision.plan, plan.ref)) continue
    if (best === null || compareBallots(accepted.ballot, best.ballot) > 0) best = accepted
  }
  return best
}

/**
 * Leader: sends the open proposal again to those that have not accepted it, more and more rarely: it may be large, and
 * still be on its way.
 */
export function tickProposal(step: Step): void {
  const { state, now } = step
  const { lead } = state
  const plan = openPlan(state)
  if (lead === null || plan === null || lead.proposal === null || now < lead.repeatAt) return
  lead.repeatMs = Math.min(2 * lead.repeatMs, limits.repeatIntervalsMax * heartbeatSpec(state).heartbeatIntervalMs)
  lead.repeatAt = now + lead.repeatMs
  for (const { peer } of plan.members) offerProposal(step, peer)
}

/** Leader: a member that has not accepted the open proposal gets it; also one that has just been connected again. */
export function offerProposal(step: Step, peer: PeerId): void {
  const { state } = step
  const { lead } = state
  const plan = openPlan(state)
  if (lead === null || plan === null || lead.proposal === null) return
  if (!isMember(state, plan.members, peer) || lead.accepts.has(peer)) return
  step.send(peer, { type: 'propose', ballot: lead.ballot, decision: lead.proposal })
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

export function onPropose(step: Step, from: PeerId, message: Of<'propose'>): void {
  const { state } = step
  const { ballot, decision } = message
  if (ballot.peer !== from) {
    step.reject('not_leader', from, 'propose', from, ballot.peer)
    return
  }
  // What idle peers promised each other is no matter of a plan's.
  if (decision.kind !== 'start' && !samePlan(openPlan(state)?.ref ?? null, decision.plan)) {
    refuseUnbound(step, from, message)
    return
  }
  if (compareBallots(ballot, state.promised) < 0) {
    rejectBallot(step, from, ballot, 'propose')
    return
  }
  const plan = decision.kind === 'start' ? planForStart(step, from, ballot, decision) : openPlan(state)
  if (plan === null) return
  if (!samePlan(plan.ref, decision.plan)) {
    step.reject('stale_plan', from, 'propose', showPlan(plan.ref), showPlan(decision.plan))
    return
  }
  if (!isMember(state, plan.members, from)) {
    step.reject('not_member', from, 'propose', `a member of sequence ${plan.openSequence}`, nameOf(state, from))
    return
  }
  if (decision.sequence !== plan.openSequence) {
    if (decision.sequence < plan.openSequence) {
      // It may have been on its way twice, and be large: whoever made it asks one of all, should it lack the decision.
      pingPeer(step, from)
      step.reject('stale_sequence', from, 'propose', `${plan.openSequence}`, `${decision.sequence}`)
    } else askDecisions(step, plan, from, decision.sequence)
    return
  }
  const fault = faultOf(decision, plan.members)
  if (fault !== undefined) {
    step.reject('conflict', from, 'propose', 'a decision that the policy allows', fault)
    return
  }
  follow(step, ballot)
  takeProposal(step, plan, { ballot, decision })
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

export function onDecided(step: Step, from: PeerId, message: Of<'decided'>): void {
  const { state } = step
  if (message.ballot.peer !== from) {
    step.reject('not_leader', from, 'decided', from, message.ballot.peer)
    return
  }
  const plan = openPlan(state)
  // Gossip brings the decisions of plans that this peer takes no part in.
  if (plan === null || !samePlan(plan.ref, message.plan)) return
  if (message.sequence < plan.openSequence) {
    // Each decision comes twice, by gossip and directly: only older ones are worth a word.
    if (message.sequence < plan.openSequence - 1) {
      step.reject('stale_sequence', from, 'decided', `${plan.openSequence}`, `${message.sequence}`)
    }
    return
  }
  const { accepted } = plan
  if (message.sequence === plan.openSequence && accepted !== null && sameBallot(accepted.ballot, message.ballot)) {
    applyDecision(step, accepted.decision, message.startAt)
  } else askDecisions(step, plan, from, message.sequence + 1)
}

/** A decided value in full. */
export function onDecision(step: Step, from: PeerId, message: Of<'decision'>): void {
  const { state } = step
  const { decision } = message
  if (decision.kind === 'start' && state.plan === null && mayJoin(step, from, decision)) {
    // What idle peers promised says nothing about what they had accepted of this plan.
    if (state.lead !== null) stepDown(step, 'it takes part in a plan under way')
    bind(step, decision)
    state.joinedPlans.set(decision.plan.uid, true)
  }
  const plan = openPlan(state)
  if (plan === null || !samePlan(plan.ref, decision.plan)) {
    step.reject('stale_plan', from, 'decision', showPlan(state.plan?.ref ?? null), showPlan(decision.plan))
    return
  }
  if (!plan.roster.some((member) => member.peer === from)) {
    step.reject('not_member', from, 'decision', 'a peer of the roster', nameOf(state, from))
    return
  }
  if (decision.sequence < plan.openSequence) {
    const known = plan.decisions[decision.sequence]
    const same = known?.kind === decision.kind && sameBallot(known.ballot, decision.ballot)
    if (same) step.reject('duplicate', from, 'decision', `${plan.openSequence}`, `${decision.sequence}`)
    else
      step.reject('conflict', from, 'decision', 'the decision known here', `another of sequence ${decision.sequence}`)
    return
  }
  if (decision.sequence > plan.openSequence) {
    askDecisions(step, plan, from, decision.sequence)
    return
  }
  const fault = faultOf(decision, plan.members)
  if (fault !== undefined) step.reject('conflict', from, 'decision', 'a decision that the policy allows', fault)
  else applyDecision(step, decision, message.startAt)
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

/** The plan to accept `start` for: bound already, or bound now. Null after a refusal. */
function planForStart(
  step: Step,
  from: PeerId,
  ballot: Of<'propose'>['ballot'],
  start: StartDecision,
): PlanState | null {
  const { state } = step
  if (state.plan !== null && samePlan(state.plan.ref, start.plan)) return openPlan(state)
  // The plan before may be over, and only this peer has not heard of it yet: first things first.
  const before = openPlan(state)
  if (before !== null && isMember(state, before.members, from)) {
    askDecisions(step, before, from, before.openSequence + 1)
    return null
  }
  const reason = whyNot(step, start)
  if (reason === undefined && !isMember(state, start.members, from)) {
    step.reject('not_member', from, 'propose', 'a member of the plan', nameOf(state, from))
    return null
  }
  if (reason === undefined) {
    const plan = bind(step, start)
    beginArming(step, plan, start)
    return plan
  }
  giveDecisions(step, from, start.plan, 0)
  refuse(step, from, ballot, start.plan, reason)
  step.reject('stale_plan', from, 'propose', reason, showPlan(start.plan))
  return null
}

/** Why this peer will never take part in a plan, or undefined. */
function whyNot(step: Step, start: StartDecision): string | undefined {
  const { state } = step
  const { uid } = start.plan
  if (state.joinedPlans.has(uid) || state.refusedPlans.includes(uid))
    return `plan ${start.plan.number} is over for this peer`
  if (state.plan !== null) return `busy with plan ${state.plan.ref.number}`
  const last = state.archive.findLast(({ decisions }) => decisions[0]?.kind === 'start')
  if (last !== undefined && start.plan.number <= last.ref.number) return `plan ${last.ref.number} was before`
  if (state.leaving !== null) return 'leaving the run'
  if (!isNamed(start.members, state.self)) return 'restarted since it was named'
  return undefined
}

/** Told by one of its members: nobody else has decisions of it. */
function mayJoin(step: Step, from: PeerId, start: StartDecision): boolean {
  const isTold = start.members.some(({ peer }) => peer === from)
  return isTold && faultOf(start, start.members) === undefined && whyNot(step, start) === undefined
}

/** A proposal for a plan that this peer is not part of: its leader should know. */
function refuseUnbound(step: Step, from: PeerId, message: Of<'propose'>): void {
  const { plan, sequence } = message.decision
  const own = step.state.plan
  if (!giveDecisions(step, from, plan, sequence)) refuse(step, from, message.ballot, plan, 'takes no part in this plan')
  step.reject(own === null ? 'no_plan' : 'stale_plan', from, 'propose', showPlan(own?.ref ?? null), showPlan(plan))
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
  const accepted = plan.accepted?.ballot ?? null
  step.send(peer, { type: 'vote', ballot: lead.ballot, plan: plan.ref, sequence: plan.openSequence, accepted })
}

/** A peak that fades: the slowest accept of late. Those of a start wait for more than the network. */
function learnAcceptSpread(step: Step, lead: LeaderState): void {
  const { state } = step
  const faded = 0.9 * state.acceptSpreadMs + 0.1 * lead.slowestAcceptMs
  state.acceptSpreadMs = Math.max(lead.slowestAcceptMs, faded)
}
