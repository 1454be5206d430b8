/** The budgets of section 10 of the design for a leader that dies, or stops, while all others wait. */

import { describe, expect, it } from 'vitest'
import type { PlanSpec } from '../../src/barrier/mod.ts'
import { Cluster, type Proc } from './cluster.ts'
import { Prng } from './prng.ts'

const HOSTS = ['a', 'b', 'c', 'd', 'e']
const HEARTBEAT_MS = 1000
const MISSED = 3

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

/** Simulated ms. */
function takeover(seed: number, fault: (cluster: Cluster, leader: Proc) => void): Takeover {
  const prng = new Prng(seed)
  const cluster: Cluster = new Cluster({
    prng,
    hosts: HOSTS,
    trace: null,
    clockOffsetMs: 10_000,
    clockDrift: 0.00001,
    copyMessages: false,
    stage: (proc, _, sequence) => {
      const leads = cluster.statusOf(proc).role === 'leader'
      return { durationMs: sequence === 1 && leads ? 3_600_000 : prng.between(50, 400), status: 'ok' }
    },
  })
  cluster.network.weather = { ...cluster.network.weather, delayMinMs: 0.5, delayMaxMs: 2 }
  const released = new Map<string, number>()
  const starts = new Map<string, number>()
  let waiting = 0
  cluster.watchers.push({
    booted: () => undefined,
    fed: () => undefined,
    carried: (proc, output) => {
      if (output.type === 'waiting' && output.sequence === 1) waiting += 1
      if (output.type === 'decided' && output.decision.sequence === 1) released.set(proc.host, cluster.now)
      if (output.type === 'run_stage' && output.sequence === 2) {
        starts.set(proc.host, Math.max(cluster.now, proc.clock.when(output.startAt)))
      }
    },
  })
  for (const host of HOSTS) cluster.boot(host)
  cluster.run(3000)
  const submitter = cluster.procOn('a')
  if (submitter === undefined) throw new Error('a is up')
  cluster.submit(submitter, plan)
  expect(cluster.run(20_000, () => waiting === HOSTS.length - 1)).toBe(true)
  // At any moment of a heartbeat.
  cluster.run(cluster.now + prng.between(0, 2 * HEARTBEAT_MS))
  const leader = cluster.leaders()[0]
  if (leader === undefined) throw new Error('a plan has a leader')
  const at = cluster.now
  fault(cluster, leader)
  expect(cluster.run(at + 60_000, () => released.size === HOSTS.length - 1)).toBe(true)
  return {
    releasedMs: Math.max(...released.values()) - at,
    spreadMs: Math.max(...starts.values()) - Math.min(...starts.values()),
  }
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

  it('stops: its missed heartbeats, and at most a second more', () => {
    const times = seeds.map((seed) => takeover(seed, (cluster, leader) => cluster.pause(leader)).releasedMs)
    expect(Math.max(...times)).toBeLessThan(HEARTBEAT_MS * MISSED + 1000)
  })
})
