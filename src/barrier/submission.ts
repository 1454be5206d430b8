/** From a submitted plan to a leader that gathers peers for it. Nothing unsafe rests on this: the start is agreed on. */

import { showBallot } from './ballot.ts'
import { limits } from './limits.ts'
import { nameOf, openPlan, showPlan, silenceMs } from './membership.ts'
import type { Message, SubmitOutcome } from './messages.ts'
import type { Member, PeerId, PlanRef, PlanSpec, Wanted } from './plans.ts'
import type { Gathering, LeaderState, PeerState } from './state.ts'
import type { Step } from './step.ts'

/** This peer (or a client of it) has a plan: hand it to whoever leads, until there is an answer. */
export function submit(step: Step, spec: PlanSpec): void {
  const { state, now } = step
  if (state.submits.has(spec.submission)) return
  state.submits.set(spec.submission, { spec, deadlineAt: now + spec.agentReadyTimeoutMs, sendAt: now })
}

/** Sends waiting submissions to the leader, and gives up those that waited too long. */
export function tickSubmits(step: Step): void {
  const { state, now } = step
  for (const [submission, pending] of state.submits) {
    if (state.plan?.decisions[0]?.kind === 'start' && state.plan.spec.submission === submission) {
      outcomeHere(step, submission, { status: 'accepted', plan: state.plan.ref })
      continue
    }
    if (now >= givenUpAt(step, submission, pending.deadlineAt)) {
      outcomeHere(step, submission, { status: 'refused', detail: unanswered(step) })
    } else if (now >= pending.sendAt && state.leader !== null) {
      pending.sendAt = now + limits.submitRetryMs
      if (state.lead !== null) onSubmit(step, state.self.peer, pending.spec)
      else step.send(state.leader.peer, { type: 'submit', spec: pending.spec })
    }
  }
}

export function submitsWakeAt(step: Step): number | null {
  let wakeAt: number | null = null
  for (const [submission, { sendAt, deadlineAt }] of step.state.submits) {
    const at = step.state.leader === null ? givenUpAt(step, submission, deadlineAt) : sendAt
    if (wakeAt === null || at < wakeAt) wakeAt = at
  }
  return wakeAt === Number.POSITIVE_INFINITY ? null : wakeAt
}

/**
 * A leader that gathers peers answers at the deadline itself; the margin is for that answer to arrive. A start that is proposed
 * is waited for: it may be chosen yet. It ends as every open sequence does, at the latest when this peer gives it up.
 */
function givenUpAt({ state }: Step, submission: string, deadlineAt: number): number {
  const plan = openPlan(state)
  const isStarting = plan?.openSequence === 0 && plan.spec.submission === submission
  return isStarting ? Number.POSITIVE_INFINITY : deadlineAt + 2 * limits.submitRetryMs
}

/** A new leader: whatever was sent to the old one is sent again. */
export function resubmit(step: Step): void {
  for (const pending of step.state.submits.values()) pending.sendAt = step.now
}

/** Leader: one plan at a time. */
export function onSubmit(step: Step, from: PeerId, spec: PlanSpec): void {
  const { state, now } = step
  const { lead } = state
  if (lead === null) {
    step.reject('not_leader', from, 'submit', showBallot(state.promised), 'a submission to a peer that does not lead')
    return
  }
  const outcome = state.closedSubmits.get(spec.submission) ?? unfit(spec) ?? knownOutcome(step, lead, spec)
  if (outcome !== undefined) {
    if (outcome.status !== 'accepted') remember(step, spec.submission, outcome)
    reply(step, from, spec.submission, outcome)
    return
  }
  if (lead.gathering !== null) lead.gathering.replyTo.add(from)
  else if (state.plan === null) {
    const deadlineAt = now + spec.agentReadyTimeoutMs
    lead.gathering = { spec, replyTo: new Set([from]), deadlineAt, refused: new Map() }
  }
}

