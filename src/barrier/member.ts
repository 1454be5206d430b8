/** What every peer does towards its leader: pings, readiness, catching up; and what it does when there is none. */

import { sameBallot, showBallot } from './ballot.ts'
import { askDecisions, giveDecisions } from './catchup.ts'
import { finish, releaseAlone, reportsOf } from './course.ts'
import { follow, pingPeer, rejectBallot } from './following.ts'
import type { AbsenceReason, Leaderless } from './interface.ts'
import { digestSoon, greet } from './leader.ts'
import { limits } from './limits.ts'
import { callIn } from './liveness.ts'
import { heartbeatSpec, isMember, nameOf, openPlan, samePlan, showPlan, silenceMs, stageAt } from './membership.ts'
import type { Message } from './messages.ts'
import { addRelayed, addSample, bestSample, offsetSample } from './offset.ts'
import type { Member, PeerId } from './plans.ts'
import type { CoreState, PeerState, PlanState } from './state.ts'
import type { Step } from './step.ts'
import { ownReady } from './voting.ts'

type Of<T extends Message['type']> = Extract<Message, { type: T }>

/** Leader: answers with the four timestamps, and with what the sender may lack. */
export function onPing(step: Step, known: PeerState, message: Of<'ping'>): void {
  const { state, now } = step
  const from = known.member.peer
  known.plan = message.plan
  state.planMax = Math.max(state.planMax, message.planMax)
  const { lead, planMax } = state
  const open = openPlan(state)
  const isAhead = open !== null && samePlan(open.ref, message.plan) && message.sequence > open.openSequence
  if (isAhead) askDecisions(step, open, from, message.sequence)
  // Who pings a leader of before hears of the new one by its heartbeat.
  if (lead === null) return
  callIn(step, known)
  const plan = openPlan(state)
  // A proposal has all the results that it will ever have.
  const isHeld = plan?.reports.get(plan.openSequence)?.has(from) ?? false
  const readyKnown = plan === null || lead.proposal !== null || isHeld
  step.send(from, {
    type: 'pong',
    ballot: lead.ballot,
    pingSentAt: message.sentAt,
    receivedAt: now,
    sentAt: now,
    plan: plan?.ref ?? null,
    sequence: plan?.openSequence ?? 0,
    planMax,
    readyKnown,
    lateKnown: plan === null ? [] : lateReports(plan, from),
  })
}

/** The proof that the leader hears and answers this peer. */
export function onPong(step: Step, known: PeerState, message: Of<'pong'>): void {
  const { state, now } = step
  const sample = offsetSample(message.pingSentAt, message.receivedAt, message.sentAt, now)
  if (sample !== undefined) known.offsets = addSample(known.offsets, sample)
  if (!followFor(step, known.member.peer, message, 'pong')) return
  state.leaderPlan = message.plan
  const plan = openPlan(state)
  // One that leads, but not in this peer's plan, is no leader of it.
  if (plan === null || samePlan(plan.ref, message.plan)) state.leaderHeardAt = now
  if (plan === null || !samePlan(plan.ref, message.plan) || plan.openSequence !== message.sequence) return
  if (!message.readyKnown && isLost(plan, plan.openSequence, message)) sendReady(step)
  for (const sequence of lateReports(plan, state.self.peer)) {
    if (!message.lateKnown.includes(sequence) && isLost(plan, sequence, message)) sendLateReport(step, sequence)
  }
}

/** The leader lacks a report, though it was sent before the ping: else it may be large, and still be on its way. */
function isLost(plan: PlanState, sequence: number, { pingSentAt }: Of<'pong'>): boolean {
  const sentAt = plan.reportedAt.get(sequence)
  return sentAt === undefined || pingSentAt > sentAt
}

/** Of the leader: who leads, what is open, who is ready. */
export function onHeartbeat(step: Step, known: PeerState, message: Of<'heartbeat'>): void {
  const { state } = step
  const from = known.member.peer
  if (!followFor(step, from, message, 'heartbeat')) return
  const { clock } = message
  if (clock !== null) {
    const measured = bestSample(state.peers.get(clock.peer)?.offsets ?? [])
    known.offsets = addRelayed(known.offsets, measured, clock, step.now)
  }
  state.leaderPlan = message.plan
  const plan = openPlan(state)
  const { digest } = message
  // Idle there is nothing yet that the leader would have to hear.
  if (plan === null) state.leaderHeardAt = step.now
  if (digest === null || plan === null || !samePlan(plan.ref, digest.plan)) return
  if (digest.sequence !== plan.openSequence) return
  const held = plan.digest
  const same = held !== null && sameBallot(held.ballot, message.ballot) && held.digest.sequence === digest.sequence
  if (same && digest.digestSequence <= held.digest.digestSequence) {
    step.reject('stale_digest', from, 'heartbeat', `${held.digest.digestSequence}`, `${digest.digestSequence}`)
    return
  }
  plan.digest = { ballot: message.ballot, digest }
  step.emit({ type: 'progress', digest })
}

