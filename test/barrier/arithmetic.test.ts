/** Small pure parts: order of ballots, clock offsets, what a decision may say. */

import { describe, expect, it } from 'vitest'
import { compareBallots, NO_BALLOT, sameBallot, showBallot } from '../../src/barrier/ballot.ts'
import { faultOf } from '../../src/barrier/invariants.ts'
import type { Decision, Member, Policy } from '../../src/barrier/mod.ts'
import {
  addRelayed,
  addSample,
  bestKnownClock,
  bestSample,
  type OffsetSample,
  offsetSample,
} from '../../src/barrier/offset.ts'
import { barrierSpec, planOf } from './plans.ts'

describe('ballots', () => {
  const ordered = [NO_BALLOT, { term: 1, peer: 'a' }, { term: 1, peer: 'b' }, { term: 2, peer: 'a' }]

  it('are ordered by term, then by peer', () => {
    for (const [i, a] of ordered.entries()) {
      for (const [j, b] of ordered.entries()) {
        expect(Math.sign(compareBallots(a, b))).toBe(Math.sign(i - j))
        expect(sameBallot(a, b)).toBe(i === j)
      }
    }
  })

  it('are shown as term and peer', () => {
    expect(ordered.map(showBallot)).toEqual(['none', '1/a', '1/b', '2/a'])
  })
})

describe('clock offset', () => {
  it.each([
    // sent, received, replied, back: offset, round trip
    [100, 600, 601, 103, 499, 2],
    [100, 90, 90, 110, -15, 10],
    [0, 0, 0, 0, 0, 0],
  ])('of %d %d %d %d is %d, with a round trip of %d', (sent, received, replied, back, offsetMs, roundTripMs) => {
    expect(offsetSample(sent, received, replied, back)).toEqual({ offsetMs, roundTripMs, at: back })
  })

  it('makes no sense of an answer that was away for less than no time', () => {
    expect(offsetSample(100, 0, 50, 101)).toBeUndefined()
    expect(offsetSample(Number.NaN, 0, 0, 1)).toBeUndefined()
  })

  const sample = (at: number, offsetMs: number, roundTripMs: number): OffsetSample => ({ at, offsetMs, roundTripMs })

  it('is taken from the quickest round trip, of those the newest', () => {
    expect(bestSample([])).toBeUndefined()
    const samples = [sample(1, 4.2, 2), sample(2, 4, 1), sample(3, 4.1, 1), sample(4, 4.4, 5)]
    expect(bestSample(samples.reduce(addSample, [] as readonly OffsetSample[]))?.offsetMs).toBe(4.1)
    // Half a minute at 10 ppm: by then the quicker answer may be off by more than the fresh one.
    const old = addSample([], sample(0, 4, 1))
    expect(bestSample(addSample(old, sample(30_000, 4.3, 1.4)))?.offsetMs).toBe(4.3)
    expect(bestSample(addSample(old, sample(30_000, 4.3, 1.8)))?.offsetMs).toBe(4)
  })

  it('keeps 16 samples, none older than two minutes', () => {
    let kept: readonly OffsetSample[] = []
    for (let at = 0; at < 40; at += 1) kept = addSample(kept, sample(at * 1000, 5, 1))
    expect(kept.map(({ at }) => at / 1000)).toEqual(Array.from({ length: 16 }, (_, back) => 39 - back))
    expect(addSample(kept, sample(160_000, 5, 1)).length).toBe(1)
  })

  it('is known by way of a third clock that both have measured', () => {
    // A third clock is 7 ahead of this one, and 5 ahead of the other: the other is 2 ahead of this one.
    const note = { peer: 'c', offsetMs: 5, errorMs: 1 }
    const relayed = bestSample(addRelayed([], sample(0, 7, 1), note, 100))
    expect(relayed).toMatchObject({ offsetMs: 2, at: 100 })
    expect(relayed?.roundTripMs).toBeCloseTo(3, 2)
    // It gives way to a better measurement of its own, and to one that contradicts it.
    const direct = addSample([], sample(90, 2.5, 1))
    expect(bestSample(addRelayed(direct, sample(0, 7, 1), note, 100))?.offsetMs).toBe(2.5)
    expect(addRelayed(addSample([], sample(90, 50, 1)), sample(0, 7, 1), note, 100).length).toBe(1)
    // Not by what was measured too long ago, or never.
    expect(addRelayed([], sample(0, 7, 1), note, 200_000)).toEqual([])
    expect(addRelayed([], undefined, note, 100)).toEqual([])
  })

  it('is best known of the clock whose sample is off by least, of those of late', () => {
    const peers = [
      { peer: 'a', offsets: [sample(0, 1, 0.1)] },
      { peer: 'b', offsets: [sample(190_000, 2, 3)] },
      { peer: 'c', offsets: [sample(195_000, 3, 2)] },
      { peer: 'd', offsets: [] },
    ]
    expect(bestKnownClock(peers, 200_000)).toMatchObject({ peer: 'c', offsetMs: 3 })
    expect(bestKnownClock(peers.slice(0, 1), 200_000)).toBeNull()
  })

  it('forgets what a jumped clock contradicts', () => {
    const kept = addSample([sample(0, 5, 1), sample(100, 2004, 1)], sample(200, 2005, 1))
    expect(kept.map(({ offsetMs }) => offsetMs)).toEqual([2005, 2004])
  })
})

