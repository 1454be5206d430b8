/** What a member does with what its leader proposes, and with what was decided. */

import { beginArming, takeProposal } from './accepting.ts'
import { compareBallots, sameBallot } from './ballot.ts'
import { askDecisions, awaitDecision, giveDecisions, refuse } from './catchup.ts'
import { applyDecision, bind } from './course.ts'
import type { StartDecision } from './decisions.ts'
import { follow, pingPeer, rejectBallot, stepDown } from './following.ts'
import { faultOf, isNamed } from './invariants.ts'
import { isMember, nameOf, openPlan, samePlan, showPlan } from './membership.ts'
import type { Message } from './messages.ts'
import type { Ballot, PeerId, PlanRef } from './plans.ts'
import { valueAt } from './recall.ts'
import type { PlanState } from './state.ts'
import type { Step } from './step.ts'

type Of<T extends Message['type']> = Extract<Message, { type: T }>

export function onPropose(step: Step, from: PeerId, message: Of<'propose'>): void {
  const { state } = step
  const { ballot, decision } = message
  if (ballot.peer !== from) {
    step.reject('not_leader', from, 'propose', from, ballot.peer)
    return
  }
  // What idle peers promised each other is no matter of a plan's.
  if (decision.kind !== 'start' && !samePlan(openPlan(state)?.ref ?? null, decision.plan)) {
    refuseUnbound(step, from, { type: 'propose', ballot, plan: decision.plan, sequence: decision.sequence })
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

/** The leader proposes what this peer has seen, or else must ask for. */
export function onRemind(step: Step, from: PeerId, message: Of<'remind'>): void {
  const { state } = step
  const { ballot, origin, plan: ref, sequence } = message
  if (ballot.peer !== from) {
    step.reject('not_leader', from, 'remind', from, ballot.peer)
    return
  }
  const plan = openPlan(state)
  if (plan === null || !samePlan(plan.ref, ref)) {
    if (state.joinedPlans.has(ref.uid) || state.refusedPlans.includes(ref.uid)) refuseUnbound(step, from, message)
    else step.send(from, { type: 'catchup', plan: ref, sequence: 0 })
    return
  }
  if (sequence < plan.openSequence) {
    pingPeer(step, from)
    step.reject('stale_sequence', from, 'remind', `${plan.openSequence}`, `${sequence}`)
    return
  }
  const value = sequence === plan.openSequence ? (valueAt(plan, ballot) ?? valueAt(plan, origin)) : null
  if (value !== null) onPropose(step, from, { type: 'propose', ballot, decision: value })
  else if (compareBallots(ballot, state.promised) < 0) rejectBallot(step, from, ballot, 'remind')
  else askDecisions(step, plan, from, sequence + 1)
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

/** A proposal for a plan that this peer is not part of: its leader should know. */
function refuseUnbound(step: Step, from: PeerId, proposal: Unbound): void {
  const { type, ballot, plan, sequence } = proposal
  const own = step.state.plan
  if (!giveDecisions(step, from, plan, sequence)) refuse(step, from, ballot, plan, 'takes no part in this plan')
  step.reject(own === null ? 'no_plan' : 'stale_plan', from, type, showPlan(own?.ref ?? null), showPlan(plan))
}

interface Unbound {
  readonly type: 'propose' | 'remind'
  readonly ballot: Ballot
  readonly plan: PlanRef
  readonly sequence: number
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
  const value = message.sequence === plan.openSequence ? valueAt(plan, message.ballot) : null
  if (value !== null) applyDecision(step, value, message.startAt)
  else if (message.sequence === plan.openSequence) awaitDecision(step, plan, message.sequence + 1)
  else askDecisions(step, plan, from, message.sequence + 1)
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

/** Told by one of its members: nobody else has decisions of it. */
function mayJoin(step: Step, from: PeerId, start: StartDecision): boolean {
  const isTold = start.members.some(({ peer }) => peer === from)
  return isTold && faultOf(start, start.members) === undefined && whyNot(step, start) === undefined
}
