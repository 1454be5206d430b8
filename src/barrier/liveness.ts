/** Who is alive: heard from lately, else asked, else dead. Slow is not dead: any answer clears the verdict. */

import { askPromise } from './consensus.ts'
import { limits } from './limits.ts'
import { announcedStart, heartbeatSpec, isMember, openPlan, samePlan, silenceMs } from './membership.ts'
import type { Message } from './messages.ts'
import type { Member, PeerId } from './plans.ts'
import type { CoreState, PeerState } from './state.ts'
import type { Step } from './step.ts'

/** True when the peer was known before, as another incarnation: what that one knew and promised is forgotten. */
export function onPeerUp(step: Step, member: Member): boolean {
  const { state, now } = step
  const known = state.peers.get(member.peer)
  // What was asked for may have been lost with the connection.
  if (state.plan !== null) state.plan.catchup = null
  if (known !== undefined && known.member.incarnation === member.incarnation) {
    known.connected = true
    known.lastHeardAt = now
    if (known.verdict === 'dead') known.verdict = 'alive'
    endQuery(state, known)
    return false
  }
  if (known !== undefined) endQuery(state, known)
  else forgetGone(state)
  state.peers.set(member.peer, {
    member,
    connected: true,
    lastHeardAt: now,
    verdict: 'alive',
    query: null,
    pings: { count: 0, lastAt: now },
    plan: null,
    offsets: [],
  })
  return known !== undefined
}

/** Makes room for one more: those that are gone, and matter to nobody, are forgotten, the first ones met first. */
function forgetGone({ peers, plan }: CoreState): void {
  if (peers.size < limits.peersMax) return
  const roster = new Set(plan?.roster.map(({ peer }) => peer))
  for (const [peer, { connected }] of peers) {
    if (peers.size < limits.peersMax) return
    if (!connected && !roster.has(peer)) peers.delete(peer)
  }
}

/** A closed connection is asked about at once. */
export function onPeerDown(step: Step, peer: PeerId): void {
  const known = step.state.peers.get(peer)
  if (known === undefined) return
  known.connected = false
  endQuery(step.state, known)
  const watches = openPlan(step.state)?.members.some((member) => member.peer === peer) ?? false
  if (watches && known.verdict === 'alive') ask(step, known, 0)
}

/** Nothing listens where the peer was: this try is answered, and the next one is due now. */
export function onUnreachable(step: Step, peer: PeerId): void {
  const known = step.state.peers.get(peer)
  if (known === undefined || known.connected || known.query === null) return
  nextAttempt(step, known)
}

export function heard(step: Step, known: PeerState): void {
  known.lastHeardAt = step.now
  known.pings.count = 0
  if (known.verdict === 'dead') known.verdict = 'alive'
  if (known.query !== null) endQuery(step.state, known)
}

export function endQuery(state: CoreState, known: PeerState): void {
  known.query = null
  state.asked.delete(known.member.peer)
}

export function onQuery(step: Step, from: PeerId, message: Extract<Message, { type: 'query' }>): void {
  const plan = openPlan(step.state)
  step.send(from, {
    type: 'answer',
    nonce: message.nonce,
    plan: plan?.ref ?? null,
    sequence: plan?.openSequence ?? 0,
  })
}

export function onAnswer(step: Step, known: PeerState, message: Extract<Message, { type: 'answer' }>): void {
  if (known.query?.nonce !== message.nonce) return
  known.plan = message.plan
  callIn(step, known)
}

/**
 * Leader: a member that is not in the plan, though it was started, has not heard of the start yet, or has given up.
 * The start and a vote make it say which: it joins, or refuses for good.
 */
export function callIn(step: Step, known: PeerState): void {
  const { state } = step
  const plan = openPlan(state)
  const start = plan?.decisions[0]
  const { peer } = known.member
  if (state.lead === null || plan === null || start === undefined || samePlan(known.plan, plan.ref)) return
  if (plan.gone.has(peer) || !isMember(state, plan.members, peer)) return
  step.send(peer, { type: 'decision', decision: start, startAt: announcedStart(plan, 0) })
  askPromise(step, peer)
}

/** Asks the silent (leader only), and goes on with open questions. */
export function tickLiveness(step: Step): void {
  const { state, now } = step
  for (const known of watched(step)) {
    if (known.query !== null) {
      if (now >= known.query.deadlineAt) nextAttempt(step, known)
    } else if (state.lead !== null && known.verdict === 'alive' && now - known.lastHeardAt >= silenceMs(state)) {
      askTheSilent(step, known)
    }
  }
}

/** The pings that a leader of before has left without an answer were questions already. */
function askTheSilent(step: Step, known: PeerState): void {
  const { count, lastAt } = known.pings
  if (count === 0) ask(step, known, 0)
  else openQuery(step, known, count, lastAt)
}

/** When `tickLiveness` has something to do next. */
export function livenessWakeAt(step: Step): number | null {
  const { state } = step
  let wakeAt: number | null = null
  for (const known of watched(step)) {
    if (known.verdict !== 'alive') continue
    const at = known.query?.deadlineAt ?? (state.lead !== null ? known.lastHeardAt + silenceMs(state) : null)
    if (at !== null && (wakeAt === null || at < wakeAt)) wakeAt = at
  }
  return wakeAt
}

/** For so long others could not be heard: their silence, and the questions open to them, last that much longer. */
export function excuse({ state, now }: Step, excusedMs: number): void {
  for (const known of state.peers.values()) {
    if (known.connected) known.lastHeardAt = Math.min(now, known.lastHeardAt + excusedMs)
    if (known.query !== null) known.query.deadlineAt += excusedMs
  }
}

/** After a pause of this process the silence was its own. */
export function forgiveSilence(step: Step): void {
  for (const known of step.state.peers.values()) {
    if (!known.connected) continue
    known.lastHeardAt = step.now
    known.pings.count = 0
  }
}

/** Members of the open sequence that may need a question: for a leader all others, else those being asked. */
function watched(step: Step): PeerState[] {
  const { state } = step
  const list: PeerState[] = []
  if (state.lead === null && state.asked.size === 0) return list
  for (const { peer } of openPlan(state)?.members ?? []) {
    const known = state.peers.get(peer)
    if (known !== undefined && (state.lead !== null || state.asked.has(peer))) list.push(known)
  }
  return list
}

function ask(step: Step, known: PeerState, attempts: number): void {
  const { state } = step
  openQuery(step, known, attempts + 1, step.now)
  if (known.connected) {
    step.send(known.member.peer, { type: 'query', nonce: state.nonce, plan: openPlan(state)?.ref ?? null })
  } else step.emit({ type: 'probe', peer: known.member.peer })
}

function openQuery({ state }: Step, known: PeerState, attempts: number, askedAt: number): void {
  state.nonce += 1
  known.query = { nonce: state.nonce, attempts, deadlineAt: askedAt + heartbeatSpec(state).queryTimeoutMs }
  state.asked.add(known.member.peer)
}

function nextAttempt(step: Step, known: PeerState): void {
  const attempts = known.query?.attempts ?? 0
  endQuery(step.state, known)
  if (attempts >= Math.max(1, heartbeatSpec(step.state).queryRetries)) known.verdict = 'dead'
  else ask(step, known, attempts)
}
