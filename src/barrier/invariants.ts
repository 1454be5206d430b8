/** What must always hold of one peer's core. Checked after every step, in production too. */

import { assert } from './assert.ts'
import { compareBallots, sameBallot, showBallot } from './ballot.ts'
import type { Decision, ReleaseDecision } from './decisions.ts'
import type { Member } from './plans.ts'
import { majorityOf } from './policy.ts'
import type { CoreState } from './state.ts'

/** B1 to B6 over the state of one peer; `before` is what it had promised when the step began. */
export function assertInvariants(state: CoreState, before: CoreState['promised']): void {
  assert(
    compareBallots(state.promised, before) >= 0,
    `B1 a promise never falls (${showBallot(before)} to ${showBallot(state.promised)})`,
  )
  const { plan, lead, leader } = state
  if (lead !== null) assert(leader !== null && sameBallot(leader, lead.ballot), 'B2 a leader follows itself')
  if (leader !== null) assert(sameBallot(state.promised, leader), 'B2 who follows a leader has promised nobody else')
  if (plan === null) return
  assert(plan.decisions.length === plan.openSequence, 'B3 sequences are decided one after another')
  if (plan.accepted !== null) {
    assert(plan.accepted.decision.sequence === plan.openSequence, 'B4 only the open sequence has an accepted value')
    assert(compareBallots(plan.accepted.ballot, state.promised) <= 0, 'B4 nothing is accepted above what was promised')
  }
  if (plan.known !== null)
    assert(plan.known.decision.sequence === plan.openSequence, 'B4 only the open sequence has a value')
  if (plan.position > 0 && !plan.unilateral) {
    const before = plan.decisions[plan.position - 1]
    assert(
      before !== undefined && before.kind !== 'abort' && isNamed(before.members, state.self),
      `B5 stage ${plan.position} runs only after sequence ${plan.position - 1} was released to this peer`,
    )
  }
}

/** Why `decision` is not one that the members of its sequence could make; undefined when it is fine. */
export function faultOf(decision: Decision, members: readonly Member[]): string | undefined {
  if (new Set(decision.members.map(({ peer }) => peer)).size !== decision.members.length) return 'a member named twice'
  if (decision.kind === 'start') {
    if (decision.sequence !== 0) return `a start at sequence ${decision.sequence}`
    return decision.members.length === 0 ? 'a start names nobody' : undefined
  }
  const incarnations = new Map(members.map(({ peer, incarnation }) => [peer, incarnation]))
  for (const { peer, name, incarnation } of decision.members) {
    if (incarnations.get(peer) !== incarnation) return `${name} is not a member of sequence ${decision.sequence}`
  }
  return decision.kind === 'release' ? policyFault(decision, members) : undefined
}

function policyFault(decision: ReleaseDecision, members: readonly Member[]): string | undefined {
  if (decision.sequence === 0) return 'a release before the start'
  const peers = new Set(members.map(({ peer }) => peer))
  const ready = decision.ready.filter((peer) => peers.has(peer))
  if (decision.members.length === 0) return 'a release without members'
  if (new Set(decision.ready).size !== decision.ready.length) return 'a member counted twice'
  if (decision.policy === 'all_or_nothing') {
    const complete = ready.length === members.length && decision.members.length === members.length
    return complete ? undefined : 'all_or_nothing released without every member ready'
  }
  if (decision.policy === 'majority' && ready.length < majorityOf(members.length)) {
    return `majority released with ${ready.length} of ${members.length} ready`
  }
  return undefined
}

export function isNamed(members: readonly Member[], member: Member): boolean {
  return members.some((other) => other.peer === member.peer && other.incarnation === member.incarnation)
}
