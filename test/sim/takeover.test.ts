/** The budgets of section 10 of the design for a leader that dies, or stops, while all others wait. */

import { describe, expect, it } from 'vitest'
import type { Decision, PlanSpec } from '../../src/barrier/mod.ts'
import { Cluster } from './cluster.ts'
import { Prng } from './prng.ts'
import type { ClusterOptions, Proc } from './proc.ts'

const HOSTS = ['a', 'b', 'c', 'd', 'e']
const HEARTBEAT_MS = 1000
const MISSED = 3
const DELAY_MIN_MS = 0.5
/** Messages that take so long now and then are heard at no common moment, and overtake each other. */
const UNEVEN_MAX_MS = 12

const plan: PlanSpec = {
  submission: 's',
  hash: 's',
  yaml: 's',
  stages: [1, 2].map((at) => ({
    barrierName: `stage-${at}-s${at}`,
    name: `s${at}`,
    optional: false,
    barrier: {
      policy: 'majority',
      heartbeatIntervalMs: HEARTBEAT_MS,
      missedThreshold: MISSED,
      queryTimeoutMs: 1000,
      queryRetries: 2,
      barrierTimeoutMs: 60_000,
      stragglerGraceMs: 60_000,
    },
  })),
  wanted: { kind: 'count', count: HOSTS.length },
  agentReadyTimeoutMs: 30_000,
}

interface Takeover {
  /** From the fault to the release that all others have heard of. */
  readonly releasedMs: number
  /** From the first to the last start of the next stage, by no peer's clock but the true one. */
  readonly spreadMs: number
}

type Fault = (cluster: Cluster, leader: Proc) => void

/** Simulated ms. */
function takeover(seed: number, fault: Fault): Takeover {
  const prng = new Prng(seed)
  const cluster: Cluster = clusterOf(prng, (proc, _, sequence) => {
    const leads = cluster.statusOf(proc).role === 'leader'
    return { durationMs: sequence === 1 && leads ? 3_600_000 : prng.between(50, 400), status: 'ok' }
  })
  const books = bookkeeping(cluster)
  begin(cluster)
  expect(cluster.run(20_000, () => books.waiting.size === HOSTS.length - 1)).toBe(true)
  // At any moment of a heartbeat.
  cluster.run(cluster.now + prng.between(0, 2 * HEARTBEAT_MS))
  const leader = cluster.leaders()[0]
  if (leader === undefined) throw new Error('a plan has a leader')
  const at = cluster.now
  fault(cluster, leader)
  expect(cluster.run(at + 60_000, () => books.released.size === HOSTS.length - 1)).toBe(true)
  return takeoverOf(books, at)
}

function clusterOf(prng: Prng, stage: ClusterOptions['stage']): Cluster {
  const settings = { trace: null, clockOffsetMs: 10_000, clockDrift: 0.00001, copyMessages: false } as const
  const cluster = new Cluster({ prng, hosts: HOSTS, stage, ...settings })
  cluster.network.weather = { ...cluster.network.weather, delayMinMs: DELAY_MIN_MS, delayMaxMs: 4 * DELAY_MIN_MS }
  return cluster
}

/** Of barrier 1, by host: who waits, when it was released, when the stage after it starts, by the true clock. */
interface Books {
  readonly waiting: Set<string>
  readonly released: Map<string, number>
  readonly starts: Map<string, number>
  readonly decisions: Decision[]
}

function bookkeeping(cluster: Cluster): Books {
  const books: Books = { waiting: new Set(), released: new Map(), starts: new Map(), decisions: [] }
  cluster.watchers.push({
    booted: () => undefined,
    fed: () => undefined,
    carried: ({ host, clock }, output) => {
      if (output.type === 'waiting' && output.sequence === 1) books.waiting.add(host)
      if (output.type === 'decided' && output.decision.sequence === 1) {
        books.released.set(host, cluster.now)
        books.decisions.push(output.decision)
      }
      if (output.type === 'run_stage' && output.sequence === 2) {
        books.starts.set(host, Math.max(cluster.now, clock.when(output.startAt)))
      }
    },
  })
  return books
}

/** All are up, and the plan is handed in. */
function begin(cluster: Cluster): void {
  for (const host of HOSTS) cluster.boot(host)
  cluster.run(3000)
  const submitter = cluster.procOn('a')
  if (submitter === undefined) throw new Error('a is up')
  cluster.submit(submitter, plan)
}

function takeoverOf({ released, starts }: Books, at: number): Takeover {
  return {
    releasedMs: Math.max(...released.values()) - at,
    spreadMs: Math.max(...starts.values()) - Math.min(...starts.values()),
  }
}

/** The leader is killed when it has sent the release to all and announced it to nobody: the next one carries it over. */
function killBeforeDecided(seed: number): Takeover {
  const prng = new Prng(seed)
  const cluster = clusterOf(prng, () => ({ durationMs: prng.between(5, 60), status: 'ok' }))
  const books = bookkeeping(cluster)
  let killedAt: number | null = null
  cluster.watchers.push({
    booted: () => undefined,
    fed: () => undefined,
    carried: (leader, output) => {
      if (killedAt !== null || output.type !== 'send' || output.message.type !== 'propose') return
      if (output.message.decision.sequence !== 1) return
      killedAt = cluster.now
      cluster.network.weather.delayMaxMs = UNEVEN_MAX_MS
      // Before an accept can have come back.
      cluster.after(prng.between(0, 2 * DELAY_MIN_MS), () => cluster.crash(leader, 'kill'))
    },
  })
  begin(cluster)
  expect(cluster.run(20_000, () => books.starts.size === HOSTS.length - 1)).toBe(true)
  const [decision] = books.decisions
  expect(decision?.ballot.peer).not.toBe(cluster.leaders()[0]?.member.peer)
  return takeoverOf(books, killedAt ?? 0)
}

const kill = (cluster: Cluster, leader: Proc): void => cluster.crash(leader, 'kill')

function sorted(times: readonly number[]): number[] {
  return [...times].sort((a, b) => a - b)
}

describe('while all others wait, the leader', () => {
  const seeds = Array.from({ length: 200 }, (_, at) => at + 1)

  it('is killed: median under 100 ms, never more than 500 ms', () => {
    const times = sorted(seeds.map((seed) => takeover(seed, kill).releasedMs))
    expect(times[times.length / 2]).toBeLessThan(100)
    expect(times.at(-1)).toBeLessThan(500)
  })

  it('is killed: the others start the next stage together, though they have hardly measured the clock of the new one', () => {
    const spreads = sorted(seeds.map((seed) => takeover(seed, kill).spreadMs))
    expect(spreads[spreads.length / 2]).toBeLessThan(1)
    expect(spreads.at(-1)).toBeLessThan(2)
  })

  it('is killed before it has announced the release: the others start the next stage together all the same', () => {
    const spreads = sorted(seeds.map((seed) => killBeforeDecided(seed).spreadMs))
    expect(spreads[spreads.length / 2]).toBeLessThan(1)
    expect(spreads.at(-1)).toBeLessThan(2)
  })

  it('stops: its missed heartbeats, and at most a second more', () => {
    const times = seeds.map((seed) => takeover(seed, (cluster, leader) => cluster.pause(leader)).releasedMs)
    expect(Math.max(...times)).toBeLessThan(HEARTBEAT_MS * MISSED + 1000)
  })
})