export function onSubmitReply(step: Step, message: Extract<Message, { type: 'submit_reply' }>): void {
  outcomeHere(step, message.submission, message.outcome)
}

/** Leader: the end of a gathering, told to all who asked. */
export function closeGathering(step: Step, lead: LeaderState, outcome: SubmitOutcome): void {
  const { gathering } = lead
  if (gathering === null) return
  lead.gathering = null
  if (outcome.status !== 'accepted') remember(step, gathering.spec.submission, outcome)
  for (const peer of gathering.replyTo) reply(step, peer, gathering.spec.submission, outcome)
}

/** Leader: what became of the start that it proposed for its gathering. */
export function settleGathering(step: Step): void {
  const { state } = step
  const { lead } = state
  if (lead === null || lead.gathering === null) return
  const { submission } = lead.gathering.spec
  const plan = state.plan?.spec.submission === submission ? state.plan : null
  if (plan !== null) {
    if (plan.decisions[0]?.kind === 'start') closeGathering(step, lead, { status: 'accepted', plan: plan.ref })
    else for (const [peer, reason] of plan.refusals) lead.gathering.refused.set(peer, reason)
    return
  }
  const ended = startedBefore(step, submission)
  if (ended !== undefined) closeGathering(step, lead, { status: 'accepted', plan: ended })
}

/** Why nobody has taken a submission in time. */
function unanswered({ state }: Step): string {
  if (state.leader === null) return 'no leader answered: are other peers there?'
  const name = nameOf(state, state.leader.peer)
  return `${name} leads, and gave no answer in time: agents may get ready too slowly (agent_ready_timeout), or it is cut off`
}

/** The roster for a gathering, or who is missing. */
export function wantedPeers(
  step: Step,
  lead: LeaderState,
  gathering: Gathering,
): { kind: 'roster'; members: Member[] } | { kind: 'missing'; detail: () => string } {
  const { state } = step
  const present = [state.self]
  for (const known of state.peers.values()) {
    const { member, verdict, plan } = known
    const here = known.connected && verdict === 'alive' && !isSilent(step, lead, known)
    if (here && plan === null && !gathering.refused.has(member.peer)) present.push(member)
  }
  present.sort((a, b) => compareText(a.name, b.name) || compareText(a.peer, b.peer))
  const { wanted } = gathering.spec
  const members = choose(state.self, present, wanted)
  if (members !== undefined) return { kind: 'roster', members: uniquelyNamed(members) }
  const refused = () => [...gathering.refused].map(([peer, reason]) => `${nameOf(state, peer)}: ${reason}`)
  return { kind: 'missing', detail: () => missingText(wanted, present, refused()) }
}

/** Peers ping their leader: one that does not is cut off, though its connection seems open. */
function isSilent({ state, now }: Step, lead: LeaderState, known: PeerState): boolean {
  const since = Math.max(known.lastHeardAt, lead.electedAt)
  return now - since >= silenceMs(state)
}

function choose(self: Member, present: readonly Member[], wanted: Wanted): Member[] | undefined {
  if (wanted.kind === 'all') return [...present]
  if (wanted.kind === 'count') {
    if (present.length < wanted.count) return undefined
    // The leader takes part, so that the plan is led by one of its members.
    const others = new Set(present.filter((member) => member.peer !== self.peer).slice(0, wanted.count - 1))
    return present.filter((member) => member.peer === self.peer || others.has(member))
  }
  const named = Map.groupBy(present, (member) => member.name)
  const members: Member[] = []
  for (const name of new Set(wanted.names)) {
    const [member, twin] = named.get(name) ?? []
    // Which of two is meant cannot be known: one may be on its way out.
    if (member === undefined || twin !== undefined) return undefined
    members.push(member)
  }
  return members
}

