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
