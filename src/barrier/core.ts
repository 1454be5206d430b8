/**
 * The barrier core of one peer: agreement, elections, policies. Deterministic: it has no network, clock, randomness,
 * file or promise. Time and dice come in with each input, effects go out.
 */

import { armingWakeAt, onArmed, tickArming } from './accepting.ts'
import { assert } from './assert.ts'
import { onAccept, onCatchup, onRefuse, remind } from './consensus.ts'
import { finishStage } from './course.ts'
import {
  awaitGreeting,
  electionWakeAt,
  onHandover,
  onPrevoteReply,
  onPromise,
  onReject,
  tickElection,
} from './election.ts'
import { loseLeader, scheduleElection, stepDown } from './following.ts'
import type { CoreStatus, Input, Output } from './interface.ts'
import { assertInvariants } from './invariants.ts'
import { advance, digestSoon, greet, leaderWakeAt, tickLeader } from './leader.ts'
import { limits } from './limits.ts'
import {
  endQuery,
  excuse,
  forgiveSilence,
  heard,
  livenessWakeAt,
  onAnswer,
  onPeerDown,
  onPeerUp,
  onQuery,
  onUnreachable,
  tickLiveness,
} from './liveness.ts'
import {
  askAbort,
  keepReport,
  leaderless,
  memberWakeAt,
  onHeartbeat,
  onPing,
  onPong,
  onReady,
  reportToNewLeader,
  sendLateReport,
  sendReady,
  tickMember,
} from './member.ts'
import { electorate, isMember, nameOf, openPlan, samePlan, showPlan, stageAt } from './membership.ts'
import type { Message } from './messages.ts'
import { bestSample } from './offset.ts'
import type { Member, PeerId } from './plans.ts'
import { onDecided, onDecision, onPropose, onRemind } from './proposals.ts'
import { type CoreState, initialState, type PeerState } from './state.ts'
import { Step } from './step.ts'
import { onSubmit, onSubmitReply, resubmit, settleGathering, submit, submitsWakeAt, tickSubmits } from './submission.ts'
import { answerAgain, onPrevote, onVote } from './voting.ts'

/** More rounds than this in one step mean that the core talks to itself for ever. */
const ROUNDS_MAX = 2048

export class BarrierCore {
  readonly #state: CoreState

  /** `now` is the own clock in ms, `dice` a number in [0, 1). */
  constructor(options: { self: Member; now: number; dice: number }) {
    this.#state = initialState(options.self, options.now, options.dice)
  }

  /**
   * The only door. `now` must not fall. The driver carries the outputs out in their order; `send` and `broadcast` may
   * be lost, delayed, doubled or reordered, everything else must happen once. Throws only InvariantError.
   */
  step(input: Input, now: number, dice: number): Output[] {
    const state = this.#state
    if (state.left) return []
    const step = new Step(state, now, dice)
    const promised = state.promised
    const leader = state.leader
    const lateMs = state.expectedWakeAt === null ? 0 : now - state.expectedWakeAt
    if (state.expectedWakeAt === null) beginListening(step)
    if (lateMs > limits.lateMs) discountLateness(step, lateMs)
    if (lateMs > limits.pauseMs) afterPause(step)
    take(step, input)
    tick(step)
    settle(step)
    if (state.leader !== null && state.leader !== leader) {
      if (state.lead !== null) greet(step, electorate(state))
      reportToNewLeader(step)
      resubmit(step)
      tickSubmits(step)
      settle(step)
    }
    leaveInOrder(step)
    assertInvariants(state, promised)
    state.expectedWakeAt = wakeAt(step)
    return step.outputs
  }

  /** When to call with a `tick` if nothing else happens before; own clock, ms. Null: never. */
  nextWakeAt(): number | null {
    return this.#state.left ? null : this.#state.expectedWakeAt
  }

