/** Who counts for what: pure questions about the state. */

import { isNamed } from './invariants.ts'
import { idleBarrier } from './limits.ts'
import type { BarrierSpec, Member, PeerId, PlanRef, StageSpec } from './plans.ts'
import { majorityOf } from './policy.ts'
import type { CoreState, PlanState } from './state.ts'

/** The plan whose next sequence this peer helps to decide; null when idle, on its own, or when all is decided. */
export function openPlan(state: CoreState): PlanState | null {
  const { plan } = state
  if (plan === null || plan.unilateral || plan.openSequence > plan.spec.stages.length) return null
  return plan
}

export function samePlan(a: PlanRef | null, b: PlanRef | null): boolean {
  return a === null || b === null ? a === b : a.uid === b.uid
}

export function showPlan(plan: PlanRef | null): string {
  return plan === null ? 'no plan' : `plan ${plan.number} (${plan.uid})`
}

/** Those whose votes count: the members of the open sequence, or (idle) everybody present. Contains this peer. */
export function electorate(state: CoreState): PeerId[] {
  const plan = openPlan(state)
  if (plan !== null) return plan.members.map((member) => member.peer)
  const present = [...state.peers.values()].filter((peer) => peer.connected && peer.verdict !== 'left')
  return [state.self.peer, ...present.map((peer) => peer.member.peer)]
}

export function hasMajority(voters: readonly PeerId[], granted: { has(peer: PeerId): boolean }): boolean {
  return voters.filter((peer) => granted.has(peer)).length >= majorityOf(voters.length)
}

/** The start that the decision of `sequence` was announced with, where it is not the one it names. */
export function announcedStart(plan: PlanState, sequence: number): number | null {
  return sequence === plan.openSequence - 1 ? plan.announcedStart : null
}

/** The stage whose barrier is `sequence`; undefined for 0. */
export function stageAt(plan: PlanState, sequence: number): StageSpec | undefined {
  return plan.spec.stages[sequence - 1]
}

/** Heartbeat and query settings in force: those of the open sequence, else of the first stage, else the idle ones. */
export function heartbeatSpec(state: CoreState): typeof idleBarrier | BarrierSpec {
  const plan = openPlan(state)
  if (plan === null) return idleBarrier
  return (stageAt(plan, plan.openSequence) ?? stageAt(plan, 1))?.barrier ?? idleBarrier
}

export function silenceMs(state: CoreState): number {
  const spec = heartbeatSpec(state)
  return spec.heartbeatIntervalMs * spec.missedThreshold
}

export function nameOf(state: CoreState, peer: PeerId): string {
  if (peer === state.self.peer) return state.self.name
  const known = state.peers.get(peer)?.member ?? state.plan?.roster.find((member) => member.peer === peer)
  return known?.name ?? peer
}

/** True when `peer`, in the incarnation seen now, is a member of the open sequence. */
export function isMember(state: CoreState, members: readonly Member[], peer: PeerId): boolean {
  if (peer === state.self.peer) return isNamed(members, state.self)
  const known = state.peers.get(peer)
  return known !== undefined && isNamed(members, known.member)
}
