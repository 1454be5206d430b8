/**
 * Who leads: terms, pre-votes, votes. As in Raft (Ongaro 2014, sections 3.4 and 9.6) with Paxos ballots: a vote is the
 * promise of phase 1, and carries what the voter has accepted for the open sequence.
 */

import { compareBallots, sameBallot, showBallot } from './ballot.ts'
import { giveDecisions, refuse } from './catchup.ts'
import { assert } from './invariants.ts'
import { limits } from './limits.ts'
import {
  electorate,
  hasMajority,
  heartbeatSpec,
  isMember,
  nameOf,
  openPlan,
  samePlan,
  showPlan,
  silenceMs,
} from './membership.ts'
import type { LeaderState, PromiseNote } from './state.ts'
import type { Step } from './step.ts'
import type { Ballot, Message, PeerId, ReadyNote } from './types.ts'

type Of<T extends Message['type']> = Extract<Message, { type: T }>

/** follower -> candidate: asks first whether an election is wanted. */
export function standForElection(step: Step): void {
  const { state, now, dice } = step
  state.electionAt = null
  if (!mayStand(step)) return
  const ballot = nextBallot(step)
  state.campaign = {
    ballot,
    phase: 'prevote',
    granted: new Set([state.self.peer]),
    denied: false,
    promises: new Map(),
    retryAt: now + retryMs(step, dice),
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
  const { state, now, dice } = step
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
    promises: new Map([[state.self.peer, ownPromise(step)]]),
    retryAt: now + retryMs(step, dice),
  }
  const message = { type: 'vote', ballot, plan: plan?.ref ?? null, sequence: plan?.openSequence ?? 0 } as const
  step.sendEach(electorate(state), message)
  countCampaign(step)
  return true
}

export function onPrevote(step: Step, from: PeerId, message: Of<'prevote'>): void {
  const { state } = step
  const granted = voteIsForUs(step, from, message) && compareBallots(message.ballot, state.promised) > 0 && !led(step)
  const { leader, promised } = state
  step.send(from, { type: 'prevote_reply', ballot: message.ballot, granted, leader, promised })
}

export function onPrevoteReply(step: Step, from: PeerId, message: Of<'prevote_reply'>): void {
  const { state, now } = step
  const { campaign } = state
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
  campaign.retryAt = Math.max(campaign.retryAt, now + retryMs(step, step.dice))
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
    // Time for the candidate to win; should it die meanwhile, another one stands.
    state.electionAt = step.now + limits.candidateGraceMs * (1 + step.dice)
  }
  step.send(from, { type: 'promise', ballot: message.ballot, ...ownPromiseMessage(step) })
}

