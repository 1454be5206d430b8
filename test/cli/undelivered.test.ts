/** What agents measured in a stage that was stopped is kept, and is never taken for the whole work of anybody. */

import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Decision, StageReport } from '../../src/barrier/mod.ts'
import { renderTable, reportOf } from '../../src/cli/report/mod.ts'
import { openResults, type PlanResults, readResults, readSummary, rebuildResults } from '../../src/cli/results/mod.ts'
import { madeUpRun, type RunSketch } from './samples.ts'

const latencies = Array.from({ length: 100 }, (_, at) => 1000 + at * 100)
const work = { seconds: 4, latenciesNs: latencies }
const stopped = { seconds: 2, latenciesNs: latencies.slice(0, 50), stopped: true }

const YAML = `target: null:///x/
workload: [{ op: get, path: '*' }]
distributed:
  barrier_sync: { type: majority }
  stages: [{ name: read, order: 1, type: execute }]
`

let out: string
let results: PlanResults

beforeEach(async () => {
  out = await mkdtemp(path.join(tmpdir(), 'paceline-undelivered-'))
})

afterEach(async () => {
  await rm(out, { recursive: true, force: true })
})

/** Records a run of which the last decision does not carry the reports of those named; returns these. */
async function recordWithout(sketch: RunSketch, names: readonly string[]): Promise<StageReport[]> {
  const { start, decisions } = madeUpRun(sketch)
  results = await openResults({ out, runId: 'made-up', start })
  const last = decisions.at(-1)
  if (last === undefined || last.kind === 'start') throw new Error('made up otherwise')
  const isLeft = ({ name }: StageReport) => names.includes(name)
  const carrying: Decision = { ...last, reports: last.reports.filter((report) => !isLeft(report)) }
  for (const decision of [...decisions.slice(0, -1), carrying]) {
    await results.recordDecision(decision, { unilateral: false, waitedMs: 0 })
  }
  return last.reports.filter(isLeft)
}

async function stageOf(dir: string, at: number) {
  const stage = (await readSummary(dir)).stages[at]
  if (stage === undefined) throw new Error(`no stage ${at}`)
  const { outcome, counted, partial, missing, notes, ops } = stage
  return { outcome, counted, partial, missing, notes, ops: ops.map(({ op, count }) => `${count} ${op}`) }
}