/** A member finished a stage. The leader counts it; others keep the leader's own, should it die. */
export function onReady(step: Step, from: PeerId, message: Of<'ready'>): void {
  const { state } = step
  const plan = openPlan(state)
  if (plan === null || !samePlan(plan.ref, message.plan)) {
    giveDecisions(step, from, message.plan, message.sequence)
    step.reject(
      plan === null ? 'no_plan' : 'stale_plan',
      from,
      'ready',
      showPlan(plan?.ref ?? null),
      showPlan(message.plan),
    )
    return
  }
  if (!isMember(state, plan.members, from)) {
    giveDecisions(step, from, plan.ref, message.sequence)
    step.reject('not_member', from, 'ready', `a member of sequence ${plan.openSequence}`, nameOf(state, from))
    return
  }
  if (message.sequence > plan.openSequence) {
    askDecisions(step, plan, from, message.sequence)
    return
  }
  if (message.sequence < plan.openSequence && !isLateReport(plan, from, message.sequence)) {
    // Most likely it was only on its way; who is behind asks for what it lacks.
    if (state.lead === null) pingPeer(step, from)
    else greet(step, [from])
    step.reject('stale_sequence', from, 'ready', `${plan.openSequence}`, `${message.sequence}`)
    return
  }
  keepReport(step, plan, from, message)
}

/** Keeps a ready; the first one counts. */
export function keepReport(
  step: Step,
  plan: PlanState,
  from: PeerId,
  note: Pick<Of<'ready'>, 'sequence' | 'status' | 'payload' | 'waitedMs'>,
): void {
  const reports = reportsOf(plan, note.sequence)
  if (reports.has(from)) return
  reports.set(from, { status: note.status, payload: note.payload, readyAt: step.now - note.waitedMs })
  digestSoon(step)
}

/** Tells the leader (a leader: the members, who would need it after its death) that this peer is ready. */
export function sendReady(step: Step): void {
  const { state } = step
  const plan = openPlan(state)
  const note = ownReady(step)
  if (plan === null || note === null) return
  const message = { type: 'ready', plan: plan.ref, ...note } as const
  plan.reportedAt.set(note.sequence, step.now)
  if (state.lead !== null) {
    step.sendEach(
      plan.members.map((member) => member.peer),
      message,
    )
  } else if (state.leader !== null) step.send(state.leader.peer, message)
}

/** Released barriers of which this peer holds a report by `peer` that no decision has carried yet. */
function lateReports(plan: PlanState, peer: PeerId): number[] {
  const late: number[] = []
  for (const [sequence, reports] of plan.reports)
    if (sequence < plan.openSequence && reports.has(peer)) late.push(sequence)
  return late
}

/** A stage that was finished after its barrier was released: the report still goes to the leader. */
export function sendLateReport(step: Step, sequence: number): void {
  const { state } = step
  const { plan } = state
  const report = plan?.reports.get(sequence)?.get(state.self.peer)
  if (plan === null || report === undefined || state.leader === null) return
  const { status, payload } = report
  plan.reportedAt.set(sequence, step.now)
  step.send(state.leader.peer, { type: 'ready', plan: plan.ref, sequence, status, payload, waitedMs: 0 })
}

export function tickMember(step: Step): void {
  const { state, now } = step
  if (state.leader !== null && state.lead === null && now >= state.pingAt) {
    const quick = state.quickPings > 0
    if (quick) state.quickPings -= 1
    state.pingAt = now + (quick ? limits.quickPingMs : heartbeatSpec(state).heartbeatIntervalMs)
    pingPeer(step, state.leader.peer)
  }
  const lostAt = quorumLostAt(state)
  if (lostAt !== null && now >= lostAt) loseQuorum(step)
}

export function memberWakeAt(step: Step): number | null {
  const { state } = step
  const pingAt = state.leader !== null && state.lead === null ? state.pingAt : null
  const lostAt = quorumLostAt(state)
  if (pingAt === null || lostAt === null) return pingAt ?? lostAt
  return Math.min(pingAt, lostAt)
}

/** After an election or a change of leader: say again what the old leader may have taken with it. */
export function reportToNewLeader(step: Step): void {
  const { state } = step
  const plan = openPlan(state)
  // What was accepted has the results that it needs; a leader that is free to choose asks for them by its pong.
  if (plan !== null && plan.accepted === null) sendReady(step)
  if (plan !== null && plan.abortReason !== null) askAbort(step, plan.abortReason)
}

/** Somebody wants the plan to end. A leader notes it; others tell the leader. */
export function askAbort(step: Step, reason: string): void {
  const { state } = step
  const plan = openPlan(state)
  if (plan !== null) plan.abortReason ??= reason
  const target = plan?.ref ?? state.leaderPlan
  if (state.lead === null && state.leader !== null && target !== null) {
    step.send(state.leader.peer, { type: 'abort_request', plan: target, reason })
  }
}