describe('faults of a decision', () => {
  const member = (peer: string, incarnation = '1'): Member => ({ peer, name: peer, incarnation })
  const members = ['a', 'b', 'c'].map((peer) => member(peer))
  const base = { plan: { number: 1, uid: 'p' }, sequence: 1, ballot: { term: 1, peer: 'a' }, leader: 'a' } as const
  const tail = { excluded: [], reports: [], waitedMs: 0, startAt: 0 } as const
  const release = (policy: Policy, next: readonly Member[], ready: readonly string[], sequence = 1): Decision => {
    return { kind: 'release', ...base, sequence, policy, members: next, ready, ...tail }
  }
  const start = (next: readonly Member[], sequence = 0): Decision => {
    const spec = planOf({ submission: 's', stages: 1, barrier: barrierSpec('majority') })
    return { kind: 'start', ...base, sequence, spec, members: next, startAt: 0, armMs: 0 }
  }
  const rows: readonly (readonly [string, Decision, string | undefined])[] = [
    ['a start', start(members), undefined],
    ['a start of nobody', start([]), 'a start names nobody'],
    ['a start in the middle', start(members, 2), 'a start at sequence 2'],
    ['a start that names one twice', start([member('a'), member('a')]), 'a member named twice'],
    ['all ready', release('all_or_nothing', members, ['a', 'b', 'c']), undefined],
    [
      'one not ready',
      release('all_or_nothing', members, ['a', 'b']),
      'all_or_nothing released without every member ready',
    ],
    [
      'one left out',
      release('all_or_nothing', members.slice(0, 2), ['a', 'b', 'c']),
      'all_or_nothing released without every member ready',
    ],
    ['two of three', release('majority', members.slice(0, 2), ['a', 'b']), undefined],
    ['one of three', release('majority', members.slice(0, 1), ['a']), 'majority released with 1 of 3 ready'],
    ['strangers', release('majority', members, ['a', 'x', 'y']), 'majority released with 1 of 3 ready'],
    ['one counted twice', release('majority', members, ['a', 'a']), 'a member counted twice'],
    ['one of three, best effort', release('best_effort', members, ['a']), undefined],
    ['nobody left', release('best_effort', [], []), 'a release without members'],
    ['a new incarnation', release('best_effort', [member('a', '2')], ['a']), 'a is not a member of sequence 1'],
    ['before the start', release('best_effort', members, ['a'], 0), 'a release before the start'],
  ]
  it.each(rows)('%s', (_what, decision, fault) => {
    expect(faultOf(decision, members)).toBe(fault)
  })
})
