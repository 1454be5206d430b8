/** What each policy makes of a stage that fails, and of one that takes too long, on the same three peers. */

import { rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { Cluster, hasDeno, type LoggedEvent, type Program } from './cluster.ts'
import { hold, letGo } from './plans.ts'

const THREE = ['a', 'b', 'c']
const TIMEOUT = 'agent_barrier_timeout: 2.5s'

let cluster: Cluster
let seen = 0

beforeAll(async () => {
  cluster = await Cluster.create()
  for (const name of THREE) cluster.start(name, { runtime: name === 'c' && hasDeno ? 'deno' : 'node' })
  await cluster.met()
})

beforeEach(async () => {
  for (const name of THREE) await rm(failFile(name), { force: true })
  await letGo(cluster, ...THREE)
  seen = cluster.events.length
})

afterAll(async () => await cluster[Symbol.asyncDispose]())

function failFile(name: string): string {
  return path.join(cluster.folder, `fail-${name}`)
}

/** The last argument of a stage's barrier: what holds a peer, or makes it fail, is a file with its name. */
async function submit(type: string, settings: readonly string[] = [], stage = ''): Promise<Program> {
  const held = `while [ -e ${cluster.folder}/hold-$PACELINE_PEER ]; do sleep 0.02; done`
  const script = `${held}; ! [ -e ${cluster.folder}/fail-$PACELINE_PEER ]`
  const barrier = [`type: ${type}`, ...settings].join(', ')
  const plan = `
target: ${cluster.target}
distributed:
  barrier_sync: { ${barrier} }
  stages:
    - { name: work, order: 1, type: custom, command: sh, args: ['-c', '${script}']${stage} }
    - { name: after, order: 2, type: custom, command: 'true' }
`
  return await cluster.submit(plan, ['--agents', '3'])
}

/** Events of the plan that this test handed in. */
function said(event: string, peer: string): LoggedEvent[] {
  return cluster.events.slice(seen).filter((one) => one.event === event && one.peer === peer)
}

async function ends(): Promise<Record<string, unknown>> {
  await cluster.until('all have finished', () => THREE.every((name) => said('run.finished', name).length > 0))
  return Object.fromEntries(THREE.map((name) => [name, said('run.finished', name)[0]?.status]))
}

async function outcomeOfWork(): Promise<unknown> {
  const { stages } = JSON.parse(JSON.stringify(await cluster.summary()))
  return stages[0]
}

it('all_or_nothing, one fails: aborted at once, the others are cancelled in the middle of their work', async () => {
  await hold(cluster, 'b')
  await writeFile(failFile('c'), '')
  const client = await submit('all_or_nothing')
  expect((await client.ended).code).toBe(1)
  expect(await ends()).toEqual({ a: 'aborted', b: 'aborted', c: 'aborted' })
  for (const name of THREE) expect(said('barrier.aborted', name)[0]?.reason).toBe('all_or_nothing: c failed')
  expect(said('stage.finished', 'b')[0]).toMatchObject({ status: 'failed', code: 'CANCELLED' })
  expect(client.stderr).toContain('c failed')
})

it('majority, one fails: it is excluded and the rest goes on', async () => {
  await writeFile(failFile('c'), '')
  const client = await submit('majority')
  expect((await client.ended).code).toBe(0)
  expect(await ends()).toEqual({ a: 'completed', b: 'completed', c: 'excluded' })
  expect(said('run.finished', 'c')[0]?.exit).toBe(5)
  expect(said('barrier.released', 'a')[1]).toMatchObject({
    members: ['a', 'b'],
    excluded: [{ name: 'c', reason: 'failed' }],
  })
  expect(await outcomeOfWork()).toMatchObject({ outcome: 'degraded', excluded: [{ name: 'c', reason: 'failed' }] })
})

it('best_effort, one fails: it stays a member, and the stage is no plain success', async () => {
  await writeFile(failFile('c'), '')
  const client = await submit('best_effort')
  expect((await client.ended).code).toBe(0)
  expect(await ends()).toEqual({ a: 'completed', b: 'completed', c: 'completed' })
  expect(said('barrier.released', 'a')[1]).toMatchObject({ members: THREE, excluded: [] })
  expect(await outcomeOfWork()).toMatchObject({ outcome: 'degraded', counted: THREE })
})

it('all_or_nothing, an optional stage fails at one: released, and marked', async () => {
  await writeFile(failFile('c'), '')
  const client = await submit('all_or_nothing', [], ', optional: true')
  expect((await client.ended).code).toBe(0)
  expect(await ends()).toEqual({ a: 'completed', b: 'completed', c: 'completed' })
  expect(await outcomeOfWork()).toMatchObject({ outcome: 'degraded' })
})

it('all_or_nothing, one takes longer than agent_barrier_timeout: aborted, naming it', async () => {
  await hold(cluster, 'c')
  const client = await submit('all_or_nothing', [TIMEOUT])
  expect((await client.ended).code).toBe(1)
  expect(await ends()).toEqual({ a: 'aborted', b: 'aborted', c: 'aborted' })
  expect(said('barrier.aborted', 'c')[0]?.reason).toMatch(/agent_barrier_timeout \(2\.5 s\).*c is not ready/)
})

it('majority, agent_barrier_timeout with more than half ready: the late one is excluded', async () => {
  await hold(cluster, 'c')
  const client = await submit('majority', [TIMEOUT, 'straggler_grace: 60s'])
  expect((await client.ended).code).toBe(0)
  expect(await ends()).toEqual({ a: 'completed', b: 'completed', c: 'excluded' })
  expect(said('barrier.released', 'b')[1]?.excluded).toEqual([{ name: 'c', reason: 'straggler' }])
})

it('majority, agent_barrier_timeout with less than half ready: aborted', async () => {
  await hold(cluster, 'b', 'c')
  const client = await submit('majority', [TIMEOUT])
  expect((await client.ended).code).toBe(1)
  expect(await ends()).toEqual({ a: 'aborted', b: 'aborted', c: 'aborted' })
})

it('best_effort, agent_barrier_timeout: released; the late one stays and passes that barrier without waiting', async () => {
  await hold(cluster, 'c')
  const client = await submit('best_effort', [TIMEOUT])
  await cluster.until('c knows of the release', () => said('barrier.released', 'c').length === 2)
  await letGo(cluster, 'c')
  expect((await client.ended).code).toBe(0)
  expect(await ends()).toEqual({ a: 'completed', b: 'completed', c: 'completed' })
  expect(said('barrier.released', 'a')[1]).toMatchObject({ members: THREE, excluded: [] })
  expect(said('barrier.waiting', 'c').map(({ sequence }) => sequence)).toEqual([2])
  const work = await outcomeOfWork()
  expect(work).toMatchObject({ outcome: 'degraded', counted: THREE })
  expect(JSON.stringify(work)).toContain('c finished after the barrier was released')
})