/** Names become folders and columns: a second peer of the same name gets a number. */
function uniquelyNamed(members: readonly Member[]): Member[] {
  const taken = new Set<string>()
  return members.map((member) => {
    let name = member.name
    for (let number = 2; taken.has(name); number += 1) name = `${member.name}-${number}`
    taken.add(name)
    return name === member.name ? member : { ...member, name }
  })
}

function missingText(wanted: Wanted, present: readonly Member[], refused: readonly string[]): string {
  const names = present.map((member) => member.name).join(', ')
  const busy = refused.length === 0 ? '' : `; refused by ${refused.join('; ')}`
  if (wanted.kind === 'names') {
    const missing = wanted.names.filter((name) => !present.some((member) => member.name === name))
    if (missing.length === 0) return `${twinsText(wanted.names, present)}${busy}`
    return `these agents did not come in time: ${missing.join(', ')} (present and idle: ${names})${busy}`
  }
  const count = wanted.kind === 'count' ? wanted.count : 1
  return `${count} agents are wanted, but only ${present.length} came in time (${names})${busy}`
}

function twinsText(names: readonly string[], present: readonly Member[]): string {
  const twins = names.map((name) => ({ name, peers: present.filter((member) => member.name === name) }))
  const shown = twins.filter(({ peers }) => peers.length > 1)
  const told = shown.map(({ name, peers }) => `"${name}" is the name of ${peers.map(({ peer }) => peer).join(' and ')}`)
  return `${told.join('; ')}: end one of them, or start it with another --name`
}

/** Nobody can take part in such a plan. */
function unfit({ wanted, stages }: PlanSpec): SubmitOutcome | undefined {
  if (stages.length === 0) return { status: 'refused', detail: 'the plan has no stages' }
  const nobody = (wanted.kind === 'names' && wanted.names.length === 0) || (wanted.kind === 'count' && wanted.count < 1)
  return nobody ? { status: 'refused', detail: 'the plan wants no agents' } : undefined
}

/** The answer to a submission that needs no gathering of its own. */
function knownOutcome(step: Step, lead: LeaderState, spec: PlanSpec): SubmitOutcome | undefined {
  const { state } = step
  const { plan } = state
  const ended = startedBefore(step, spec.submission)
  if (ended !== undefined) return { status: 'accepted', plan: ended }
  if (plan !== null && plan.spec.submission === spec.submission) {
    return plan.decisions[0]?.kind === 'start' ? { status: 'accepted', plan: plan.ref } : undefined
  }
  if (plan !== null) {
    return { status: 'busy', plan: plan.ref, detail: `${showPlan(plan.ref)} is under way` }
  }
  if (lead.gathering !== null && lead.gathering.spec.submission !== spec.submission) {
    return {
      status: 'busy',
      plan: null,
      detail: `busy with another plan (${lead.gathering.spec.hash.slice(0, 12)}) that is about to start`,
    }
  }
  return undefined
}

function startedBefore(step: Step, submission: string): PlanRef | undefined {
  const { archive } = step.state
  return archive.find((ended) => ended.submission === submission && ended.decisions[0]?.kind === 'start')?.ref
}

/** What was answered once stays so: a copy that comes late must not start a plan that its owner has given up. */
function remember(step: Step, submission: string, outcome: SubmitOutcome): void {
  const { closedSubmits } = step.state
  closedSubmits.set(submission, outcome)
  for (const oldest of closedSubmits.keys()) {
    if (closedSubmits.size <= limits.closedSubmitsMax) return
    closedSubmits.delete(oldest)
  }
}

function reply(step: Step, to: PeerId, submission: string, outcome: SubmitOutcome): void {
  if (to === step.state.self.peer) outcomeHere(step, submission, outcome)
  else step.send(to, { type: 'submit_reply', submission, outcome })
}

function outcomeHere(step: Step, submission: string, outcome: SubmitOutcome): void {
  if (step.state.submits.delete(submission)) step.emit({ type: 'submit_outcome', submission, outcome })
}

function compareText(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1
}
