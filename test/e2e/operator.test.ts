/** What an operator does to a run besides running plans: busy runs, leaving in order, status, abort, interrupts. */

import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { readSummary } from '../../src/cli/results/mod.ts'
import { Cluster } from './cluster.ts'
import { HELD, heldPlan, hold, letGo, untilWaiting } from './plans.ts'

const THREE = ['a', 'b', 'c']

async function untilFinished(cluster: Cluster, names: readonly string[]): Promise<void> {
  await cluster.until('all have finished', () => names.every((name) => cluster.of('run.finished', name).length > 0))
}

it('a second submitter is told that the run is busy, and with what', async () => {
  await using cluster = await Cluster.of(THREE)
  await hold(cluster, 'a')
  const first = await cluster.submit(heldPlan(cluster, { policy: 'majority' }), ['--agents', '3'])
  await untilWaiting(cluster, ['b', 'c'], HELD)
  const second = await cluster.submit(heldPlan(cluster, { policy: 'best_effort' }), ['--agents', '3'])
  expect((await second.ended).code).toBe(4)
  expect(second.stderr).toMatch(/busy with plan 1/)
  await letGo(cluster, 'a')
  expect((await first.ended).code).toBe(0)
  const third = await cluster.submit(heldPlan(cluster, { policy: 'best_effort' }), ['--agents', '3'])
  expect((await third.ended).code).toBe(0)
})

it('two submitters at once: one plan runs, the other is told', async () => {
  await using cluster = await Cluster.of(THREE)
  await hold(cluster, 'a')
  const plan = heldPlan(cluster, { policy: 'majority' })
  const both = await Promise.all([0, 1].map(() => cluster.submit(plan, ['--agents', '3'])))
  const loser = await Promise.race(both.map((program) => program.ended.then(() => program)))
  expect(loser.end?.code).toBe(4)
  await letGo(cluster, 'a')
  const ends = await Promise.all(both.map((program) => program.ended))
  expect(ends.map(({ code }) => code).sort()).toEqual([0, 4])
  expect(cluster.of('plan.accepted', 'b')).toHaveLength(1)
})

it('SIGTERM for the leader: it hands over, the others learn at once, its finished stages count', async () => {
  await using cluster = await Cluster.of(THREE)
  const leader = cluster.leader()
  const left = THREE.filter((name) => name !== leader)
  await hold(cluster, leader)
  const submit = await cluster.submit(heldPlan(cluster, { policy: 'majority' }), ['--agents', '3'])
  await untilWaiting(cluster, left, HELD)
  const asked = performance.now()
  expect(await cluster.kill(leader, 'SIGTERM')).toEqual({ code: 0, signal: null })
  await cluster.until('the barrier is released', () =>
    left.every((name) => cluster.of('barrier.released', name).some(({ sequence }) => sequence === HELD)),
  )
  // Well before missed heartbeats would have told.
  const released = cluster.of('barrier.released').filter(({ sequence }) => sequence === HELD)
  expect(Math.max(...released.map(({ at }) => at)) - asked).toBeLessThan(1500)
  await untilFinished(cluster, left)
  expect((await submit.ended).code).toBe(0)
  const summary = JSON.stringify(await cluster.summary(left[0]))
  expect(summary).toContain(`"${leader}"`)
})

it.each([
  ['SIGTERM', 5],
  ['SIGINT', 130],
] as const)('%s in the middle of a plan: a node that runs once exits as it says, with %d', async (signal, exit) => {
  await using cluster = await Cluster.of(['a', 'b'], { args: ['--once'] })
  await hold(cluster, 'a', 'b')
  const submit = await cluster.submit(heldPlan(cluster, { policy: 'best_effort' }), ['--agents', '2'])
  await cluster.until('a is held', () => cluster.of('stage.started', 'a').some(({ sequence }) => sequence === HELD))
  expect(await cluster.kill('a', signal)).toEqual({ code: exit, signal: null })
  expect(cluster.of('run.finished', 'a')).toMatchObject([{ status: 'excluded', exit }])
  submit.kill('SIGKILL')
})

