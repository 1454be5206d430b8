/** Peers of different speeds and runtimes go through five stages in step. */

import { readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { Cluster, hasDeno, type LoggedEvent } from './cluster.ts'
import { HELD, heldPlan, hold, letGo, untilWaiting } from './plans.ts'

const THREE = ['a', 'b', 'c']

/** Sequence and the time of it on the clock that all processes of this machine share, ms. */
function when(events: readonly LoggedEvent[], sequence: number): number {
  const event = events.find((one) => one.sequence === sequence)
  if (event === undefined) throw new Error(`no such event of sequence ${sequence}`)
  return event.time
}

/** Nobody starts stage k + 1 before everybody has finished stage k, and said so at the barrier. */
function expectInStep(cluster: Cluster, names: readonly string[], stages: number): void {
  for (let sequence = 1; sequence < stages; sequence += 1) {
    const lastFinished = Math.max(...names.map((name) => when(cluster.of('stage.finished', name), sequence)))
    for (const name of names) {
      const released = when(cluster.of('barrier.released', name), sequence)
      const started = when(cluster.of('stage.started', name), sequence + 1)
      expect(released).toBeGreaterThanOrEqual(lastFinished)
      expect(started).toBeGreaterThanOrEqual(released)
    }
  }
}

/** Results are written when the next stage has begun: until then nothing is done that can wait. */
async function expectQuietStarts(cluster: Cluster, names: readonly string[], stages: number): Promise<void> {
  for (const name of names) {
    const folder = await cluster.results(name)
    const files = await readdir(folder)
    for (let sequence = 1; sequence < stages; sequence += 1) {
      const file = files.find((one) => one.startsWith(`0${sequence}_`)) ?? ''
      const { mtimeMs } = await stat(path.join(folder, file))
      const next = cluster.of('stage.started', name).find((one) => one.sequence === sequence + 1)
      expect(mtimeMs).toBeGreaterThan(Number(next?.at))
    }
  }
}

/** As far apart as processes may be that others take the processor from; `npm run bench:barrier` has the true figures. */
const START_SPREAD_MAX_MS = 300

/** All start a stage together, by the leader's clock. */
function expectSameStart(cluster: Cluster, names: readonly string[], sequence: number): void {
  const starts = names.map((name) => {
    const event = cluster.of('stage.started', name).find((one) => one.sequence === sequence)
    // What it says itself: its line may be read much later.
    return Number(event?.ownAt) + Number(event?.offsetMs)
  })
  expect(Math.max(...starts) - Math.min(...starts)).toBeLessThan(START_SPREAD_MAX_MS)
}

async function untilFinished(cluster: Cluster, names: readonly string[], plans = 1): Promise<void> {
  await cluster.until('all have finished', () =>
    names.every((name) => cluster.of('run.finished', name).length >= plans),
  )
}

for (const policy of ['all_or_nothing', 'majority', 'best_effort'] as const) {
  it(`${policy}: one slow agent, and the fast ones wait for it`, async () => {
    await using cluster = await Cluster.of(THREE, { args: ['--once'] })
    const slow = 'c'
    await hold(cluster, slow)
    const submit = await cluster.submit(heldPlan(cluster, { policy }), ['--agents', '3'])
    await untilWaiting(cluster, ['a', 'b'], HELD)
    await cluster.until('somebody tells who is waited for', () =>
      cluster
        .of('barrier.progress')
        .some(({ sequence, waiting }) => sequence === HELD && JSON.stringify(waiting) === JSON.stringify([slow])),
    )
    expect(cluster.of('barrier.released').filter(({ sequence }) => sequence === HELD)).toEqual([])
    await letGo(cluster, slow)
    await untilFinished(cluster, THREE)
    expectInStep(cluster, THREE, 5)
    expect((await submit.ended).code).toBe(0)
    const decisions = await cluster.decisions()
    for (const name of THREE) expect(await cluster.decisions(name)).toEqual(decisions)
    await expectQuietStarts(cluster, THREE, 5)
    for (const { kind, policy: used, members, excluded } of decisions.slice(1)) {
      expect({ kind, used, members, excluded }).toEqual({ kind: 'release', used: policy, members: THREE, excluded: [] })
    }
  })
}

describe.skipIf(!hasDeno)('on Deno', () => {
  for (const runtimes of [
    ['deno', 'deno', 'deno'],
    ['node', 'deno', 'node'],
  ] as const) {
    it(`${runtimes.join(', ')}: the five stages, submitted from Deno`, async () => {
      await using cluster = await Cluster.create()
      THREE.forEach((name, index) => {
        cluster.start(name, { runtime: runtimes[index] ?? 'node', args: ['--once'] })
      })
      await cluster.met()
      const plan = heldPlan(cluster, { policy: 'all_or_nothing' })
      const submit = await cluster.submit(plan, ['--agents', '3'], { runtime: 'deno' })
      await untilFinished(cluster, THREE)
      expectInStep(cluster, THREE, 5)
      for (const name of THREE) expect(await cluster.ended(name)).toEqual({ code: 0, signal: null })
      expect((await submit.ended).code).toBe(0)
      expect(submit.stdout).toContain('completed')
    })
  }
})

it('a plan without stages: validation, prepare, execute, cleanup', async () => {
  await using cluster = await Cluster.of(THREE)
  const plan = `
target: ${cluster.target}
concurrency: 2
duration: 1s
prepare:
  ensure_objects: [{ base_uri: ${cluster.target}data/, count: 30, size: 1KiB }]
  cleanup: true
workload: [{ op: get, path: 'data/*', weight: 1 }]
`
  const submit = await cluster.submit(plan, ['--agents', '3'])
  await untilFinished(cluster, THREE)
  const stages = ['validation', 'prepare', 'execute', 'cleanup']
  expect(cluster.of('plan.accepted', 'a')[0]?.stages).toEqual(stages)
  expectInStep(cluster, THREE, 4)
  expect((await submit.ended).code).toBe(0)
  for (const index of stages.keys()) expectSameStart(cluster, THREE, index + 1)

  const status = cluster.command(['status', '--run-id', cluster.runId])
  expect((await status.ended).code).toBe(0)
  const [, shown = ''] = /^start spread of plan 1: (.*)$/m.exec(status.stdout) ?? []
  const figures = shown.split(', ').map((part) => /^(\d) (\w+) (\d+\.\d{3}) ms$/.exec(part)?.slice(1) ?? [])
  expect(figures.map(([sequence, stage]) => [sequence, stage])).toEqual(stages.map((stage, at) => [`${at + 1}`, stage]))
  for (const [, , ms] of figures) expect(Number(ms)).toBeLessThan(START_SPREAD_MAX_MS)
})

it('several plans in a row on the same peers, each numbered', async () => {
  await using cluster = await Cluster.of(THREE)
  for (const number of [1, 2, 3]) {
    const submit = await cluster.submit(heldPlan(cluster, { policy: 'majority' }), ['--agents', '3'])
    expect((await submit.ended).code).toBe(0)
    await untilFinished(cluster, THREE, number)
  }
  expect(cluster.of('run.finished', 'a').map(({ plan }) => plan)).toEqual([1, 2, 3])
})
