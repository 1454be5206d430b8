/** The voter: whom it gives its pre-vote and its vote. A vote is the promise of phase 1, and says what was accepted. */

import { compareBallots, sameBallot } from './ballot.ts'
import { askDecisions, decisionsFor, refuse } from './catchup.ts'
import type { ReadyNote } from './decisions.ts'
import { led, loseLeader, promise, rejectBallot, sawTerm, stepDown } from './following.ts'
import { limits } from './limits.ts'
import { isMember, nameOf, openPlan, samePlan, showPlan } from './membership.ts'
import type { Message } from './messages.ts'
import type { Ballot, PeerId, PlanRef } from './plans.ts'
import type { AcceptedAt } from './state.ts'
import type { Step } from './step.ts'

type Of<T extends Message['type']> = Extract<Message, { type: T }>

export function onPrevote(step: Step, from: PeerId, message: Of<'prevote'>): void {
  const { state } = step
  const mayLead = compareBallots(message.ballot, state.promised) > 0 && !led(step) && !hasRival(step, message.ballot)
  const granted = voteIsForUs(step, from, message) && mayLead
  state.turnedDown = led(step) ? { from, message, until: step.now + limits.prevoteGraceMs } : null
  const { leader, promised } = state
  if (granted) makeWay(step, message.ballot)
  const known = message.plan === null ? 0 : decisionsFor(state, from, message.plan).length
  step.send(from, { type: 'prevote_reply', ballot: message.ballot, granted, leader, promised, known })
}

/** The leader is gone here too: who noticed it a moment earlier, and stands for election, is answered anew. */
export function answerAgain(step: Step): void {
  const { turnedDown } = step.state
  step.state.turnedDown = null
  if (turnedDown !== null && step.now < turnedDown.until) onPrevote(step, turnedDown.from, turnedDown.message)
}

/** Idle peers agree beforehand on the one of several candidates with the highest ballot: none is elected in vain. */
function hasRival({ state, now }: Step, ballot: Ballot): boolean {
  if (openPlan(state) !== null) return false
  const { campaign, favourite } = state
  if (campaign !== null && compareBallots(campaign.ballot, ballot) > 0) return true
  return favourite !== null && now < favourite.until && compareBallots(favourite.ballot, ballot) > 0
}

/** Its vote comes next: this peer should not get in its way. */
function makeWay(step: Step, ballot: Ballot): void {
  const { state, now } = step
  if (openPlan(state) === null) {
    state.favourite = { ballot, until: now + limits.idleGraceMs }
    if (state.campaign?.phase === 'prevote') state.campaign = null
    state.electionAt = now + graceMs(step)
  } else if (state.electionAt !== null) state.electionAt = Math.max(state.electionAt, now + limits.prevoteGraceMs)
}

/** Time for a candidate to win; should it die meanwhile, another one stands. */
function graceMs(step: Step): number {
  return (openPlan(step.state) === null ? limits.idleGraceMs : limits.candidateGraceMs) * (1 + step.dice)
}

export function onVote(step: Step, from: PeerId, message: Of<'vote'>): void {
  const { state } = step
  sawTerm(step, message.ballot)
  if (!voteIsForUs(step, from, message)) return
  if (compareBallots(message.ballot, state.promised) < 0) {
    rejectBallot(step, from, message.ballot, 'vote')
    return
  }
  const lead = state.leader
  if (!sameBallot(message.ballot, state.promised)) {
    if (state.lead !== null) stepDown(step, `${nameOf(state, from)} was elected`)
    else if (lead !== null) loseLeader(step, `${nameOf(state, from)} stands for election`)
    state.campaign = null
    promise(step, message.ballot)
    state.electionAt = step.now + graceMs(step)
  }
  step.send(from, { type: 'promise', ballot: message.ballot, ...ownPromiseMessage(step, message) })
}

/** The candidate stands for the same plan as this voter, and is not behind; who is behind is helped on. */
function voteIsForUs(step: Step, from: PeerId, message: Of<'prevote'> | Of<'vote'>): boolean {
  const { state } = step
  if (message.ballot.peer !== from) {
    step.reject('not_leader', from, message.type, from, message.ballot.peer)
    return false
  }
  const plan = openPlan(state)
  const mine = plan?.ref ?? null
  if (!samePlan(message.plan, mine)) {
    if (message.plan !== null && helpOn(step, from, message.plan, message)) return false
    // A plan never accepted here: from now on it never will be. Said to who asks for an election too: a leader that was
    // deposed before its start was accepted is bound to it until it hears so.
    if (message.plan !== null) {
      refuse(step, from, message.ballot, message.plan, 'takes no part in this plan')
    }
    step.reject(
      message.plan === null ? 'no_plan' : 'stale_plan',
      from,
      message.type,
      showPlan(mine),
      showPlan(message.plan),
    )
    return false
  }
  if (plan === null) return state.leaving === null
  if (!isMember(state, plan.members, from)) {
    helpOn(step, from, plan.ref, message)
    step.reject('not_member', from, message.type, `a member of sequence ${plan.openSequence}`, nameOf(state, from))
    return false
  }
  if (message.sequence < plan.openSequence) {
    helpOn(step, from, plan.ref, message)
    step.reject('stale_sequence', from, message.type, `${plan.openSequence}`, `${message.sequence}`)
    return false
  }
  // A candidate that is ahead gets the vote: nothing can have been accepted here for a sequence not yet open.
  if (message.sequence > plan.openSequence) {
    askDecisions(step, plan, from, message.sequence)
  }
  return true
}

/**
 * Says to a candidate that this peer has what it lacks. All voters do: each decision may be large, and the candidate asks
 * one of them.
 */
function helpOn(step: Step, from: PeerId, plan: PlanRef, message: Of<'prevote'> | Of<'vote'>): boolean {
  const { leader, promised } = step.state
  const known = decisionsFor(step.state, from, plan).length
  if (known <= message.sequence) return false
  // What a pre-vote asks is answered in any case.
  if (message.type === 'vote') {
    step.send(from, { type: 'prevote_reply', ballot: message.ballot, granted: false, leader, promised, known })
  }
  return true
}

export function ownAccepted(step: Step): AcceptedAt | null {
  const plan = openPlan(step.state)
  const accepted = plan?.accepted ?? null
  return plan === null || accepted === null ? null : { sequence: plan.openSequence, ballot: accepted.ballot }
}

/** A value may be large, and most have accepted the same: who lacks it asks one of them for it. */
function ownPromiseMessage(step: Step, { inFull }: Of<'vote'>): Omit<Of<'promise'>, 'type' | 'ballot'> {
  const { planMax } = step.state
  const plan = openPlan(step.state)
  const sequence = plan?.openSequence ?? 0
  const own = plan?.accepted ?? null
  const accepted = own === null || inFull ? own : { ballot: own.ballot, decision: null }
  return { plan: plan?.ref ?? null, sequence, accepted, ready: smallReady(step), planMax }
}

/** A large one would hold the vote up until others stand for election: whoever wins is told it then. */
function smallReady(step: Step): ReadyNote | null {
  const ready = ownReady(step)
  return ready !== null && ready.payload.length > limits.promisedReadyCharsMax ? null : ready
}

/** What this peer has to say at the open barrier, or null while it works. */
export function ownReady(step: Step): ReadyNote | null {
  const { state, now } = step
  const plan = openPlan(state)
  const report = plan?.reports.get(plan.openSequence)?.get(state.self.peer)
  if (plan === null || report === undefined) return null
  const { status, payload, readyAt } = report
  return { sequence: plan.openSequence, status, payload, waitedMs: Math.max(0, now - readyAt) }
}
