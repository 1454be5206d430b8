/** Nobody speaks by the ballot of another, or of a plan that is not its own: whatever it says so changes nothing. */

import { expect, it } from 'vitest'
import type { Ballot, Decision, Message, PlanRef, StartDecision } from '../../src/barrier/mod.ts'
import { Rehearsal } from '../sim/rehearsal.ts'
import { barrierSpec, planOf } from './plans.ts'

type Forge = (ballot: Ballot, plan: PlanRef, decision: Decision) => Message

const forgeries: Record<string, Forge> = {
  pong: (ballot, plan) => ({
    ...{ type: 'pong', ballot, plan, sequence: 1, planMax: 1, readyKnown: true, lateKnown: [] },
    ...{ pingSentAt: 0, receivedAt: 0, sentAt: 0 },
  }),
  heartbeat: (ballot, plan) => ({
    type: 'heartbeat',
    ballot,
    plan,
    sequence: 1,
    planMax: 1,
    digest: null,
    clock: null,
  }),
  prevote: (ballot, plan) => ({ type: 'prevote', ballot, plan, sequence: 1 }),
  vote: (ballot, plan) => ({ type: 'vote', ballot, plan, sequence: 1, inFull: false }),
  propose: (ballot, _, decision) => ({ type: 'propose', ballot, decision }),
  remind: (ballot, plan) => ({ type: 'remind', ballot, plan, sequence: 1, origin: ballot }),
  decided: (ballot, plan) => ({ type: 'decided', ballot, plan, sequence: 1, startAt: null }),
  handover: (ballot) => ({ type: 'handover', ballot }),
}

it.each(Object.entries(forgeries))('a %s', (type, forge) => {
  const rehearsal = new Rehearsal({ count: 3, stageMs: () => 10_000 })
  const barrier = barrierSpec('all_or_nothing')
  const leader = rehearsal.start(planOf({ submission: 's', stages: 1, barrier, agents: 3 }))
  const [victim, liar] = rehearsal.others(leader)
  const started = rehearsal.seen.find(({ output }) => output.type === 'plan_started')?.output
  if (victim === undefined || liar === undefined || started?.type !== 'plan_started') throw new Error('unreachable')
  const { ballot } = started.decision
  const { plan, decision } = started
  const abort: Decision = {
    ...{ kind: 'abort', plan, sequence: 1, ballot, leader: leader.host, policy: 'all_or_nothing', reason: 'so there' },
    ...{ members: decision.members, excluded: [], reports: [] },
  }
  for (const term of [ballot.term, ballot.term + 5]) {
    const now = victim.clock.at(rehearsal.cluster.now)
    const before = victim.core.status(now)
    const { peer: from, incarnation } = liar.member
    const message = forge({ term, peer: leader.member.peer }, plan, abort)
    const outputs = victim.core.step({ type: 'message', from, incarnation, message }, now, 0.5)
    const expected = expect.objectContaining({ type: 'rejected', reason: 'not_leader', from, message: type })
    expect(outputs.filter((output) => output.type !== 'send' || output.message.type !== 'prevote_reply')).toEqual([
      expected,
    ])
    expect({ ...victim.core.status(now), peers: [], rejected: {} }).toEqual({ ...before, peers: [], rejected: {} })
  }
})

it('a start of a plan in which the teller has no part, or at another sequence, binds nobody', () => {
  const rehearsal = new Rehearsal({ count: 3, stageMs: () => 10 })
  const barrier = barrierSpec('all_or_nothing')
  const leader = rehearsal.start(planOf({ submission: 's', stages: 1, barrier, agents: 3 }))
  rehearsal.until(10_000, () => rehearsal.cluster.live().every(({ host }) => rehearsal.endings()[host] === 'completed'))
  const [victim, liar] = rehearsal.others(leader)
  const started = rehearsal.seen.find(({ output }) => output.type === 'plan_started')?.output
  if (victim === undefined || liar === undefined || started?.type !== 'plan_started') throw new Error('unreachable')
  const { decision } = started
  const now = victim.clock.at(rehearsal.cluster.now)
  const { peer: from, incarnation } = liar.member
  const tell = (change: Partial<Pick<StartDecision, 'members' | 'sequence'>>) => {
    const message = { type: 'decision', decision: { ...decision, plan: { number: 9, uid: '9' }, ...change } } as const
    victim.core.step({ type: 'message', from, incarnation, message: { ...message, startAt: null } }, now, 0.5)
    return victim.core.status(now).plan?.number ?? null
  }
  expect(tell({ members: [victim.member, leader.member] })).toBeNull()
  expect(tell({ sequence: 1 })).toBeNull()
  expect(tell({})).toBe(9)
})
