/** A barrier's decision carries the results of all, and is one message: they have a bound. */

import { expect, it } from 'vitest'
import { BarrierCore, barrierLimits, type Output } from '../../src/barrier/mod.ts'
import { barrierSpec, planOf } from './plans.ts'

/** A run of one peer whose stage has results of so many characters. */
function decideWith(chars: number): Output[] {
  let now = 0
  const core = new BarrierCore({ self: { peer: 'a', name: 'a', incarnation: '1' }, now, dice: 0.5 })
  const barrier = barrierSpec('all_or_nothing')
  core.step({ type: 'submit', spec: planOf({ submission: 's', stages: 2, barrier, agents: 1 }) }, now, 0.5)
  for (;;) {
    now = Math.max(now, core.nextWakeAt() ?? now)
    const started = core.step({ type: 'tick' }, now, 0.5).find(({ type }) => type === 'run_stage')
    if (started?.type !== 'run_stage') continue
    const { plan, sequence } = started
    return core.step({ type: 'ready', plan, sequence, status: 'ok', payload: 'x'.repeat(chars) }, now, 0.5)
  }
}

it('results that one message can carry are released with their barrier', () => {
  const decided = decideWith(barrierLimits.reportsCharsMax).find(({ type }) => type === 'decided')
  expect(decided).toMatchObject({ decision: { kind: 'release', reports: [{ peer: 'a' }] } })
})

it('larger ones end the plan, with a word on why: nobody would ever receive the release', () => {
  const outputs = decideWith(barrierLimits.reportsCharsMax + 1)
  const decided = outputs.find(({ type }) => type === 'decided')
  expect(decided).toMatchObject({ decision: { kind: 'abort', reports: [], reason: expect.stringContaining('s1') } })
  // Who measured them has them all the same.
  const finished = outputs.find(({ type }) => type === 'plan_finished')
  expect(finished).toMatchObject({ status: 'aborted', reports: [{ peer: 'a', sequence: 1, status: 'ok' }] })
})

/** What `b` answers to a vote while it waits at the first barrier with results of so many characters. */
function promiseWith(chars: number): Output | undefined {
  const [a, b] = ['a', 'b'].map((name) => ({ peer: name, name, incarnation: '1' }))
  if (a === undefined || b === undefined) throw new Error('two members')
  const core = new BarrierCore({ self: b, now: 0, dice: 0.5 })
  const from = { type: 'message', from: 'a', incarnation: '1' } as const
  const plan = { number: 1, uid: 'plan1' }
  const ballot = { term: 1, peer: 'a' }
  const barrier = barrierSpec('all_or_nothing')
  const spec = planOf({ submission: 's', stages: 2, barrier, agents: 2 })
  const base = { plan, sequence: 0, ballot, leader: 'a' }
  const start = { kind: 'start', ...base, spec, members: [a, b], armMs: 0, startAt: 0 } as const
  const vote = { type: 'vote', ballot: { term: 2, peer: 'a' }, plan, sequence: 1, inFull: false } as const
  core.step({ type: 'peer_up', member: a }, 0, 0.5)
  core.step({ ...from, message: { type: 'propose', ballot, decision: start } }, 1, 0.5)
  core.step({ ...from, message: { type: 'decided', ballot, plan, sequence: 0, startAt: null } }, 2, 0.5)
  core.step({ type: 'ready', plan, sequence: 1, status: 'ok', payload: 'x'.repeat(chars) }, 3, 0.5)
  return core
    .step({ ...from, message: vote }, 4, 0.5)
    .find((output) => output.type === 'send' && output.message.type === 'promise')
}

it('small results go with a vote; large ones would hold it up, and are told to whoever wins', () => {
  const { promisedReadyCharsMax: max } = barrierLimits
  expect(promiseWith(max)).toMatchObject({ message: { ready: { sequence: 1, status: 'ok' } } })
  expect(promiseWith(max + 1)).toMatchObject({ message: { ready: null } })
})
