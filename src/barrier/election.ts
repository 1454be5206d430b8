/**
 * Who leads: terms, pre-votes, votes. As in Raft (Ongaro 2014, sections 3.4 and 9.6) with Paxos ballots: a vote is the
 * promise of phase 1. This is the candidate's side, voting.ts the voter's.
 */

import { assert } from './assert.ts'
import { compareBallots, sameBallot, showBallot } from './ballot.ts'
import { askDecisions } from './catchup.ts'
import { loseLeader, pingPeer, placeInLine, promise, sawTerm, scheduleElection, stepDown } from './following.ts'
import { faultOf } from './invariants.ts'
import { limits } from './limits.ts'
import { electorate, hasMajority, isMember, nameOf, openPlan, samePlan, silenceMs } from './membership.ts'
import type { Message } from './messages.ts'
import type { Ballot, PeerId } from './plans.ts'
import { learnValue } from './recall.ts'
import type { LeaderState, PlanState } from './state.ts'
import type { Step } from './step.ts'
import { ownAccepted } from './voting.ts'

type Of<T extends Message['type']> = Extract<Message, { type: T }>

/** follower -> candidate: asks first whether an election is wanted. */
function standForElection(step: Step): void {
  const { state, now } = step
  state.electionAt = null
  if (!mayStand(step)) return
  const ballot = nextBallot(step)
  state.campaign = {
    ballot,
    phase: 'prevote',
    granted: new Set([state.self.peer]),
    denied: false,
    promises: new Map(),
    retryAt: now + patienceMs(step),
  }
  const plan = openPlan(state)
  step.sendEach(electorate(state), {
    type: 'prevote',
    ballot,
    plan: plan?.ref ?? null,
    sequence: plan?.openSequence ?? 0,
  })
  countCampaign(step)
}

/**
 * candidate -> candidate: the real vote. Also the way in after a handover, and for a leader that needs a new ballot.
 * False when this peer may not stand.
 */
export function callVote(step: Step): boolean {
  const { state, now } = step
  state.electionAt = null
  if (!mayStand(step)) return false
  const ballot = nextBallot(step)
  if (state.lead !== null) stepDown(step, 'a new ballot is needed')
  loseLeader(step, 'election')
  promise(step, ballot)
  const plan = openPlan(state)
  state.campaign = {
    ballot,
    phase: 'vote',
    granted: new Set(),
    denied: false,
    promises: new Map([[state.self.peer, ownAccepted(step)]]),
    retryAt: now + patienceMs(step),
  }
  const sequence = plan?.openSequence ?? 0
  step.sendEach(electorate(state), { type: 'vote', ballot, plan: plan?.ref ?? null, sequence, inFull: false })
  countCampaign(step)
  return true
}

export function onPrevoteReply(step: Step, from: PeerId, message: Of<'prevote_reply'>): void {
  const { state, now } = step
  const { campaign } = state
  const plan = openPlan(state)
  if (plan !== null && message.known > plan.openSequence) askDecisions(step, plan, from, message.known)
  if (campaign === null || campaign.phase !== 'prevote' || !sameBallot(campaign.ballot, message.ballot)) return
  sawTerm(step, message.promised)
  if (message.granted) {
    campaign.granted.add(from)
    countCampaign(step)
    return
  }
  campaign.denied = true
  // The leader that others still see will answer a ping, and be followed then.
  if (message.leader !== null && message.leader.peer !== state.self.peer) pingPeer(step, message.leader.peer)
  const retryAt = now + retryMs(step)
  campaign.retryAt = plan === null ? retryAt : Math.max(campaign.retryAt, retryAt)
}

/** A promise to the candidate that this peer is, or (later ones) to the leader. Returns it where it counts. */
export function onPromise(step: Step, from: PeerId, message: Of<'promise'>): boolean {
  const { state } = step
  state.planMax = Math.max(state.planMax, message.planMax)
  const plan = openPlan(state)
  const isOurs = plan !== null && samePlan(message.plan, plan.ref)
  const fault = isOurs ? faultOfAccepted(plan, message) : undefined
  if (fault !== undefined) {
    step.reject('conflict', from, 'promise', 'an accepted value that the policy allows', fault)
    return false
  }
  if (isOurs) learnValue(plan, message.accepted)
  const ballot = message.accepted?.ballot
  const accepted = isOurs && ballot !== undefined ? { sequence: message.sequence, ballot } : null
  if (state.campaign?.phase === 'vote' && sameBallot(state.campaign.ballot, message.ballot)) {
    state.campaign.promises.set(from, accepted)
    countCampaign(step)
    return true
  }
  if (state.lead !== null && sameBallot(state.lead.ballot, message.ballot)) {
    if (!state.lead.promises.has(from)) state.lead.promises.set(from, accepted)
    return true
  }
  step.reject('stale_term', from, 'promise', showBallot(state.promised), showBallot(message.ballot))
  return false
}

/** Why this cannot have been accepted before a vote for the promised ballot; undefined when it can. */
function faultOfAccepted(plan: PlanState, { ballot, sequence, accepted }: Of<'promise'>): string | undefined {
  if (accepted === null) return undefined
  const { decision } = accepted
  if (sequence > plan.openSequence) return `a value of sequence ${sequence}, not yet open`
  if (compareBallots(accepted.ballot, ballot) > 0) return `accepted at the newer ballot ${showBallot(accepted.ballot)}`
  if (decision === null) return undefined
  if (!samePlan(decision.plan, plan.ref)) return 'a value of another plan'
  if (decision.sequence !== sequence) return `a value of sequence ${decision.sequence}, not of ${sequence}`
  return sequence === plan.openSequence ? faultOf(decision, plan.members) : undefined
}

