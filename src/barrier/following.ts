/** Whom this peer follows, and what it has promised. */

import { assert } from './assert.ts'
import { compareBallots, sameBallot, showBallot } from './ballot.ts'
import { limits } from './limits.ts'
import { electorate, heartbeatSpec, nameOf, openPlan } from './membership.ts'
import type { Message } from './messages.ts'
import type { Ballot, PeerId } from './plans.ts'
import type { CoreState, PeerState } from './state.ts'
import type { Step } from './step.ts'

/**
 * Takes the sender of `ballot` as leader, except when it fell silent and has not answered since. False when the ballot
 * is older than the promise.
 */
export function follow(step: Step, ballot: Ballot): boolean {
  const { state, now } = step
  sawTerm(step, ballot)
  if (compareBallots(ballot, state.promised) < 0) return false
  if (state.leader !== null && sameBallot(state.leader, ballot)) return true
  if (state.silentLeader !== null && sameBallot(state.silentLeader, ballot)) return true
  if (state.lead !== null) stepDown(step, `${nameOf(state, ballot.peer)} leads`)
  if (state.leader !== null) loseLeader(step, `${nameOf(state, ballot.peer)} leads`)
  promise(step, ballot)
  state.campaign = null
  state.electionAt = null
  state.failedCampaigns = 0
  state.leader = ballot
  state.leaderHeardAt = now
  measureClock(state, now)
  step.emit({ type: 'leader_elected', ballot, name: nameOf(state, ballot.peer) })
  return true
}

/** The offset to the leader's clock is needed soon: a few pings at once, from which the quickest counts. */
export function measureClock(state: CoreState, now: number): void {
  state.pingAt = now
  state.quickPings = limits.quickPings
}

/** leader -> follower. */
export function stepDown(step: Step, reason: string): void {
  step.state.lead = null
  loseLeader(step, reason)
}

/** Follows nobody now. Elections are scheduled by the caller. */
export function loseLeader(step: Step, reason: string): void {
  const { state, now } = step
  const { leader } = state
  if (leader === null) return
  state.leader = null
  state.leaderPlan = null
  state.leaderlessSince = now
  step.emit({ type: 'leader_lost', ballot: leader, name: nameOf(state, leader.peer), reason })
}

/** The first in line stands at once, others after a short wait by place and random, so that candidates seldom meet. */
export function scheduleElection(step: Step, headStartMs = 0): void {
  const { state, now, dice } = step
  const place = Math.min(placeInLine(state), limits.electionTurnsMax)
  const waitMs = place === 0 ? 0 : place * limits.electionTurnMs + dice * limits.electionSpreadMs
  state.electionAt = now + headStartMs + waitMs
}

/** How many of those who may stand, and are there, go before this peer: the same line at each. */
export function placeInLine(state: CoreState): number {
  return electorate(state).filter((peer) => peer < state.self.peer && state.peers.get(peer)?.connected).length
}

/** Tells the sender of something older what this peer has promised. */
export function rejectBallot(step: Step, from: PeerId, ballot: Ballot, type: Message['type']): void {
  const { promised } = step.state
  step.send(from, { type: 'reject', ballot, promised })
  step.reject('stale_term', from, type, showBallot(promised), showBallot(ballot))
}

export function pingPeer(step: Step, to: PeerId): void {
  const { state, now } = step
  const plan = openPlan(state)
  const { planMax } = state
  const sequence = plan?.openSequence ?? 0
  const known = state.peers.get(to)
  if (known !== undefined) countPing(step, known)
  step.send(to, {
    type: 'ping',
    sentAt: now,
    term: state.promised.term,
    plan: state.plan?.ref ?? null,
    sequence,
    planMax,
  })
}

/** A ping asks whether the other side lives: should it stay silent, it need not be asked as often again. */
function countPing({ state, now }: Step, known: PeerState): void {
  const { queryRetries, queryTimeoutMs } = heartbeatSpec(state)
  const { count, lastAt } = known.pings
  const isNext = count === 0 || (count < queryRetries && now - lastAt >= queryTimeoutMs)
  if (isNext) known.pings = { count: count + 1, lastAt: now }
}

export function promise(step: Step, ballot: Ballot): void {
  assert(compareBallots(ballot, step.state.promised) >= 0, 'B1 a promise never falls')
  step.state.promised = ballot
  sawTerm(step, ballot)
}

export function sawTerm(step: Step, ballot: Ballot): void {
  step.state.termSeen = Math.max(step.state.termSeen, ballot.term)
}

/** This peer has a leader that lives as far as it can tell. */
export function led(step: Step): boolean {
  const { state, now } = step
  if (state.lead !== null) return true
  if (state.leader === null) return false
  const spec = heartbeatSpec(state)
  const fresh = spec.heartbeatIntervalMs * Math.max(1, spec.missedThreshold - 1)
  const connected = state.peers.get(state.leader.peer)?.connected ?? false
  return connected && now - state.leaderHeardAt < fresh
}