it('status shows every peer, abort ends the plan everywhere', async () => {
  await using cluster = await Cluster.of(THREE, { args: ['--once'] })
  await hold(cluster, 'a')
  const submit = await cluster.submit(heldPlan(cluster, { policy: 'majority' }), ['--agents', '3'])
  await untilWaiting(cluster, ['b', 'c'], HELD)
  const client = ['--run-id', cluster.runId, '--no-mdns']
  const status = cluster.command(['status', ...client, '--json'])
  expect((await status.ended).code).toBe(0)
  const shown = JSON.stringify(JSON.parse(status.stdout))
  for (const name of THREE) expect(shown).toContain(`"${name}"`)
  const plain = cluster.command(['status', ...client])
  expect((await plain.ended).code).toBe(0)
  expect(plain.stdout).toMatch(/hold/)
  const abort = cluster.command(['abort', ...client, '--reason', 'enough seen'])
  expect((await abort.ended).code).toBe(0)
  for (const name of THREE) {
    expect(await cluster.ended(name)).toEqual({ code: 1, signal: null })
    expect(cluster.of('barrier.aborted', name).at(-1)?.reason).toContain('enough seen')
  }
  expect((await submit.ended).code).toBe(1)
  expect(submit.stdout).toContain('enough seen')
})

it('abort says how the plan ended, however fast that was', async () => {
  await using cluster = await Cluster.of(['a', 'b'])
  const submit = await cluster.submit(
    "target: null:///x/\nduration: 30s\nworkload: [{ op: put, path: 'a/', size: 4KiB }]\n",
  )
  await cluster.until('a stage runs', () => cluster.of('stage.started').some(({ sequence }) => sequence === 2))
  const abort = cluster.command(['abort', '--run-id', cluster.runId, '--no-mdns', '--reason', 'enough'])
  expect((await abort.ended).code).toBe(0)
  expect(abort.stdout).toBe(`run ${cluster.runId}: plan 1 aborted: enough\n`)
  expect((await submit.ended).code).toBe(1)
}, 120_000)

it('a first Ctrl-C of submit aborts the plan in order', async () => {
  await using cluster = await Cluster.of(THREE)
  await hold(cluster, 'a')
  const submit = await cluster.submit(heldPlan(cluster, { policy: 'majority' }), ['--agents', '3'])
  await untilWaiting(cluster, ['b', 'c'], HELD)
  submit.kill('SIGINT')
  await untilFinished(cluster, THREE)
  expect((await submit.ended).code).toBe(130)
  for (const name of THREE) expect(cluster.of('run.finished', name).at(-1)?.status).toBe('aborted')
})

it('a second Ctrl-C of submit quits at once, although no peer answers the first', async () => {
  await using cluster = await Cluster.of(THREE)
  await hold(cluster, 'a')
  const submit = await cluster.submit(heldPlan(cluster, { policy: 'majority' }), ['--agents', '3', '--json'])
  await untilWaiting(cluster, ['b', 'c'], HELD)
  for (const name of THREE) cluster.peers.get(name)?.kill('SIGSTOP')
  submit.kill('SIGINT')
  const asked = performance.now()
  // Two signals that are pending at the same time are one.
  while (submit.end === null && performance.now() - asked < 10_000) {
    await new Promise((resolve) => setTimeout(resolve, 100))
    submit.kill('SIGINT')
  }
  expect((await submit.ended).code).toBe(130)
  expect(JSON.parse(submit.stdout)).toMatchObject({ status: 'interrupted', exit: 130 })
})

it('a submitter that dies does not stop its plan, and --detach does not wait for it', async () => {
  await using cluster = await Cluster.of(THREE)
  await hold(cluster, 'a')
  const submit = await cluster.submit(heldPlan(cluster, { policy: 'majority' }), ['--agents', '3'])
  await untilWaiting(cluster, ['b', 'c'], HELD)
  submit.kill('SIGKILL')
  await submit.ended
  await letGo(cluster, 'a')
  await untilFinished(cluster, THREE)
  for (const name of THREE) expect(cluster.of('run.finished', name).at(-1)?.status).toBe('completed')
  const detached = await cluster.submit(heldPlan(cluster, { policy: 'majority' }), ['--agents', '3', '--detach'])
  expect((await detached.ended).code).toBe(0)
  expect(detached.stdout).toBe('plan 2 accepted\n')
  expect(detached.stderr).toMatch(/^warning: --detach does not wait for results: none are written to .*submitter$/m)
})

