/** What was measured in a stage that is stopped is kept: by each agent, and in the results of whoever handed the plan in. */

import { existsSync } from 'node:fs'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, it } from 'vitest'
import { readSummary, type StageSummary } from '../../src/cli/results/mod.ts'
import { Cluster, hasDeno } from './cluster.ts'

const PLAN = "target: null:///x/\nduration: 60s\nworkload: [{ op: put, path: 'a/', size: 4KiB }]\n"
const RUNNING = 2

async function stageOf(dir: string): Promise<StageSummary> {
  const stage = (await readSummary(dir)).stages.find(({ sequence }) => sequence === RUNNING)
  if (stage === undefined) throw new Error(`${dir} has nothing of stage ${RUNNING}`)
  return stage
}

function opsOf({ agents }: StageSummary): Record<string, number> {
  return Object.fromEntries(agents.map(({ name, ops }) => [name, ops[0]?.count ?? 0]))
}

it('abort in the middle of a stage: each agent keeps its figures, the submitter has those of all, marked', async () => {
  await using cluster = await Cluster.create()
  cluster.start('a', { args: ['--once'] })
  cluster.start('b', { args: ['--once'], runtime: hasDeno ? 'deno' : 'node' })
  await cluster.met()
  const submit = await cluster.submit(PLAN, ['--agents', '2'])
  await cluster.until('both are at work', () =>
    ['a', 'b'].every((name) => cluster.of('stage.started', name).some(({ sequence }) => sequence === RUNNING)),
  )
  const abort = cluster.command(['abort', '--run-id', cluster.runId, '--no-mdns', '--reason', 'enough'])
  expect((await abort.ended).code).toBe(0)
  expect((await submit.ended).code).toBe(1)
  expect(submit.stdout).toMatch(/^2 execute \| aborted \| 0 of 2 agents, 2 in part \| /m)
  const dir = await cluster.results()
  const stage = await stageOf(dir)
  expect(stage).toMatchObject({ outcome: 'aborted', counted: [], partial: ['a', 'b'], missing: [] })
  const { a = 0, b = 0 } = opsOf(stage)
  expect(Math.min(a, b)).toBeGreaterThan(0)
  expect(stage.ops[0]?.count).toBe(a + b)
  expect(await readFile(path.join(dir, 'report.html'), 'utf8')).toContain('"kind":"partial"')
  for (const name of ['a', 'b']) {
    await cluster.ended(name)
    const own = await cluster.results(name)
    expect(opsOf(await stageOf(own))).toEqual({ [name]: name === 'a' ? a : b })
    expect(existsSync(path.join(own, `agents/${name}/02_execute_results.tsv`))).toBe(true)
    expect(await readFile(path.join(own, 'decisions.jsonl'), 'utf8')).toBe(
      await readFile(path.join(dir, 'decisions.jsonl'), 'utf8'),
    )
  }
}, 120_000)

it('Ctrl-C of run: what its local peers had measured is in the results', async () => {
  await using cluster = await Cluster.create()
  const file = path.join(cluster.folder, 'plan.yaml')
  await writeFile(file, PLAN)
  const out = path.join(cluster.folder, 'out')
  const run = cluster.command(['run', file, '--agents', '2', '--out', out, '--allow', 'null://'])
  await new Promise<void>((resolve) => {
    run.process.stderr?.on('data', () => {
      if (/execute: .* [1-9]\S* ops/.test(run.stderr)) resolve()
    })
  })
  run.kill('SIGINT')
  expect((await run.ended).code).toBe(130)
  const [dir = ''] = await readdir(out)
  const stage = await stageOf(path.join(out, dir))
  expect(stage.partial).toEqual(['agent-1', 'agent-2'])
  expect(Math.min(...Object.values(opsOf(stage)))).toBeGreaterThan(0)
}, 120_000)