/** Somebody has promised a higher ballot: whoever leads or stands below it gives way. */
export function onReject(step: Step, from: PeerId, message: Of<'reject'>): void {
  const { state } = step
  sawTerm(step, message.promised)
  if (compareBallots(message.promised, message.ballot) <= 0) return
  if (state.lead !== null && sameBallot(state.lead.ballot, message.ballot)) {
    const plan = openPlan(state)
    if (plan !== null && (plan.gone.has(from) || !isMember(state, plan.members, from))) return
    stepDown(step, `${nameOf(state, from)} follows a newer leader`)
    scheduleElection(step, plan === null ? limits.idleGraceMs : 0)
    // It leads most likely, and says so then.
    pingPeer(step, message.promised.peer)
  } else if (state.campaign !== null && sameBallot(state.campaign.ballot, message.ballot)) {
    state.campaign.denied = true
  }
}

export function onHandover(step: Step, from: PeerId, message: Of<'handover'>): void {
  if (message.ballot.peer !== from || !sameBallot(step.state.promised, message.ballot)) {
    step.reject('not_leader', from, 'handover', showBallot(step.state.promised), showBallot(message.ballot))
    return
  }
  loseLeader(step, `${nameOf(step.state, from)} handed over`)
  callVote(step)
}

/** A fresh peer met somebody: the leader, if there is one, gets time to make itself known. */
export function awaitGreeting({ state, now, dice }: Step): void {
  const isFresh = state.leader === null && state.promised.term === 0 && state.campaign === null
  if (!isFresh || state.electionAt === null) return
  const turnMs = placeInLine(state) === 0 ? 0 : limits.meetingTurnMs
  const crowdMs = Math.min(limits.meetingEachMs * state.peers.size, limits.meetingCrowdMaxMs)
  const meetingMs = (limits.meetingMs + crowdMs) * (1 + dice / 2) + turnMs
  const at = Math.min(now + meetingMs, state.leaderlessSince + limits.meetingMaxMs)
  state.electionAt = Math.max(state.electionAt, at)
}

export function tickElection(step: Step): void {
  const { state, now } = step
  if (state.leader !== null && state.lead === null && now - state.leaderHeardAt >= silenceMs(state)) {
    state.silentLeader = state.leader
    loseLeader(step, `silent for ${Math.round(now - state.leaderHeardAt)} ms`)
    scheduleElection(step)
  }
  if (state.campaign !== null && now >= state.campaign.retryAt) endCampaign(step)
  if (state.electionAt !== null && now >= state.electionAt) standForElection(step)
  if (state.leader === null && state.campaign === null && state.electionAt === null) scheduleElection(step)
}

export function electionWakeAt(step: Step): number | null {
  const { state } = step
  if (state.campaign !== null) return state.campaign.retryAt
  if (state.electionAt !== null) return state.electionAt
  if (state.leader !== null && state.lead === null) return state.leaderHeardAt + silenceMs(state)
  return state.leader === null && mayStand(step) ? step.now : null
}

function countCampaign(step: Step): void {
  const { state } = step
  const { campaign } = state
  if (campaign === null) return
  const granted = campaign.phase === 'prevote' ? campaign.granted : campaign.promises
  if (!hasMajority(electorate(state), granted)) return
  if (campaign.phase === 'prevote') callVote(step)
  else becomeLeader(step)
}

/** candidate -> leader. */
function becomeLeader(step: Step): void {
  const { state, now } = step
  const { campaign } = state
  assert(campaign !== null && campaign.phase === 'vote', 'a leader was a candidate')
  assert(sameBallot(state.promised, campaign.ballot), 'a leader leads by the ballot that it promised')
  state.campaign = null
  state.electionAt = null
  state.failedCampaigns = 0
  state.leader = campaign.ballot
  state.lead = newLeader(campaign.ballot, campaign.promises, now)
  step.emit({ type: 'leader_elected', ballot: campaign.ballot, name: state.self.name })
}

function newLeader(ballot: Ballot, promises: LeaderState['promises'], now: number): LeaderState {
  return {
    ballot,
    electedAt: now,
    promises,
    recall: null,
    proposal: null,
    proposalOf: ballot,
    proposedAt: now,
    proposedSequence: -1,
    slowestAcceptMs: 0,
    repeatAt: now,
    repeatMs: 0,
    accepts: new Set(),
    heartbeatAt: now,
    digestSequence: 0,
    digestAt: null,
    recheckAt: null,
    gathering: null,
    heir: null,
  }
}

/** The campaign found no majority in time. Idle, where nothing unsafe rests on it, silence is consent. */
function endCampaign(step: Step): void {
  const { state } = step
  const { campaign } = state
  if (campaign === null) return
  if (openPlan(state) === null && !campaign.denied) {
    if (campaign.phase === 'prevote') callVote(step)
    else becomeLeader(step)
    return
  }
  state.campaign = null
  state.failedCampaigns += 1
  state.electionAt = step.now + retryMs(step)
}

function retryMs({ state, dice }: Step): number {
  const doubledMs = limits.campaignRetryMs * 2 ** Math.min(state.failedCampaigns, 8)
  return Math.min(limits.campaignRetryMaxMs, doubledMs) * (0.5 + dice)
}

/** How long a campaign waits for answers. Idle there is no hurry, and who answers late must not be taken for silent. */
function patienceMs(step: Step): number {
  return openPlan(step.state) === null ? limits.idlePatienceMs : retryMs(step)
}

function mayStand(step: Step): boolean {
  const { state } = step
  if (state.leaving !== null) return false
  const plan = openPlan(state)
  return plan === null || isMember(state, plan.members, state.self.peer)
}

function nextBallot(step: Step): Ballot {
  const { state } = step
  return { term: Math.max(state.promised.term, state.termSeen) + 1, peer: state.self.peer }
}