it('a submitter that wants no folder is told the figures all the same', async () => {
  await using cluster = await Cluster.of(['a'])
  const file = path.join(cluster.folder, 'plan.yaml')
  await writeFile(file, "target: null:///x/\nduration: 1s\nworkload: [{ op: put, path: 'a/', size: 4KiB }]\n")
  const flags = ['submit', file, '--run-id', cluster.runId, '--no-mdns']
  const json = cluster.command([...flags, '--json'])
  expect({ ...(await json.ended), said: json.stderr }).toMatchObject({ code: 0 })
  const document = JSON.parse(json.stdout)
  expect(document).toMatchObject({ status: 'completed', plan: 1, results: null, summary: { status: 'completed' } })
  expect(document.summary.stages[1]).toMatchObject({ name: 'execute', outcome: 'complete', counted: ['a'] })
  const text = cluster.command(flags)
  expect((await text.ended).code).toBe(0)
  expect(text.stdout).toMatch(/^2 execute +\| +complete/m)
  expect(text.stdout).toMatch(/^ {3}put /m)
  expect(text.stdout).toMatch(/\nplan 2 completed\n$/)
}, 120_000)

it('a straggler is excluded after the grace, ends with 5, and the others complete', async () => {
  await using cluster = await Cluster.of(THREE, { args: ['--once'] })
  await hold(cluster, 'c')
  const settings = ['straggler_grace: 1s']
  const submit = await cluster.submit(heldPlan(cluster, { policy: 'majority', settings }), ['--agents', '3'])
  expect(await cluster.ended('c')).toEqual({ code: 5, signal: null })
  for (const name of ['a', 'b']) expect(await cluster.ended(name)).toEqual({ code: 0, signal: null })
  expect((await submit.ended).code).toBe(0)
  expect((await cluster.decisions('a'))[HELD]?.excluded).toEqual([{ name: 'c', reason: expect.any(String) }])
  // What it had done until then is kept, and is in nobody's figures.
  for (const dir of [await cluster.results('c'), await cluster.results()]) {
    const stage = (await readSummary(dir)).stages[HELD - 1]
    expect(stage).toMatchObject({ outcome: 'degraded', counted: ['a', 'b'], missing: ['c'] })
    expect(stage?.agents.map(({ name, partial }) => [name, partial])).toEqual([
      ['a', false],
      ['b', false],
      ['c', true],
    ])
  }
})

describe('without a majority', () => {
  it('whom it waits for, why and how long is said where people look', async () => {
    await using cluster = await Cluster.of(['a', 'b'], { args: ['--once'] })
    await hold(cluster, 'a')
    const settings = ['agent_barrier_timeout: 12s']
    const submit = await cluster.submit(heldPlan(cluster, { policy: 'all_or_nothing', settings }), ['--agents', '2'])
    await untilWaiting(cluster, ['b'], HELD)
    expect(await cluster.kill('a', 'SIGTERM')).toEqual({ code: 5, signal: null })
    await cluster.until('b says so', () => cluster.of('node.warning', 'b').length > 0)
    const words = /no majority: 1 of 2 members within reach, waiting for a \(left\); stops in \d+ s/
    expect(cluster.of('node.warning', 'b')).toMatchObject([
      { code: 'NO_LEADER', message: expect.stringMatching(words) },
    ])
    const status = cluster.command(['status', '--run-id', cluster.runId, '--no-mdns'])
    expect((await status.ended).code).toBe(0)
    expect(status.stdout).toMatch(new RegExp(`^! b: ${words.source}$`, 'm'))
    expect(await cluster.ended('b')).toEqual({ code: 3, signal: null })
    expect((await submit.ended).code).toBe(3)
    expect(submit.stderr).toMatch(words)
    expect(submit.stderr).toMatch(/quorum_lost: only 1 of 2 members are reachable \(a: left\)/)
  })

  it('each survivor stops with quorum_lost', async () => {
    await using cluster = await Cluster.of(THREE, { args: ['--once'] })
    await hold(cluster, 'a', 'b')
    const settings = ['agent_barrier_timeout: 3s']
    const submit = await cluster.submit(heldPlan(cluster, { policy: 'majority', settings }), ['--agents', '3'])
    await untilWaiting(cluster, ['c'], HELD)
    await cluster.kill('a')
    await cluster.kill('b')
    expect(await cluster.ended('c')).toEqual({ code: 3, signal: null })
    expect((await submit.ended).code).toBe(3)
    for (const dir of [await cluster.results('c'), await cluster.results()]) {
      expect((await readSummary(dir)).stages[HELD - 1]).toMatchObject({ counted: ['c'], missing: ['a', 'b'] })
    }
  })
})
