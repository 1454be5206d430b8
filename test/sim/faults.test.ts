/** Troubles on purpose, each a sentence: which peers, what is broken, what must hold. The checkers watch all of them. */

import { describe, expect, it } from 'vitest'
import type { Policy } from '../../src/barrier/mod.ts'
import { barrierSpec, planOf } from '../barrier/plans.ts'
import { Rehearsal } from './rehearsal.ts'

const seeds = Array.from({ length: 6 }, (_, index) => index + 1)

function plan(policy: Policy, agents: number, changes: Parameters<typeof barrierSpec>[1] = {}) {
  return planOf({ submission: 'p', stages: 3, barrier: barrierSpec(policy, changes), agents })
}

describe('the leader can send, but not hear', () => {
  it.each([
    { heartbeatIntervalMs: 1000, missedThreshold: 3 },
    { heartbeatIntervalMs: 1000, missedThreshold: 1 },
    { heartbeatIntervalMs: 200, missedThreshold: 2 },
  ])('5 agents: another one leads within $missedThreshold x $heartbeatIntervalMs ms and 1 s', (heartbeats) => {
    for (const seed of seeds) {
      const show = new Rehearsal({ count: 5, seed, stageMs: (_, sequence) => (sequence === 1 ? 4000 : 100) })
      // Asked for ever, so that the leader does not see by itself that nobody answers.
      const leader = show.start(plan('majority', 5, { ...heartbeats, queryRetries: 50, stragglerGraceMs: 1000 }))
      show.cluster.run(show.cluster.now + 500 + seed * 40)
      show.cut(show.others(leader), [leader])
      const silence = heartbeats.heartbeatIntervalMs * heartbeats.missedThreshold
      const since = show.seen.length
      show.until(silence + 1000, () => show.cluster.leaders().some((proc) => proc !== leader))
      // Its heartbeats still come, but nobody that gave it up follows it again.
      const followed = show.seen.slice(since).filter(({ host, output }) => {
        return output.type === 'leader_elected' && output.ballot.peer === leader.host && host !== leader.host
      })
      expect(followed, `seed ${seed}`).toEqual([])
      const others = show.others(leader)
      show.until(60_000, () => others.every(({ host }) => show.endings()[host] === 'completed'))
    }
  })

  it('5 agents, healed in time: nobody is excluded, the new leader stays', () => {
    for (const seed of seeds) {
      const show = new Rehearsal({ count: 5, seed, stageMs: () => 6000 })
      const leader = show.start(plan('all_or_nothing', 5))
      show.cut(show.others(leader), [leader])
      show.until(4000, () => show.cluster.leaders().some((proc) => proc !== leader))
      show.cluster.heal()
      const elections = show.elections().length
      show.until(60_000, () => show.cluster.live().every(({ host }) => show.endings()[host] === 'completed'))
      expect(show.elections().length, `seed ${seed}`).toBe(elections)
    }
  })
})

describe('the leader can hear, but not send', () => {
  it('5 agents: another one leads, and the plan is completed', () => {
    for (const seed of seeds) {
      const show = new Rehearsal({ count: 5, seed, stageMs: () => 2000 })
      const leader = show.start(plan('majority', 5, { stragglerGraceMs: 1000 }))
      show.cut([leader], show.others(leader))
      show.until(4000, () => show.cluster.leaders().some((proc) => proc !== leader))
      const others = show.others(leader)
      show.until(60_000, () => others.every(({ host }) => show.endings()[host] === 'completed'))
    }
  })
})

