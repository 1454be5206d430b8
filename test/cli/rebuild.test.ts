/** `paceline report` makes a result folder again from its decisions and from what the agents reported. */

import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openResults, PlanRecord, readSummary, rebuildResults } from '../../src/cli/results/mod.ts'
import { summaryOf } from '../../src/cli/results/summary.ts'
import { madeUpRun, STARTED_AT } from './samples.ts'

const latencies = Array.from({ length: 200 }, (_, at) => 1000 + at * 777)
const work = { seconds: 2, latenciesNs: latencies }

const YAML = `target: null:///x/
workload: [{ op: get, path: '*' }]
distributed:
  barrier_sync: { type: majority }
  stages:
    - { name: check, order: 1, type: validation }
    - { name: read, order: 2, type: execute }
    - { name: again, order: 3, type: execute }
    - { name: never, order: 4, type: cleanup }
`

/** beta leads first and dies in the second stage, gamma is late there; the third ends without a decision. */
const run = madeUpRun({
  agents: ['alpha', 'beta', 'gamma'],
  yaml: YAML,
  skewMs: { gamma: -700 },
  stages: [
    {
      name: 'check',
      leader: 'beta',
      term: 1,
      works: {
        alpha: { seconds: 0.1 },
        beta: { seconds: 0.2, output: 'hello' },
        gamma: { seconds: 0.1, lateStartMs: 3 },
      },
    },
    {
      name: 'read',
      leader: 'alpha',
      term: 2,
      works: { alpha: work, gamma: { ...work, failed: 'no luck' } },
      excluded: [{ name: 'beta', reason: 'dead' }],
    },
    { name: 'again', leader: 'alpha', term: 2, works: { alpha: work } },
    { name: 'never', leader: 'alpha', term: 2, works: {} },
  ],
})

