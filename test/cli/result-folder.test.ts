import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { decodeFromCompressedBase64, type Histogram, HistogramLogReader } from 'hdr-histogram-js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openResults, readResults, writeWhole } from '../../src/cli/results/mod.ts'
import { madeUpRun, STARTED_AT } from './samples.ts'

const latencies = Array.from({ length: 4000 }, (_, index) => 1000 + index * 250)
const run = madeUpRun({
  agents: ['alpha', 'beta'],
  skewMs: { beta: 5000 },
  stages: [
    { name: 'check', leader: 'alpha', term: 1, works: { alpha: { seconds: 0.1 }, beta: { seconds: 0.2 } } },
    {
      name: 'read, quickly',
      leader: 'beta',
      term: 2,
      works: { alpha: { seconds: 2, latenciesNs: latencies }, beta: { seconds: 2, latenciesNs: latencies } },
    },
  ],
})

describe('a result folder', () => {
  let out: string
  let dir: string

  beforeAll(async () => {
    out = await mkdtemp(path.join(tmpdir(), 'paceline-results-'))
    const results = await openResults({ out, runId: 'made-up', start: run.start })
    dir = results.dir
    results.observe({ by: 'alpha', at: STARTED_AT + 10, event: 'leader.elected', name: 'beta', term: 2, reason: '' })
    for (const decision of run.decisions) await results.recordDecision(decision, { unilateral: false, waitedMs: 1 })
    await results.finish({ status: 'completed', reason: '', unilateral: false })
  })
  afterAll(async () => {
    await rm(out, { recursive: true, force: true })
  })

  it('is read back as it was written', async () => {
    const { summary, decisions, observed, perf, latencies: read, plan } = await readResults(dir)
    expect(plan).toBe('stages: made up')
    expect(summary.status).toBe('completed')
    expect(decisions.map(({ sequence, kind, leader }) => [sequence, kind, leader])).toEqual([
      [0, 'start', 'alpha'],
      [1, 'release', 'alpha'],
      [2, 'release', 'beta'],
    ])
    expect(observed).toEqual([expect.objectContaining({ event: 'leader.elected', name: 'beta', term: 2 })])
    expect(perf).toHaveLength(4)
    expect(perf[0]).toMatchObject({ agent: 'alpha', stage: 'read, quickly', ops: 2000, opsPerSecond: 2000, p99Us: 9 })
    expect(read.map(({ sequence, op, agent }) => [sequence, op, agent])).toEqual([
      [2, 'get', 'alpha'],
      [2, 'get', 'beta'],
    ])
  })

  it('keeps what is too large for others beside it', async () => {
    const results = await openResults({ out, runId: 'large', start: run.start })
    await results.keepWhole('alpha', 2, '{"all":"of it"}')
    const file = path.join(results.dir, 'agents', 'alpha', '02_read_quickly_whole.json')
    expect(await readFile(file, 'utf8')).toBe('{"all":"of it"}')
  })

  it('says what the agents ran on, and how their clocks stood to the leader', async () => {
    const { summary } = await readResults(dir)
    expect(summary.machines.map(({ name, host, cores }) => [name, host, cores])).toEqual([
      ['alpha', 'host-of-alpha', 2],
      ['beta', 'host-of-beta', 2],
    ])
    expect(summary.stages[1]?.agents.map(({ name, offsetMs }) => [name, offsetMs])).toEqual([
      ['alpha', 0],
      ['beta', -5000],
    ])
  })

  it('has the rows of all agents on one clock, whatever their own say', async () => {
    const { perf } = await readResults(dir)
    // The second stage starts a quarter of a second after the first one, which took 0.2 s.
    const started = STARTED_AT + 450
    expect(perf.map(({ agent, at }) => [agent, at - started])).toEqual([
      ['alpha', 1000],
      ['beta', 1000],
      ['alpha', 2000],
      ['beta', 2000],
    ])
  })

  it('writes what was observed anew only when there is more of it', async () => {
    const results = await openResults({ out, runId: 'quiet', start: run.start })
    const [start, release, last] = run.decisions
    if (start === undefined || release === undefined || last === undefined) throw new Error('a start and two releases')
    const how = { unilateral: false, waitedMs: 1 }
    const written = async () => (await stat(path.join(results.dir, 'observed.jsonl'), { bigint: true })).ino
    await results.recordDecision(start, how)
    const first = await written()
    await results.recordDecision(release, how)
    expect(await written()).toBe(first)
    results.observe({ by: 'alpha', at: STARTED_AT, event: 'peer.left', name: 'beta', term: null, reason: '' })
    await results.recordDecision(last, how)
    expect((await readResults(results.dir)).observed).toHaveLength(1)
  })

  it('has histograms that other HDR tools read', async () => {
    const reader = new HistogramLogReader(await readFile(path.join(dir, 'latency.hlog'), 'utf8'))
    const found: Histogram[] = []
    for (let next = reader.nextIntervalHistogram(); next !== null; next = reader.nextIntervalHistogram()) {
      found.push(next)
    }
    expect(found.map(({ tag, totalCount }) => [tag, totalCount])).toEqual([
      ['2_read_quickly/get/alpha', 4000],
      ['2_read_quickly/get/beta', 4000],
    ])
    const own = (await readResults(dir)).latencies[0]?.histogram ?? ''
    expect(decodeFromCompressedBase64(own, 64).getValueAtPercentile(50)).toBe(found[0]?.getValueAtPercentile(50))
  })

  it.each([
    ['decisions.jsonl', '{"plan":1}\n'],
    ['observed.jsonl', 'no JSON\n'],
    ['perf_log.tsv', 'agent\tops\n'],
    ['latency.hlog', 'Tag=x,1,2,3,HIST\n'],
    ['latency.hlog', 'Tag=1_read/get/%E0%A4%A,1.0,2.0,3.0,SElTVA==\n'],
  ])('names %s when it is damaged', async (name, text) => {
    const file = path.join(dir, name)
    const before = await readFile(file, 'utf8')
    await writeFile(file, text)
    await expect(readResults(dir)).rejects.toMatchObject({
      code: 'RESULTS_DAMAGED',
      message: expect.stringContaining(name),
    })
    await writeFile(file, before)
  })

  it('says what to do where a file cannot be written, even below what is no folder', async () => {
    await expect(writeWhole(path.join(dir, 'plan.yaml', 'below', 'x'), '')).rejects.toMatchObject({
      code: 'RESULTS_UNWRITABLE',
      message: expect.stringContaining('choose another folder with --out'),
    })
  })
})