/** Follows a leader of the same plan (idle: any leader). Who is bound and behind asks for what it lacks. */
function followFor(
  step: Step,
  from: PeerId,
  message: Of<'pong'> | Of<'heartbeat'>,
  type: 'pong' | 'heartbeat',
): boolean {
  const { state } = step
  if (message.ballot.peer !== from) {
    step.reject('not_leader', from, type, from, message.ballot.peer)
    return false
  }
  state.planMax = Math.max(state.planMax, message.planMax)
  const plan = openPlan(state)
  const foreign = plan !== null && !samePlan(plan.ref, message.plan)
  // The leader of others may know how this plan ended; that it may not must keep nobody from asking one that does.
  if (foreign) step.send(from, { type: 'catchup', plan: plan.ref, sequence: plan.openSequence })
  else if (plan !== null && message.sequence > plan.openSequence) askDecisions(step, plan, from, message.sequence)
  const same = state.leader !== null && sameBallot(state.leader, message.ballot)
  if (type === 'pong') state.silentLeader = null
  if (foreign && !same) return false
  if (state.leader === null || !same) {
    const before = state.leader
    if (!follow(step, message.ballot)) {
      // Only a voter of the sender's may depose it: what idle peers promise each other is no matter of a plan's.
      if (samePlan(plan?.ref ?? null, message.plan)) rejectBallot(step, from, message.ballot, type)
      else step.reject('stale_term', from, type, showBallot(state.promised), showBallot(message.ballot))
      return false
    }
    if (before === null || !sameBallot(before, message.ballot)) pingPeer(step, from)
  }
  return true
}

/** A member that was released without being ready reports later; its figures are worth having. */
function isLateReport(plan: PlanState, from: PeerId, sequence: number): boolean {
  const decision = plan.decisions[sequence]
  if (decision?.kind !== 'release' || decision.policy !== 'best_effort') return false
  if (decision.reports.some((report) => report.peer === from && report.sequence === sequence)) return false
  return !plan.decisions.some(
    (later) =>
      later.kind === 'release' && later.reports.some((report) => report.peer === from && report.sequence === sequence),
  )
}

/**
 * When this peer gives up on the others: it has waited for `agent_barrier_timeout`, and no leader with a majority was
 * heard of for as long as an election may take. Null while it need not think of it.
 */
function quorumLostAt(state: CoreState): number | null {
  const { plan } = state
  if (plan === null || plan.running) return null
  const stage = stageAt(plan, plan.position)
  const timeoutMs = stage?.barrier.barrierTimeoutMs ?? plan.spec.agentReadyTimeoutMs
  // Who went on alone waits for nobody, whoever leads the peers that are idle.
  if (plan.unilateral) return plan.waitingSince + timeoutMs
  if (state.lead !== null || state.leader !== null || plan.decisions[plan.position] !== undefined) return null
  return Math.max(plan.waitingSince + timeoutMs, state.leaderlessSince + Math.min(timeoutMs, silenceMs(state)))
}

/** Whom a peer without a leader misses, and how long it goes on waiting; null where it has one, or needs none. */
export function leaderless(state: CoreState, now: number): Leaderless | null {
  const plan = openPlan(state)
  if (plan === null || state.leader !== null || state.lead !== null) return null
  const lostAt = quorumLostAt(state)
  const policy = stageAt(plan, Math.max(1, plan.position))?.barrier.policy
  return {
    plan: plan.ref,
    sinceMs: Math.max(0, now - state.leaderlessSince),
    members: plan.members.length,
    missing: missingMembers(state, plan),
    givesUpInMs: lostAt === null ? null : Math.max(0, lostAt - now),
    next: policy === 'best_effort' && plan.position > 0 ? 'unilateral' : 'quorum_lost',
  }
}

function missingMembers(state: CoreState, plan: PlanState): Leaderless['missing'] {
  return plan.members.flatMap((member) => {
    const reason = member.peer === state.self.peer ? null : absence(state, plan, member)
    return reason === null ? [] : [{ name: member.name, reason }]
  })
}

/** Null for a member that is there as far as this peer can tell. */
function absence(state: CoreState, plan: PlanState, { peer, incarnation }: Member): AbsenceReason | null {
  const known = state.peers.get(peer)
  if (known === undefined) return 'not connected'
  if (known.verdict === 'left') return 'left'
  if (known.member.incarnation !== incarnation) return 'restarted'
  if (plan.gone.has(peer)) return 'left the plan'
  if (known.verdict === 'dead') return 'dead'
  return known.connected ? null : 'not connected'
}

function loseQuorum(step: Step): void {
  const { state } = step
  const { plan } = state
  if (plan === null) return
  const stage = stageAt(plan, plan.position)
  const missing = missingMembers(state, plan)
  const members = plan.members.length
  const why = missing.map(({ name, reason }) => `${name}: ${reason}`).join(', ')
  const reason =
    missing.length === 0
      ? `no majority of ${members} members answered`
      : `only ${members - missing.length} of ${members} members are reachable (${why})`
  if (state.leader === null) {
    state.campaign = null
    state.electionAt = step.now + limits.campaignRetryMaxMs
  }
  if (stage?.barrier.policy === 'best_effort') releaseAlone(step)
  else finish(step, 'quorum_lost', reason)
}