  status(now: number): CoreStatus {
    return describe(this.#state, now)
  }
}

function take(step: Step, input: Input): void {
  switch (input.type) {
    case 'tick':
      return
    case 'message':
      takeMessage(step, input.from, input.incarnation, input.message)
      return
    case 'peer_up':
      if (onPeerUp(step, input.member) && step.state.leader?.peer === input.member.peer) {
        leaderGone(step, 'it was restarted', 0)
      }
      greet(step, [input.member.peer])
      remind(step, input.member.peer)
      awaitGreeting(step)
      return
    case 'peer_down':
      onPeerDown(step, input.peer)
      if (step.state.leader?.peer === input.peer) leaderGone(step, 'its connection closed', 0)
      return
    case 'unreachable':
      onUnreachable(step, input.peer)
      return
    case 'submit':
      submit(step, input.spec)
      return
    case 'abort':
      askAbort(step, input.reason)
      return
    case 'ready':
      takeOwnReady(step, input)
      return
    case 'armed':
      onArmed(step, input.plan)
      return
    case 'leave':
      if (step.state.leaving === null) step.state.leaving = { since: step.now }
      return
  }
}

function takeOwnReady(step: Step, input: Extract<Input, { type: 'ready' }>): void {
  const { plan } = step.state
  if (!finishStage(step, input)) return
  if (plan === null || step.state.plan !== plan) return
  if (plan.decisions[input.sequence] === undefined) sendReady(step)
  else sendLateReport(step, input.sequence)
  digestSoon(step)
}

function takeMessage(step: Step, from: PeerId, incarnation: string, message: Message): void {
  const known = step.state.peers.get(from)
  if (known === undefined) {
    step.reject('stranger', from, message.type, 'a peer of this run', from)
    return
  }
  if (known.member.incarnation !== incarnation) {
    step.reject('stale_incarnation', from, message.type, known.member.incarnation, incarnation)
    return
  }
  if (message.type === 'answer') onAnswer(step, known, message)
  heard(step, known)
  dispatch(step, known, message)
}

function dispatch(step: Step, known: PeerState, message: Message): void {
  const from = known.member.peer
  switch (message.type) {
    case 'ping':
      return onPing(step, known, message)
    case 'pong':
      return onPong(step, known, message)
    case 'heartbeat':
      return onHeartbeat(step, known, message)
    case 'prevote':
      return onPrevote(step, from, message)
    case 'prevote_reply':
      return onPrevoteReply(step, from, message)
    case 'vote':
      return onVote(step, from, message)
    case 'promise':
      return takePromise(step, from, message)
    case 'reject':
      return onReject(step, from, message)
    case 'propose':
      return onPropose(step, from, message)
    case 'remind':
      return onRemind(step, from, message)
    case 'accept':
      return onAccept(step, from, message)
    case 'refuse':
      return onRefuse(step, from, message)
    case 'decided':
      return onDecided(step, from, message)
    case 'catchup':
      return onCatchup(step, from, message)
    case 'decision':
      return onDecision(step, from, message)
    case 'ready':
      return onReady(step, from, message)
    case 'query':
      return onQuery(step, from, message)
    case 'answer':
      return
    case 'leave':
      return onLeave(step, known)
    case 'handover':
      return onHandover(step, from, message)
    case 'submit':
      return onSubmit(step, from, message.spec)
    case 'submit_reply':
      return onSubmitReply(step, message)
    case 'abort_request':
      return onAbortRequest(step, from, message)
  }
}

function takePromise(step: Step, from: PeerId, message: Extract<Message, { type: 'promise' }>): void {
  if (!onPromise(step, from, message)) return
  const plan = openPlan(step.state)
  const { ready } = message
  if (plan === null || ready === null || !samePlan(plan.ref, message.plan)) return
  if (ready.sequence === plan.openSequence && isMember(step.state, plan.members, from)) {
    keepReport(step, plan, from, ready)
  }
}

function onLeave(step: Step, known: PeerState): void {
  known.verdict = 'left'
  endQuery(step.state, known)
  // Whom it handed over to goes first.
  if (step.state.leader?.peer === known.member.peer) leaderGone(step, 'it left', limits.campaignRetryMs)
}

function onAbortRequest(step: Step, from: PeerId, message: Extract<Message, { type: 'abort_request' }>): void {
  const plan = openPlan(step.state)
  if (plan === null || !samePlan(plan.ref, message.plan)) {
    step.reject('stale_plan', from, 'abort_request', showPlan(plan?.ref ?? null), showPlan(message.plan))
  } else plan.abortReason ??= message.reason
}

function leaderGone(step: Step, reason: string, headStartMs: number): void {
  loseLeader(step, reason)
  scheduleElection(step, headStartMs)
  answerAgain(step)
}

function tick(step: Step): void {
  tickElection(step)
  tickLiveness(step)
  tickMember(step)
  tickArming(step)
  tickSubmits(step)
}

/** Lets a leader act until nothing more follows from what it knows. */
function settle(step: Step): void {
  let rounds = 0
  for (let changed = true; changed; rounds += 1) {
    assert(rounds < ROUNDS_MAX, 'a step comes to an end')
    changed = advance(step)
    settleGathering(step)
  }
  resignIfExcluded(step)
  tickLeader(step)
}

/** A leader that is no member of the open sequence any more hands over to one that is. */
function resignIfExcluded(step: Step): void {
  const { lead } = step.state
  if (lead === null || lead.heir === null) return
  step.send(lead.heir, { type: 'handover', ballot: lead.ballot })
  stepDown(step, 'excluded from the plan')
  scheduleElection(step, limits.candidateGraceMs)
}

/** The first step may come long after the core was made. */
function beginListening({ state, now }: Step): void {
  const idleMs = now - state.leaderlessSince
  if (state.electionAt !== null) state.electionAt += idleMs
  state.leaderlessSince = now
}

/**
 * Time in which this process did not get to its work says nothing about others. It takes as long again to read what they
 * sent meanwhile.
 */
function discountLateness(step: Step, lateMs: number): void {
  const { state, now } = step
  const excusedMs = 2 * lateMs
  excuse(step, excusedMs)
  state.leaderHeardAt = Math.min(now, state.leaderHeardAt + excusedMs)
  if (state.campaign !== null) state.campaign.retryAt += excusedMs
}

/** After a pause the silence of others was this process's own, and a campaign begun before it is stale. */
function afterPause(step: Step): void {
  const { state, now } = step
  forgiveSilence(step)
  state.leaderHeardAt = Math.max(state.leaderHeardAt, now)
  state.campaign = null
  if (state.leader === null) scheduleElection(step, limits.campaignRetryMs)
  state.pingAt = now
}

function leaveInOrder(step: Step): void {
  const { state, now } = step
  const { leaving, lead } = state
  if (leaving === null || state.left) return
  const undecided = lead !== null && lead.proposal !== null && now < leaving.since + limits.leaveWaitMs
  if (undecided) return
  const connected = [...state.peers.values()].filter((peer) => peer.connected)
  const heir = openPlan(state)?.members.find(({ peer }) => connected.some(({ member }) => member.peer === peer))
  const next = heir?.peer ?? connected[0]?.member.peer
  sendReady(step)
  step.sendEach(
    connected.map(({ member }) => member.peer),
    { type: 'leave' },
  )
  if (lead !== null) {
    if (next !== undefined) step.send(next, { type: 'handover', ballot: lead.ballot })
    stepDown(step, 'leaving the run')
  }
  state.left = true
  step.emit({ type: 'left' })
}

function wakeAt(step: Step): number | null {
  const { state } = step
  const leaveAt = state.leaving === null ? null : state.leaving.since + limits.leaveWaitMs
  const times = [
    electionWakeAt(step),
    livenessWakeAt(step),
    memberWakeAt(step),
    armingWakeAt(step),
    leaderWakeAt(step),
    submitsWakeAt(step),
    leaveAt,
  ]
  let earliest: number | null = null
  for (const at of times) if (at !== null && (earliest === null || at < earliest)) earliest = at
  return earliest === null ? null : Math.max(earliest, step.now)
}

function describe(state: CoreState, now: number): CoreStatus {
  const { plan, leader } = state
  const leaderPeer = leader === null ? undefined : state.peers.get(leader.peer)
  const best = bestSample(leaderPeer?.offsets ?? [])
  const own = state.lead === null ? null : { offsetMs: 0, roundTripMs: 0 }
  return {
    self: state.self,
    role: state.lead !== null ? 'leader' : state.campaign !== null ? 'candidate' : 'follower',
    term: state.promised.term,
    leader: leader === null ? null : { peer: leader.peer, name: nameOf(state, leader.peer) },
    plan: plan?.ref ?? null,
    sequence: plan?.openSequence ?? 0,
    stage: plan === null ? null : (stageAt(plan, plan.position)?.name ?? null),
    members: plan?.members ?? [],
    ready: plan === null ? [] : [...(plan.reports.get(plan.openSequence)?.keys() ?? [])],
    unilateral: plan?.unilateral ?? false,
    leaderless: leaderless(state, now),
    peers: [...state.peers.values()].map(({ member, connected, lastHeardAt }) => ({
      member,
      connected,
      lastHeardMs: now - lastHeardAt,
    })),
    clock: own ?? (best === undefined ? null : { offsetMs: best.offsetMs, roundTripMs: best.roundTripMs }),
    rejected: Object.fromEntries(state.rejected),
  }
}
