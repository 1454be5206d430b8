/**
 * The acceptor. A start is accepted once this peer is ready for its plan: it needs everybody it names, so the first stage
 * begins when all are. To the agreement that is a slow network: whoever leads meanwhile is answered as ever.
 */

import { assert } from './assert.ts'
import { compareBallots, sameBallot } from './ballot.ts'
import type { Accepted, StartDecision } from './decisions.ts'
import { limits } from './limits.ts'
import { openPlan, samePlan } from './membership.ts'
import type { PlanRef } from './plans.ts'
import type { PlanState } from './state.ts'
import type { Step } from './step.ts'

export function accept(step: Step, plan: PlanState, proposal: Accepted): void {
  plan.accepted = proposal
  if (proposal.decision.kind === 'start') step.state.joinedPlans.set(plan.ref.uid, true)
}

/** bound -> arming: the start is proposed, and what its plan needs is brought up. */
export function beginArming(step: Step, plan: PlanState, start: StartDecision): void {
  plan.arming = { until: step.now + Math.min(start.armMs, limits.armMsMax), proposal: null }
  step.emit({ type: 'plan_proposed', decision: start, plan: plan.ref })
}

/** Accepts what was promised to the proposer, or keeps it until this peer is armed. */
export function takeProposal(step: Step, plan: PlanState, proposal: Accepted): void {
  if (plan.arming !== null && proposal.decision.kind === 'start') plan.arming.proposal = proposal
  else answer(step, plan, proposal)
}

export function onArmed(step: Step, ref: PlanRef): void {
  const plan = openPlan(step.state)
  if (plan !== null && samePlan(plan.ref, ref)) endArming(step, plan)
}

/** Who is not ready in time takes part all the same, and begins its first stage late. */
export function tickArming(step: Step): void {
  const plan = openPlan(step.state)
  if (plan !== null && plan.arming !== null && step.now >= plan.arming.until) endArming(step, plan)
}

export function armingWakeAt(step: Step): number | null {
  return openPlan(step.state)?.arming?.until ?? null
}

/** arming -> armed. A proposal of a ballot below what was promised since is none any more. */
function endArming(step: Step, plan: PlanState): void {
  const proposal = plan.arming?.proposal ?? null
  plan.arming = null
  if (proposal !== null && sameBallot(proposal.ballot, step.state.promised)) answer(step, plan, proposal)
}

function answer(step: Step, plan: PlanState, proposal: Accepted): void {
  const { ballot, decision } = proposal
  assert(compareBallots(ballot, step.state.promised) >= 0, 'B4 nothing is accepted below what was promised')
  accept(step, plan, proposal)
  step.send(ballot.peer, { type: 'accept', ballot, plan: plan.ref, sequence: decision.sequence })
}
