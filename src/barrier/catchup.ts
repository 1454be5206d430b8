/** What a peer that is behind asks for, and what it is told; what one outside is told. */

import type { Decision } from './decisions.ts'
import { limits } from './limits.ts'
import { announcedStart, heartbeatSpec, samePlan } from './membership.ts'
import type { Ballot, PeerId, PlanRef } from './plans.ts'
import type { CoreState, PlanState } from './state.ts'
import type { Step } from './step.ts'

/**
 * `to` knows the decisions before `until`, which this peer lacks. Everybody who is ahead lets it know that; it asks
 * again only when nothing has come for a heartbeat interval, then for twice as long each time.
 */
export function askDecisions(step: Step, plan: PlanState, to: PeerId, until: number): void {
  const { state, now } = step
  const { catchup } = plan
  if (catchup !== null && now < catchup.at + catchup.waitMs) return
  const intervalMs = heartbeatSpec(state).heartbeatIntervalMs
  const waitMs = catchup === null ? intervalMs : Math.min(2 * catchup.waitMs, limits.repeatIntervalsMax * intervalMs)
  plan.catchup = { until, at: now, waitMs }
  step.send(to, { type: 'catchup', plan: plan.ref, sequence: plan.openSequence })
}

/** The value is most likely on its way, and gossip was quicker: it is asked for like one that was asked for now. */
export function awaitDecision({ state, now }: Step, plan: PlanState, until: number): void {
  plan.catchup ??= { until, at: now, waitMs: heartbeatSpec(state).heartbeatIntervalMs }
}

/** Sends the decided values of a plan from `sequence` on. False where this peer has none. */
export function giveDecisions(step: Step, to: PeerId, plan: PlanRef, sequence: number): boolean {
  const { state } = step
  const own = samePlan(state.plan?.ref ?? null, plan) ? state.plan : null
  const list = decisionsFor(state, to, plan).slice(Math.max(0, sequence))
  for (const decision of list) {
    step.send(to, { type: 'decision', decision, startAt: own === null ? null : announcedStart(own, decision.sequence) })
  }
  return list.length > 0
}

/** The decided values of a plan that `to` may have: only one that was on the roster, results are nobody else's business. */
export function decisionsFor(state: CoreState, to: PeerId, plan: PlanRef): readonly Decision[] {
  const own = samePlan(state.plan?.ref ?? null, plan) ? state.plan : null
  const held = own ?? state.archive.find((ended) => samePlan(ended.ref, plan))
  return held?.roster.some((member) => member.peer === to) ? held.decisions : []
}

/**
 * This peer will not accept anything of `plan`, whatever comes later. Where it had not accepted the start before, this
 * is as good as a promise that the start is not chosen.
 */
export function refuse(step: Step, to: PeerId, ballot: Ballot, plan: PlanRef, reason: string): void {
  const { refusedPlans, joinedPlans, planMax } = step.state
  if (!refusedPlans.includes(plan.uid)) refusedPlans.push(plan.uid)
  if (refusedPlans.length > limits.refusedPlansMax) refusedPlans.shift()
  step.send(to, { type: 'refuse', ballot, plan, reason, accepted: joinedPlans.get(plan.uid) === true, planMax })
}
