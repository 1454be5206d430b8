/** The policy table of the design, row by row: who stands where, and what follows. */

import { describe, expect, it } from 'vitest'
import { judge, majorityOf, type Policy, type Standing, type Verdict } from '../../src/barrier/mod.ts'
import { barrierSpec } from './plans.ts'

const states = { r: 'ready', f: 'failed', w: 'waiting', d: 'dead', l: 'left' } as const

/** `r10 w d`: one ready since 10 s, one waiting, one dead. A dead or left one was never ready, unless it says when. */
function standings(text: string): Standing[] {
  return text.split(' ').map((word, index) => {
    const state = states[word.charAt(0) as keyof typeof states]
    const since = word.slice(1)
    const peer = 'abcdefghi'.charAt(index)
    return { peer, name: peer, state, readyAt: since === '' ? null : Number(since) * 1000 }
  })
}

/** `release ab, excluded c:dead`, `abort c:dead`, `pending until 30`, `pending`. */
function show(verdict: Verdict): string {
  if (verdict.kind === 'pending')
    return verdict.recheckAt === null ? 'pending' : `pending until ${verdict.recheckAt / 1000}`
  const out = verdict.excluded.map(({ peer, reason }) => `${peer}:${reason}`).join(' ')
  if (verdict.kind === 'abort') return `abort ${out}`
  const late = verdict.stay.filter((peer) => !verdict.ready.includes(peer)).join('')
  return `release ${verdict.ready.join('')}${late && ` with ${late}`}${out && `, excluded ${out}`}`
}

/** At `now` seconds, with agent_barrier_timeout 60 s and straggler_grace 10 s. */
type Row = readonly [standings: string, now: number, verdict: string]

const tables: Readonly<Record<Policy, readonly Row[]>> = {
  all_or_nothing: [
    ['w', 0, 'pending'],
    ['r0', 0, 'release a'],
    ['r0 r1', 1, 'release ab'],
    ['r5 w w', 5, 'pending until 65'],
    ['r5 r6 r7', 7, 'release abc'],
    ['r5 r6 w', 64.9, 'pending until 65'],
    ['r5 r6 w', 65, 'abort c:straggler'],
    ['w w w', 1000, 'pending'],
    ['r5 d w', 5, 'abort b:dead'],
    ['r5 r5 d5', 6, 'abort c:dead'],
    ['w w l', 0, 'abort c:left'],
    ['r5 f6 w', 6, 'abort b:failed'],
    ['r5 f6 d', 6, 'abort b:failed c:dead'],
  ],
  majority: [
    ['w', 0, 'pending'],
    ['r0', 0, 'release a'],
    ['r0 w', 0, 'pending until 60'],
    ['r0 d', 0, 'abort b:dead'],
    ['r5 r6 w', 6, 'pending until 16'],
    ['r5 r6 w', 15.9, 'pending until 16'],
    ['r5 r6 w', 16, 'release ab, excluded c:straggler'],
    ['r5 r60 w', 60, 'pending until 65'],
    ['r5 r60 w', 65, 'release ab, excluded c:straggler'],
    ['r5 r6 d', 6, 'release ab, excluded c:dead'],
    ['r5 r6 f6', 6, 'release ab, excluded c:failed'],
    ['r5 r6 l', 6, 'release ab, excluded c:left'],
    ['r5 w d', 6, 'pending until 65'],
    ['r5 w d', 65, 'abort b:straggler c:dead'],
    ['r5 d d', 6, 'abort b:dead c:dead'],
    ['f5 f5 w', 5, 'abort a:failed b:failed'],
    ['r5 r6 w w', 64, 'pending until 65'],
    ['r5 r6 r7 w', 8, 'pending until 17'],
    ['r5 r6 r7 w', 17, 'release abc, excluded d:straggler'],
    ['r1 r2 r3 d f2', 3, 'release abc, excluded d:dead e:failed'],
    ['w w w', 1000, 'pending'],
  ],
  best_effort: [
    ['w', 0, 'pending'],
    ['r0', 0, 'release a'],
    ['f0', 0, 'release a'],
    ['r5 w', 5, 'pending until 65'],
    ['r5 w', 65, 'release a with b'],
    ['r5 d', 5, 'release a, excluded b:dead'],
    ['r5 l', 5, 'release a, excluded b:left'],
    ['r5 f6 r7', 7, 'release abc'],
    ['r5 w d', 65, 'release a with b, excluded c:dead'],
    ['w w d', 1000, 'pending'],
    ['d5 w w', 64, 'pending until 65'],
    ['d5 w w', 65, 'release  with bc, excluded a:dead'],
  ],
}

describe.each(Object.entries(tables))('%s', (policy, rows) => {
  const spec = barrierSpec(policy as Policy)
  it.each(rows)('%s at %d s: %s', (text, now, verdict) => {
    expect(show(judge(spec, standings(text), now * 1000))).toBe(verdict)
  })
})

it('an abort says who is missing, and why', () => {
  const verdict = judge(barrierSpec('all_or_nothing'), standings('r5 d w'), 6000)
  expect(verdict).toMatchObject({ kind: 'abort', reason: 'all_or_nothing: b died' })
  const late = judge(barrierSpec('all_or_nothing'), standings('r5 w'), 65_000)
  expect(late).toMatchObject({ reason: 'all_or_nothing: agent_barrier_timeout (60 s) passed while b is not ready' })
})

it.each([
  [1, 1],
  [2, 2],
  [3, 2],
  [4, 3],
  [5, 3],
  [1000, 501],
])('a majority of %d is %d', (count, needed) => {
  expect(majorityOf(count)).toBe(needed)
})
