/** Peers that come late, or come back while a plan runs: they watch, and take part in the next one. Both runtimes. */

import { expect, it } from 'vitest'
import { Cluster, hasDeno, type Runtime } from './cluster.ts'
import { HELD, heldPlan, hold, letGo, untilWaiting } from './plans.ts'

const other: Runtime = hasDeno ? 'deno' : 'node'

it('they are in the next plan, and a plan that names one means the peer that is there now', async () => {
  await using cluster = await Cluster.create()
  cluster.start('a')
  cluster.start('b', { runtime: other })
  cluster.start('c')
  await cluster.met()
  await hold(cluster, 'b')
  const first = await cluster.submit(heldPlan(cluster, { policy: 'majority' }), ['--agents', '3'])
  await untilWaiting(cluster, ['a', 'c'], HELD)
  const killed = cluster.peers.get('b')?.process.pid
  await cluster.kill('b')
  cluster.start('b', { runtime: other })
  cluster.start('late', { runtime: other })
  expect((await first.ended).code).toBe(0)
  expect((await cluster.decisions('a')).at(-1)?.members).toEqual(['a', 'c'])
  await cluster.met()
  const comeBack = cluster.events.filter(({ peer, pid }) => peer === 'b' && pid !== killed)
  const worked = [...comeBack, ...cluster.of('stage.started', 'late')].filter(({ event }) => event === 'stage.started')
  expect(worked).toEqual([])
  await letGo(cluster, 'b')
  const named = heldPlan(cluster, { policy: 'all_or_nothing' }).replace(
    'distributed:',
    'distributed:\n  agents: [{ id: b }, { id: late }]',
  )
  const second = await cluster.submit(named, ['--agents', '3'])
  expect({ ...(await second.ended), said: second.stderr }).toMatchObject({ code: 0 })
  expect(second.stderr).toMatch(/^note: the plan names its agents, so these take part, not any 3: b, late /m)
  expect((await cluster.decisions('b')).at(-1)?.members).toEqual(['b', 'late'])
}, 120_000)