async function filesOf(dir: string): Promise<Map<string, string>> {
  const names = (await readdir(dir, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile())
  const files = names.map((entry) => path.relative(dir, path.join(entry.parentPath, entry.name))).sort()
  return new Map(
    await Promise.all(files.map(async (name) => [name, await readFile(path.join(dir, name), 'utf8')] as const)),
  )
}

it('a stage is summarized once: what a barrier costs does not grow with the stages before it', () => {
  const record = new PlanRecord(run.start)
  const stagesNow = () => summaryOf(record, 'made-up', { status: 'running', reason: '', unilateral: false }).stages
  for (const decision of run.decisions.slice(0, 3)) record.add(decision, false, 1)
  const before = stagesNow()
  expect(before.map(({ name }) => name)).toEqual(['check', 'read'])
  const [check] = before
  expect(stagesNow()[0]).toBe(check)
  // What comes late belongs to it all the same.
  const again = run.decisions[3]
  if (again?.kind !== 'release') throw new Error('made up otherwise')
  const payload = record.stages[1]?.agents[0]?.payload ?? ''
  const late = { peer: 'peer-beta', name: 'beta', sequence: 2, status: 'ok', payload } as const
  record.add({ ...again, reports: [...again.reports, late] }, false, 1)
  const [same, read] = stagesNow()
  expect(same).toBe(check)
  expect(before[1]?.counted).toEqual(['alpha', 'gamma'])
  expect(read?.counted).toEqual(['alpha', 'beta', 'gamma'])
})

it('who reported late does not count for how far apart the agents began', () => {
  const [start, check, read] = run.decisions
  if (start === undefined || check?.kind !== 'release' || read?.kind !== 'release') throw new Error('made up otherwise')
  const isLate = ({ name }: { readonly name: string }) => name === 'gamma'
  const late = check.reports.filter(isLate)
  const record = new PlanRecord(run.start)
  record.add(start, false, 0)
  record.add({ ...check, reports: check.reports.filter((report) => !isLate(report)) }, false, 0)
  record.add({ ...read, reports: [...read.reports, ...late] }, false, 0)
  const [stage] = summaryOf(record, 'made-up', { status: 'running', reason: '', unilateral: false }).stages
  expect(stage?.agents.map(({ name, late }) => [name, late])).toEqual([
    ['alpha', false],
    ['beta', false],
    ['gamma', true],
  ])
  expect(stage?.startSpreadMs).toBe(0)
})

describe('a result folder', () => {
  let out: string
  let dir: string
  let written: Map<string, string>

  beforeAll(async () => {
    out = await mkdtemp(path.join(tmpdir(), 'paceline-rebuild-'))
    const results = await openResults({ out, runId: 'made-up', start: run.start })
    dir = results.dir
    results.observe({ by: 'alpha', at: STARTED_AT + 10, event: 'leader.elected', name: 'alpha', term: 2, reason: '' })
    for (const decision of run.decisions.slice(0, 3)) {
      await results.recordDecision(decision, { unilateral: false, waitedMs: 1 })
    }
    const undecided = run.decisions[3]
    const [own] = undecided === undefined || undecided.kind === 'start' ? [] : undecided.reports
    if (own !== undefined) results.addUndelivered(own)
    await results.finish({ status: 'quorum_lost', reason: 'alone', unilateral: false })
    written = await filesOf(dir)
  })
  afterAll(async () => {
    await rm(out, { recursive: true, force: true })
  })

  it('has what the design names, for every agent, those included that died', () => {
    expect([...written.keys()].filter((name) => !name.endsWith('_report.json'))).toEqual([
      '01_check_results.tsv',
      '02_read_results.tsv',
      '03_again_results.tsv',
      'agents/alpha/01_check_results.tsv',
      'agents/alpha/02_read_results.tsv',
      'agents/alpha/03_again_results.tsv',
      'agents/beta/01_check_output.txt',
      'agents/beta/01_check_results.tsv',
      'agents/gamma/01_check_results.tsv',
      'agents/gamma/02_read_results.tsv',
      'decisions.jsonl',
      'latency.hlog',
      'observed.jsonl',
      'perf_log.tsv',
      'plan.yaml',
      'summary.json',
    ])
  })

  it('has the columns that tools for sai3-bench read', () => {
    const [head, row, total] = (written.get('02_read_results.tsv') ?? '').split('\n')
    expect(head?.split('\t')).toEqual(
      'operation size_bucket bucket_idx mean_us p50_us p90_us p95_us p99_us max_us avg_bytes ops_per_sec throughput_mibps count'.split(
        ' ',
      ),
    )
    expect(row).toMatch(/^GET\t1B-8KiB\t1\t[\d.]+\t.*\t4096\t200\.00\t0\.78\t400$/)
    expect(total).toMatch(/^GET\tALL\t98\t/)
    const perf = (written.get('perf_log.tsv') ?? '').split('\n')
    expect(perf[0]?.split('\t').slice(0, 12)).toEqual(
      'agent_id timestamp_epoch_ms elapsed_s stage get_ops get_bytes get_iops get_mbps get_mean_us get_p50_us get_p90_us get_p99_us'.split(
        ' ',
      ),
    )
    expect(perf[0]?.split('\t').slice(26, 31)).toEqual(
      'cpu_user_pct cpu_system_pct cpu_iowait_pct errors is_warmup'.split(' '),
    )
    expect(perf).toHaveLength(1 + 6 + 1)
  })

  it('says whose work its figures have, who waited, how far apart the agents began, and what was not reached', async () => {
    const { stages, notReached, leaders, status } = await readSummary(dir)
    expect({ notReached, status }).toEqual({ notReached: ['never'], status: 'quorum_lost' })
    expect(leaders.map(({ name, fromSequence }) => [name, fromSequence])).toEqual([
      ['beta', 0],
      ['alpha', 2],
    ])
    expect(
      stages.map(({ name, outcome, members, counted, missing }) => ({ name, outcome, members, counted, missing })),
    ).toEqual([
      {
        name: 'check',
        outcome: 'complete',
        members: ['alpha', 'beta', 'gamma'],
        counted: ['alpha', 'beta', 'gamma'],
        missing: [],
      },
      {
        name: 'read',
        outcome: 'degraded',
        members: ['alpha', 'beta', 'gamma'],
        counted: ['alpha', 'gamma'],
        missing: ['beta'],
      },
      { name: 'again', outcome: 'degraded', members: ['alpha', 'gamma'], counted: ['alpha'], missing: ['gamma'] },
    ])
    expect(stages[0]?.startSpreadMs).toBeCloseTo(3, 3)
    expect(stages[0]?.agents.map(({ waitedMs }) => Math.round(waitedMs ?? -1))).toEqual([350, 250, 350])
    expect(stages[1]?.notes.join('\n')).toMatch(
      /beta was excluded \(dead\)\nwithout the work of beta\ngamma failed: no luck/,
    )
    expect(stages[2]?.notes[0]).toMatch(/nothing was decided about this stage/)
  })

  it('is the same again when everything that can be made from the rest is gone', async () => {
    for (const name of written.keys()) {
      const isKept = /_report\.json$|^decisions|^plan|^observed/.test(name)
      if (!isKept) await rm(path.join(dir, name))
    }
    await writeFile(
      path.join(dir, 'summary.json'),
      JSON.stringify({ ...JSON.parse(written.get('summary.json') ?? ''), stages: [] }),
    )
    await rebuildResults(dir)
    expect(Object.fromEntries(await filesOf(dir))).toEqual(Object.fromEntries(written))
  })

  it('is made again without its summary, whose end nobody knows then', async () => {
    await rm(path.join(dir, 'summary.json'))
    const summary = await rebuildResults(dir)
    expect(summary).toMatchObject({ run: 'made-up', status: 'running', stages: [{}, {}, { name: 'again' }] })
  })

  it('is refused where a report was damaged', async () => {
    await writeFile(path.join(dir, 'agents/beta/01_check_report.json'), '{"agent":"beta"}')
    await expect(rebuildResults(dir)).rejects.toMatchObject({ code: 'RESULTS_DAMAGED' })
  })
})
