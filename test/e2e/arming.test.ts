/** Agents bring up what a plan needs before it begins, whoever only watches does not, and nothing is left of it. */

import { existsSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { Cluster } from './cluster.ts'
import { hold, letGo } from './plans.ts'

const LANES = 12

function planOf({ folder }: Cluster): string {
  const script = `while [ -e ${folder}/hold-$PACELINE_PEER ]; do sleep 0.02; done`
  return `
target: null:///x/
concurrency: ${LANES}
io_rate: { iops: 100 }
workload: [{ op: put, path: 'd/*', object_size: 4KiB, weight: 1 }]
distributed:
  stages:
    - { name: hold, order: 1, type: custom, command: sh, args: ['-c', '${script}'] }
    - { name: load, order: 2, type: execute, duration: 200ms }
`
}

/** Threads of a peer. */
function threads(cluster: Cluster, name: string): number {
  const status = readFileSync(`/proc/${cluster.peers.get(name)?.process.pid}/status`, 'utf8')
  return Number(/^Threads:\s*(\d+)$/m.exec(status)?.[1])
}

it.skipIf(!existsSync('/proc/self/status'))('lanes of later stages are up when the first one begins', async () => {
  await using cluster = await Cluster.of(['a', 'b', 'c'], { args: ['--allow', 'null://'] })
  const all = ['a', 'b', 'c']
  await hold(cluster, ...all)
  const idle = Math.max(...all.map((name) => threads(cluster, name)))
  const submit = await cluster.submit(planOf(cluster), ['--agents', '2'])
  await cluster.until('two have begun', () => cluster.of('stage.started').length === 2)
  const members = cluster.of('stage.started').map(({ peer }) => peer)
  for (const name of members) expect(threads(cluster, name)).toBeGreaterThanOrEqual(idle + LANES)
  const [watcher = ''] = all.filter((name) => !members.includes(name))
  expect(threads(cluster, watcher)).toBeLessThan(idle + LANES)
  await letGo(cluster, ...all)
  expect((await submit.ended).code).toBe(0)
  await cluster.until('both have finished', () => members.every((name) => cluster.of('run.finished', name).length > 0))
  for (const name of members) expect(threads(cluster, name)).toBeLessThan(idle + LANES)
})

it('agents begin a first stage that needs lanes together', async () => {
  await using cluster = await Cluster.of(['a', 'b', 'c'], { args: ['--allow', 'null://'] })
  const plan = planOf(cluster)
    .replace(/^ {4}- \{ name: hold.*\n/m, '')
    .replace('order: 2', 'order: 1')
  const submit = await cluster.submit(plan, ['--agents', '3'])
  expect((await submit.ended).code).toBe(0)
  const starts = cluster.of('stage.started').map(({ ownAt, offsetMs }) => Number(ownAt) + Number(offsetMs))
  expect(starts).toHaveLength(3)
  expect(Math.max(...starts) - Math.min(...starts)).toBeLessThan(100)
})
