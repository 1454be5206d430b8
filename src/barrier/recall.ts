/**
 * Values that a leader must carry over and lacks. Promises name what was accepted by its ballot, as a sequence has one value
 * a ballot; the value, which may be large, is asked of one of those that hold it.
 */

import { compareBallots, sameBallot } from './ballot.ts'
import type { AcceptedNote, Decision } from './decisions.ts'
import { limits } from './limits.ts'
import { heartbeatSpec, isMember } from './membership.ts'
import type { Ballot, PeerId } from './plans.ts'
import type { LeaderState, PlanState } from './state.ts'
import type { Step } from './step.ts'

/** The value proposed for the open sequence at `ballot`, where this peer has it. */
export function valueAt(plan: PlanState, ballot: Ballot): Decision | null {
  for (const held of [plan.accepted, plan.known, plan.arming?.proposal ?? null]) {
    if (held !== null && sameBallot(held.ballot, ballot)) return held.decision
  }
  return null
}

/** Whatever was asked when: at its ballot there is no other value. Keeps the newest. */
export function learnValue(plan: PlanState, note: AcceptedNote | null): void {
  if (note === null || note.decision === null || note.decision.sequence !== plan.openSequence) return
  const { ballot, decision } = note
  if (plan.known === null || compareBallots(ballot, plan.known.ballot) > 0) plan.known = { ballot, decision }
}

/** Leader: asks one more holder when the last one had its time. False when enough were asked in vain. */
export function recall(step: Step, plan: PlanState, lead: LeaderState, ballot: Ballot): boolean {
  const { state, now } = step
  const before = lead.recall !== null && sameBallot(lead.recall.ballot, ballot) ? lead.recall : null
  const asked = new Set(before?.asked)
  const alive = holders(step, plan, lead, ballot)
  const open = alive.filter((peer) => !asked.has(peer))
  const next = open.find((peer) => isConnected(step, peer)) ?? open[0]
  const mayAnswer = before !== null && now < before.until && alive.includes(before.from)
  if (mayAnswer && (next === undefined || isConnected(step, before.from))) return true
  if (next === undefined || asked.size >= limits.recallsMax) return false
  const waitMs = before === null ? heartbeatSpec(state).heartbeatIntervalMs : 2 * before.waitMs
  lead.recall = { ballot, asked: asked.add(next), from: next, until: now + waitMs, waitMs }
  const { ref, openSequence } = plan
  step.send(next, { type: 'vote', ballot: lead.ballot, plan: ref, sequence: openSequence, inFull: true })
  return true
}

/** It said so by its promise. */
export function hasAccepted(plan: PlanState, lead: LeaderState, peer: PeerId, ballot: Ballot): boolean {
  const accepted = lead.promises.get(peer)
  return accepted?.sequence === plan.openSequence && sameBallot(accepted.ballot, ballot)
}

function holders({ state }: Step, plan: PlanState, lead: LeaderState, ballot: Ballot): PeerId[] {
  return [...lead.promises.keys()].filter((peer) => {
    const isAlive = state.peers.get(peer)?.verdict === 'alive' && isMember(state, plan.members, peer)
    return isAlive && hasAccepted(plan, lead, peer, ballot)
  })
}

function isConnected({ state }: Step, peer: PeerId): boolean {
  return state.peers.get(peer)?.connected ?? false
}