async function rebuiltIsTheSame(dir: string): Promise<void> {
  const files = async () => {
    const names = (await readdir(dir, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile())
    const paths = names.map((entry) => path.join(entry.parentPath, entry.name)).sort()
    return await Promise.all(paths.map(async (file) => [file, await readFile(file, 'utf8')]))
  }
  const before = await files()
  await rebuildResults(dir)
  expect(await files()).toEqual(before)
}

describe('a stage that was aborted', () => {
  const aborted: RunSketch = {
    agents: ['alpha', 'beta', 'gamma'],
    stages: [
      {
        name: 'read',
        leader: 'alpha',
        term: 1,
        works: { alpha: work, beta: stopped, gamma: stopped },
        aborted: 'enough seen',
      },
    ],
  }

  beforeEach(async () => {
    const left = await recordWithout(aborted, ['beta', 'gamma'])
    for (const report of left) results.addUndelivered(report)
    await results.finish({ status: 'aborted', reason: 'enough seen', unilateral: false })
  })

  it('has the figures of all that was measured, and says who was stopped', async () => {
    expect(await stageOf(results.dir, 0)).toEqual({
      outcome: 'aborted',
      counted: ['alpha'],
      partial: ['beta', 'gamma'],
      missing: [],
      notes: ['partial: only what beta, gamma had done when stopped at work', 'aborted: enough seen'],
      ops: ['200 get'],
    })
    const [, row] = (await readFile(path.join(results.dir, 'agents/beta/01_read_results.tsv'), 'utf8')).split('\n')
    expect(row).toMatch(/^GET\t.*\t25\.00\t[\d.]+\t50$/)
    const { perf } = await readResults(results.dir)
    expect(new Set(perf.map(({ agent }) => agent))).toEqual(new Set(['alpha', 'beta', 'gamma']))
    expect(renderTable(await readSummary(results.dir))).toContain(
      '1 read | aborted | 1 of 3 agents, 2 in part | 4.00 s',
    )
  })

  it('is made again from what the agents reported', async () => {
    await rebuiltIsTheSame(results.dir)
  })

  it('shows on the page who was stopped at work', async () => {
    const data = reportOf(await readResults(results.dir), { madeBy: '0.0.0' })
    expect(data.agents.map(({ name, fate, spans }) => [name, fate, spans.map(({ kind }) => kind)])).toEqual([
      ['alpha', 'took_part', ['work']],
      ['beta', 'stopped', ['partial']],
      ['gamma', 'stopped', ['partial']],
    ])
    expect(data.agents.flatMap(({ marks }) => marks)).toEqual([])
    expect(data.curves.find(({ agent }) => agent === null)?.count).toBe(200)
  })
})

describe('a last stage that best_effort did not wait for any longer', () => {
  it('is no plain success: it says whose work it lacks, and that it came too late', async () => {
    const works = { alpha: work, beta: work }
    const stage = { name: 'read', policy: 'best_effort', leader: 'alpha', term: 1, works } as const
    await recordWithout({ agents: ['alpha', 'beta', 'gamma'], stages: [stage] }, [])
    await results.finish({ status: 'completed', reason: '', unilateral: false })
    expect(await stageOf(results.dir, 0)).toEqual({
      outcome: 'degraded',
      counted: ['alpha', 'beta'],
      partial: [],
      missing: ['gamma'],
      notes: ['without the work of gamma: late when the barrier was released'],
      ops: ['200 get'],
    })
    const { warnings } = reportOf(await readResults(results.dir), { madeBy: '0.0.0' })
    expect(warnings).toEqual(['Stage 1 read: without the work of gamma: late when the barrier was released'])
  })
})

describe('a stage that was released without a straggler', () => {
  const released: RunSketch = {
    agents: ['alpha', 'beta', 'gamma'],
    stages: [
      {
        name: 'read',
        leader: 'alpha',
        term: 1,
        works: { alpha: work, beta: work, gamma: stopped },
        excluded: [{ name: 'gamma', reason: 'straggler' }],
      },
    ],
  }

  it('has its figures apart: those of the stage are the same on every peer', async () => {
    const left = await recordWithout(released, ['gamma'])
    const table = async () => await readFile(path.join(results.dir, '01_read_results.tsv'), 'utf8')
    const agreed = await table()
    for (const report of left) results.addUndelivered(report)
    await results.finish({ status: 'excluded', reason: 'excluded', unilateral: false })
    expect(await table()).toBe(agreed)
    const stage = await stageOf(results.dir, 0)
    expect(stage).toMatchObject({ outcome: 'degraded', counted: ['alpha', 'beta'], partial: [], missing: ['gamma'] })
    expect(stage.ops).toEqual(['200 get'])
    expect(stage.notes).toContain('gamma was stopped at work: what it did is shown apart, in no sum')
    expect(await readFile(path.join(results.dir, 'agents/gamma/01_read_results.tsv'), 'utf8')).toMatch(/^GET\t.*\t50$/m)
    const data = reportOf(await readResults(results.dir), { madeBy: '0.0.0' })
    expect(data.curves.map(({ agent, count }) => [agent, count])).toEqual([
      [null, 200],
      ['alpha', 100],
      ['beta', 100],
      ['gamma', 50],
    ])
    await rebuiltIsTheSame(results.dir)
  })
})

it('a stage that nobody decided about has the work of those who told it', async () => {
  const { start, decisions } = madeUpRun({
    agents: ['alpha', 'beta', 'gamma'],
    yaml: YAML,
    stages: [{ name: 'read', leader: 'alpha', term: 1, works: { alpha: work, beta: stopped } }],
  })
  const [first, release] = decisions
  if (first === undefined || release?.kind !== 'release') throw new Error('made up otherwise')
  results = await openResults({ out, runId: 'made-up', start })
  await results.recordDecision(first, { unilateral: false, waitedMs: 0 })
  for (const report of release.reports) results.addUndelivered(report)
  await results.finish({ status: 'quorum_lost', reason: 'alone', unilateral: false })
  expect(await stageOf(results.dir, 0)).toMatchObject({
    outcome: 'degraded',
    counted: ['alpha'],
    partial: ['beta'],
    missing: ['gamma'],
    ops: ['150 get'],
  })
  await rebuiltIsTheSame(results.dir)
})

it('what a decision carried is not counted twice, and what is of no member not at all', async () => {
  const { start, decisions } = madeUpRun({
    agents: ['alpha'],
    stages: [{ name: 'read', leader: 'alpha', term: 1, works: { alpha: work } }],
  })
  results = await openResults({ out, runId: 'made-up', start })
  for (const decision of decisions) await results.recordDecision(decision, { unilateral: false, waitedMs: 0 })
  const carried = decisions.flatMap((decision) => (decision.kind === 'start' ? [] : decision.reports))
  for (const report of carried) {
    results.addUndelivered(report)
    results.addUndelivered({ ...report, peer: 'peer-stranger' })
  }
  await results.finish({ status: 'completed', reason: '', unilateral: false })
  expect((await readSummary(results.dir)).stages).toHaveLength(1)
  expect(await stageOf(results.dir, 0)).toMatchObject({ outcome: 'complete', counted: ['alpha'], ops: ['100 get'] })
})
