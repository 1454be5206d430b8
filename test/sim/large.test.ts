/** Decisions that are large: they are slow on their way, and nobody draws more of them than it needs. */

import { expect, it } from 'vitest'
import { barrierSpec, planOf } from '../barrier/plans.ts'
import { charsOf } from './bandwidth.ts'
import { Rehearsal } from './rehearsal.ts'

const MEBI = 1024 * 1024
const MEMBERS = 8
const CHARS = 3 * MEBI
const STAGES = 2

/** What each has received, by host. */
function drawn(show: Rehearsal): Map<string, number> {
  const chars = new Map<string, number>()
  show.cluster.watchers.push({
    booted: () => undefined,
    fed: ({ host }, input) => {
      if (input.type === 'message') chars.set(host, (chars.get(host) ?? 0) + charsOf(input.message))
    },
    carried: () => undefined,
  })
  return chars
}

const barrier = barrierSpec('all_or_nothing', { barrierTimeoutMs: 300_000 })

it.each([20_000, 40_000, 100_000])(
  '8 members with 3 Mi characters of results each, %i a millisecond: leaders fall silent over it, and the plan is completed',
  (charsPerMs) => {
    for (let seed = 1; seed <= 5; seed += 1) {
      const show = new Rehearsal({ count: MEMBERS, seed, chars: CHARS, charsPerMs })
      show.start(planOf({ submission: 'p', stages: STAGES, barrier, agents: MEMBERS }))
      const chars = drawn(show)
      show.until(60_000, () => show.cluster.live().every(({ host }) => show.endings()[host] !== undefined))
      expect(new Set(Object.values(show.endings())), `seed ${seed}`).toEqual(new Set(['completed']))
      // A ready is not said again while it may still be on its way.
      expect(show.cluster.sent.get('ready'), `seed ${seed}`).toBeLessThan(50)
      // All results of a stage are a decision; some have it twice, as their leader and from another one.
      expect(Math.max(...chars.values()), `seed ${seed}`).toBeLessThan(2.5 * STAGES * MEMBERS * CHARS)
    }
  },
)

it.each([100, 3000, 9000])('a plan that a member takes %i ms to get ready for is sent once', (armMs) => {
  const show = new Rehearsal({ count: 5, armMs: (host) => (host === 'c' ? armMs : 10) })
  show.start(planOf({ submission: 'p', stages: 1, barrier, agents: 5 }))
  expect(show.cluster.sent.get('propose')).toBe(4)
})