/** A promise to the candidate that this peer is, or (later ones) to the leader. Returns it where it counts. */
export function onPromise(step: Step, from: PeerId, message: Of<'promise'>): boolean {
  const { state } = step
  state.planMax = Math.max(state.planMax, message.planMax)
  const plan = openPlan(state)
  const note: PromiseNote = {
    sequence: message.sequence,
    accepted: samePlan(message.plan, plan?.ref ?? null) ? message.accepted : null,
  }
  if (state.campaign?.phase === 'vote' && sameBallot(state.campaign.ballot, message.ballot)) {
    state.campaign.promises.set(from, note)
    countCampaign(step)
    return true
  }
  if (state.lead !== null && sameBallot(state.lead.ballot, message.ballot)) {
    if (!state.lead.promises.has(from)) state.lead.promises.set(from, note)
    return true
  }
  step.reject('stale_term', from, 'promise', showBallot(state.promised), showBallot(message.ballot))
  return false
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
    scheduleElection(step)
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

/** Takes the sender of `ballot` as leader. False when the ballot is older than the promise. */
export function follow(step: Step, ballot: Ballot): boolean {
  const { state, now } = step
  sawTerm(step, ballot)
  if (compareBallots(ballot, state.promised) < 0) return false
  if (state.leader !== null && sameBallot(state.leader, ballot)) return true
  if (state.lead !== null) stepDown(step, `${nameOf(state, ballot.peer)} leads`)
  if (state.leader !== null) loseLeader(step, `${nameOf(state, ballot.peer)} leads`)
  promise(step, ballot)
  state.campaign = null
  state.electionAt = null
  state.failedCampaigns = 0
  state.leader = ballot
  state.leaderHeardAt = now
  state.pingAt = now
  state.quickPings = limits.quickPings
  step.emit({ type: 'leader_elected', ballot, name: nameOf(state, ballot.peer) })
  return true
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

/** A random short wait, so that candidates seldom meet. */
export function scheduleElection(step: Step, headStartMs = 0): void {
  const { state, now, dice } = step
  const voters = electorate(state).length
  const spread = Math.min(
    limits.electionSpreadMaxMs,
    limits.electionSpreadBaseMs + limits.electionSpreadPerVoterMs * voters,
  )
  state.electionAt = now + headStartMs + dice * spread
}

export function tickElection(step: Step): void {
  const { state, now } = step
  if (state.leader !== null && state.lead === null && now - state.leaderHeardAt >= silenceMs(state)) {
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
  step.send(to, {
    type: 'ping',
    sentAt: now,
    term: state.promised.term,
    plan: state.plan?.ref ?? null,
    sequence,
    planMax,
  })
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

function newLeader(ballot: Ballot, promises: Map<PeerId, PromiseNote>, now: number): LeaderState {
  return {
    ballot,
    electedAt: now,
    promises,
    proposal: null,
    proposedAt: now,
    proposedSequence: -1,
    slowestAcceptMs: 0,
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
  state.electionAt = step.now + retryMs(step, step.dice)
}

function retryMs(step: Step, dice: number): number {
  const base = Math.min(
    limits.campaignRetryMaxMs,
    limits.campaignRetryMs * 2 ** Math.min(step.state.failedCampaigns, 8),
  )
  return base * (0.5 + dice)
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

function promise(step: Step, ballot: Ballot): void {
  assert(compareBallots(ballot, step.state.promised) >= 0, 'B1 a promise never falls')
  step.state.promised = ballot
  sawTerm(step, ballot)
}

function sawTerm(step: Step, ballot: Ballot): void {
  step.state.termSeen = Math.max(step.state.termSeen, ballot.term)
}

/** This peer has a leader that lives as far as it can tell. */
function led(step: Step): boolean {
  const { state, now } = step
  if (state.lead !== null) return true
  if (state.leader === null) return false
  const spec = heartbeatSpec(state)
  const fresh = spec.heartbeatIntervalMs * Math.max(1, spec.missedThreshold - 1)
  const connected = state.peers.get(state.leader.peer)?.connected ?? false
  return connected && now - state.leaderHeardAt < fresh
}

/** The candidate stands for the same plan as this voter, and is not behind; who is behind gets what it lacks. */
function voteIsForUs(step: Step, from: PeerId, message: Of<'prevote'> | Of<'vote'>): boolean {
  const { state } = step
  if (message.ballot.peer !== from) {
    step.reject('not_leader', from, message.type, from, message.ballot.peer)
    return false
  }
  const plan = openPlan(state)
  const mine = plan?.ref ?? null
  if (!samePlan(message.plan, mine)) {
    if (message.plan !== null && giveDecisions(step, from, message.plan, message.sequence)) return false
    // A vote for a plan never accepted here: from now on it never will be.
    if (message.plan !== null && message.type === 'vote') {
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
    giveDecisions(step, from, plan.ref, message.sequence)
    step.reject('not_member', from, message.type, `a member of sequence ${plan.openSequence}`, nameOf(state, from))
    return false
  }
  if (message.sequence < plan.openSequence) {
    giveDecisions(step, from, plan.ref, message.sequence)
    step.reject('stale_sequence', from, message.type, `${plan.openSequence}`, `${message.sequence}`)
    return false
  }
  // A candidate that is ahead gets the vote: nothing can have been accepted here for a sequence not yet open.
  if (message.sequence > plan.openSequence) {
    step.send(from, { type: 'catchup', plan: plan.ref, sequence: plan.openSequence })
  }
  return true
}

function ownPromise(step: Step): PromiseNote {
  const plan = openPlan(step.state)
  return { sequence: plan?.openSequence ?? 0, accepted: plan?.accepted ?? null }
}

function ownPromiseMessage(step: Step): Omit<Of<'promise'>, 'type' | 'ballot'> {
  const { state } = step
  const plan = openPlan(state)
  return { plan: plan?.ref ?? null, ...ownPromise(step), ready: ownReady(step), planMax: state.planMax }
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
