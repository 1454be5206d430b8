/** Many peers that start within seconds, in any order, and find each other late: few elections, one leader, few refusals. */

import { expect, it } from 'vitest'
import { Cluster } from './cluster.ts'
import { Prng } from './prng.ts'
import { hostName } from './scenario.ts'

interface Meeting {
  readonly elections: number
  readonly term: number
  readonly refused: Record<string, number>
  /** From the last start until all follow the same leader, ms. */
  readonly settledMs: number
}

function meet(options: { count: number; withinMs: number; meetMs: number; delayMaxMs: number; seed: number }): Meeting {
  const { count, withinMs, meetMs, delayMaxMs, seed } = options
  const prng = new Prng(seed)
  const hosts = prng.shuffled(Array.from({ length: count }, (_, index) => hostName(index)))
  const cluster = new Cluster({
    prng: prng.fork(),
    hosts,
    stage: () => ({ durationMs: 0, status: 'ok' }),
    trace: null,
    clockOffsetMs: 1000,
    clockDrift: 0,
    copyMessages: false,
    meetMs,
  })
  cluster.network.weather = { ...cluster.network.weather, delayMinMs: 1, delayMaxMs }
  let elections = 0
  cluster.watchers.push({
    booted: () => undefined,
    fed: () => undefined,
    carried: ({ member }, output) => {
      if (output.type === 'leader_elected' && output.ballot.peer === member.peer) elections += 1
    },
  })
  for (const host of hosts) cluster.at(prng.between(0, withinMs), () => cluster.boot(host))
  cluster.run(withinMs)
  const agreed = () => {
    const [first, ...rest] = cluster.live().map((proc) => cluster.statusOf(proc))
    return first?.leader != null && rest.every(({ leader }) => leader?.peer === first.leader?.peer)
  }
  const end = withinMs + 60_000
  while (cluster.now < end && !agreed()) cluster.run(cluster.now + 100)
  const settledMs = cluster.now - withinMs
  cluster.run(cluster.now + 10_000)
  expect(agreed(), `seed ${seed}: one leader, and it stays`).toBe(true)
  const refused: Record<string, number> = {}
  let term = 0
  for (const proc of cluster.live()) {
    const status = cluster.statusOf(proc)
    term = Math.max(term, status.term)
    for (const [reason, times] of Object.entries(status.rejected)) refused[reason] = (refused[reason] ?? 0) + times
  }
  return { elections, term, refused, settledMs }
}

/** `elections`: those that were won, by peers that knew of no leader yet. `refusals`: each costs every peer a line. */
it.each([
  { how: 'on a machine at rest', withinMs: 1000, meetMs: 1000, delayMaxMs: 20, elections: 2, term: 2, refusals: 64 },
  { how: 'on a busy machine', withinMs: 5000, meetMs: 3000, delayMaxMs: 200, elections: 6, term: 4, refusals: 128 },
  {
    how: 'while it starves them',
    withinMs: 10_000,
    meetMs: 5000,
    delayMaxMs: 1000,
    elections: 20,
    term: 4,
    refusals: 400,
  },
])('64 peers that start together $how settle on one leader without a storm of elections', (options) => {
  for (let seed = 1; seed <= 12; seed += 1) {
    const { elections, term, refused, settledMs } = meet({ count: 64, ...options, seed })
    expect(elections, `seed ${seed}`).toBeLessThanOrEqual(options.elections)
    expect(term, `seed ${seed}`).toBeLessThanOrEqual(options.term)
    expect(refused.stale_term ?? 0, `seed ${seed}`).toBeLessThanOrEqual(options.refusals)
    expect(refused.not_leader ?? 0, `seed ${seed}`).toBe(0)
    expect(settledMs, `seed ${seed}`).toBeLessThan(10_000)
  }
})