describe('the network splits', () => {
  it('5 agents, the leader keeps one other: the three go on, the two learn after the healing that they are out', () => {
    for (const seed of seeds) {
      const show = new Rehearsal({ count: 5, seed })
      const leader = show.start(plan('majority', 5, { stragglerGraceMs: 1000 }))
      const [companion, ...rest] = show.others(leader)
      const few = companion === undefined ? [leader] : [leader, companion]
      show.cut(few, rest)
      show.cut(rest, few)
      show.until(60_000, () => rest.every(({ host }) => show.endings()[host] === 'completed'))
      expect(few.map(({ host }) => show.endings()[host])).toEqual([undefined, undefined])
      show.cluster.heal()
      show.until(20_000, () => few.every(({ host }) => show.endings()[host] === 'excluded'))
    }
  })

  it('5 agents, the leader keeps a majority: it is not deposed, neither by the split nor by the healing', () => {
    for (const seed of seeds) {
      const show = new Rehearsal({ count: 5, seed, stageMs: (_, sequence) => (sequence === 1 ? 20_000 : 100) })
      const leader = show.start(plan('majority', 5))
      const cutOff = show.others(leader).slice(0, 2)
      const rest = show.cluster.live().filter((proc) => !cutOff.includes(proc))
      show.cut(cutOff, rest)
      show.cut(rest, cutOff)
      show.cluster.run(show.cluster.now + 8000)
      show.cluster.heal()
      const since = show.elections().length
      show.until(60_000, () => show.cluster.live().every(({ host }) => show.endings()[host] === 'completed'))
      expect(show.leader()).toBe(leader)
      expect(show.elections().length).toBe(since)
    }
  })

  it('4 agents, two and two: nobody decides, both halves stop with quorum_lost', () => {
    const show = new Rehearsal({ count: 4 })
    const leader = show.start(plan('majority', 4, { barrierTimeoutMs: 5000 }))
    const [companion, ...rest] = show.others(leader)
    const half = companion === undefined ? [leader] : [leader, companion]
    show.cut(half, rest)
    show.cut(rest, half)
    show.until(30_000, () => show.cluster.live().every(({ host }) => show.endings()[host] === 'quorum_lost'))
  })
})

it('3 agents, the one that waits longest is cut off from the leader alone: the leader stays', () => {
  for (const seed of seeds) {
    const show = new Rehearsal({ count: 3, seed, stageMs: (host) => (host === 'b' ? 100 : 15_000) })
    const leader = show.start(plan('all_or_nothing', 3, { queryRetries: 30 }))
    const [first] = show.others(leader)
    if (first === undefined) throw new Error('three peers were started')
    show.cut([first], [leader])
    show.cut([leader], [first])
    show.cluster.run(show.cluster.now + 10_000)
    expect(show.leader()).toBe(leader)
    show.cluster.heal()
    show.until(90_000, () => show.cluster.live().every(({ host }) => show.endings()[host] === 'completed'))
  }
})

describe('a leader that asks a silent member whether it lives, and stands still itself before it hears the answer', () => {
  it.each([600, 1600])('for %i ms: nobody is taken for dead', (pauseMs) => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const show = new Rehearsal({ count: 5, seed, stageMs: () => 9000 })
      const leader = show.start(plan('all_or_nothing', 5, { queryTimeoutMs: 300, queryRetries: 1 }))
      const [silent] = show.others(leader)
      if (silent === undefined) throw new Error('there are others')
      let asked = false
      show.cluster.watchers.push({
        booted: () => undefined,
        fed: () => undefined,
        carried: (proc, output) => {
          if (proc === leader && output.type === 'send' && output.message.type === 'query') asked = true
        },
      })
      show.cut([silent], [leader])
      show.until(10_000, () => asked)
      show.cluster.heal()
      show.cluster.pause(leader)
      show.cluster.run(show.cluster.now + pauseMs)
      show.cluster.resume(leader)
      show.until(60_000, () => show.cluster.live().every(({ host }) => show.endings()[host] !== undefined))
      expect(new Set(Object.values(show.endings())), `seed ${seed}`).toEqual(new Set(['completed']))
    }
  })
})

describe('the leader dies while others wait for a straggler', () => {
  it.each([
    ['the grace of a majority', 'majority', { stragglerGraceMs: 5000 }],
    ['the time-out of the barrier', 'best_effort', { barrierTimeoutMs: 5000 }],
  ] as const)('5 agents: %s is still counted from the moment when it began', (_, policy, times) => {
    for (const seed of seeds) {
      const show = new Rehearsal({
        count: 5,
        seed,
        stageMs: (host, sequence) => (sequence === 1 && host === 'e' ? 60_000 : 100),
      })
      const leader = show.start(plan(policy, 5, times))
      if (leader.host === 'e') continue
      const readyAt = show.cluster.now + 100
      show.cluster.run(readyAt + 4000)
      show.cluster.crash(leader, 'kill')
      const released = () => show.seen.find(({ output }) => output.type === 'decided' && output.decision.sequence === 1)
      show.until(10_000, () => released() !== undefined)
      const waited = (released()?.at ?? 0) - readyAt
      expect(waited, `seed ${seed}`).toBeGreaterThan(4900)
      expect(waited, `seed ${seed}`).toBeLessThan(5600)
    }
  })
})
