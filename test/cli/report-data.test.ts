import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ReportData, renderTable, reportOf, reportPage } from '../../src/cli/report/mod.ts'
import { observationOf, openResults, type ResultFolder, readResults } from '../../src/cli/results/mod.ts'
import { madeUpRun, type RunSketch, STARTED_AT } from './samples.ts'

const latencies = Array.from({ length: 3000 }, (_, index) => (index + 1) * 1000)
const works = { seconds: 3, latenciesNs: latencies }

/** Two stages led by alpha; it is lost in the second, and beta releases it. Clocks are seconds apart. */
const sketch: RunSketch = {
  agents: ['alpha', 'beta', 'gamma'],
  skewMs: { alpha: 2000, beta: -3000, gamma: 500 },
  stages: [
    {
      name: 'fill',
      leader: 'alpha',
      term: 1,
      works: { alpha: works, beta: { ...works, lateStartMs: 0.4 }, gamma: { ...works, seconds: 4 } },
    },
    {
      name: 'read',
      leader: 'beta',
      term: 2,
      works: { beta: works, gamma: works },
      excluded: [{ name: 'alpha', reason: 'dead' }],
    },
    { name: 'clean', leader: 'beta', term: 2, works: { beta: { seconds: 1 }, gamma: { seconds: 2 } } },
  ],
}

async function folderOf(out: string): Promise<ResultFolder> {
  const { start, decisions } = madeUpRun(sketch)
  const results = await openResults({ out, runId: 'made-up', start })
  // Five seconds after the start of the first stage, in beta's and in gamma's clocks.
  const at = STARTED_AT + 5000
  const saw = { name: 'alpha', term: 1, reason: 'its connection closed' }
  results.observe({ by: 'beta', at: at - 3000, event: 'leader.lost', ...saw })
  results.observe({ by: 'beta', at: at - 3000 + 100, event: 'leader.elected', name: 'beta', term: 2, reason: '' })
  results.observe({ by: 'gamma', at: at + 500, event: 'peer.left', name: 'alpha', term: null, reason: '' })
  for (const decision of decisions) await results.recordDecision(decision, { unilateral: false, waitedMs: 0 })
  await results.finish({ status: 'completed', reason: '', unilateral: false })
  return await readResults(results.dir)
}

describe('what a report says of a run in which the leader was lost', () => {
  let out: string
  let folder: ResultFolder
  let data: ReportData

  beforeAll(async () => {
    out = await mkdtemp(path.join(tmpdir(), 'paceline-report-'))
    folder = await folderOf(out)
    data = reportOf(folder, { madeBy: '0.0.0' })
  })
  afterAll(async () => {
    await rm(out, { recursive: true, force: true })
  })

  it('has one clock, whatever the clocks of the agents were', () => {
    const [fill, read, clean] = data.stages
    expect([fill?.from, fill?.to, read?.to, clean?.to]).toEqual([0, 4.25, 7.5, 9.75])
    for (const agent of data.agents.slice(1)) {
      expect(agent.spans.filter(({ kind }) => kind === 'work').map(({ from }) => Math.round(from * 100) / 100)).toEqual(
        [0, 4.25, 7.5],
      )
    }
    expect(fill?.startSpreadMs).toBeCloseTo(0.4, 2)
    expect(clean?.startSpreadMs).toBe(0)
  })

  it('says who led when, and why that changed', () => {
    expect(data.leaders).toEqual([
      { name: 'alpha', term: 1, from: 0, to: 5, fromSequence: 0, seen: true, lostReason: 'its connection closed' },
      { name: 'beta', term: 2, from: 5.1, to: null, fromSequence: 2, seen: true, lostReason: '' },
    ])
  })

  it('takes a leader that was out of sight for a moment for the leader all the time', () => {
    const at = STARTED_AT + 1000 - 3000
    const blink = { by: 'beta', name: 'alpha', term: 1, reason: 'silent' }
    const observed = [
      { ...blink, at, event: 'leader.lost' as const },
      { ...blink, at: at + 500, event: 'leader.elected' as const },
      ...folder.observed,
    ]
    expect(reportOf({ ...folder, observed }, { madeBy: '0.0.0' }).leaders).toEqual(data.leaders)
  })

  it('falls back on the decisions where nobody saw the change', () => {
    const { leaders } = reportOf({ ...folder, observed: [] }, { madeBy: '0.0.0' })
    expect(leaders.map(({ name, from, to, seen }) => [name, from, to, seen])).toEqual([
      ['alpha', 0, 7.5, true],
      ['beta', 7.5, null, false],
    ])
  })

  it('says what the lost one had finished, and shows its silence until it was gone', () => {
    const [alpha] = data.agents
    expect(alpha).toMatchObject({ fate: 'lost', delivered: [1] })
    expect(alpha?.fateText).toContain('read')
    expect(alpha?.spans.map(({ kind, sequence }) => [kind, sequence])).toEqual([
      ['work', 1],
      ['wait', 1],
      ['silent', 2],
    ])
    expect(alpha?.spans.at(-1)).toMatchObject({ from: 4.25, to: 5 })
    expect(alpha?.marks).toEqual([expect.objectContaining({ kind: 'lost', at: 5 })])
  })

  it('is no plain success, and warns', () => {
    expect(data.verdict).toBe('degraded')
    expect(data.stages.map(({ outcome }) => outcome)).toEqual(['complete', 'degraded', 'complete'])
    expect(data.warnings.join('\n')).toMatch(/read: .*alpha/)
    expect(data.events.map(({ text }) => text).join('\n')).toMatch(/alpha leads\n[\s\S]*beta leads from now on, term 2/)
  })

  it('waits last from the end of the work to the next start', () => {
    const waits = data.agents[1]?.spans.filter(({ kind }) => kind === 'wait') ?? []
    expect(waits.map(({ sequence, from, to }) => [sequence, from, to])).toEqual([
      [1, 3, 4.25],
      [2, 7.25, 7.5],
      [3, 8.5, 9.75],
    ])
  })

  it('keeps every operation when it spreads samples over intervals', () => {
    for (const { sequence, step, from, to, agents } of data.series) {
      const stage = data.stages.find((one) => one.sequence === sequence)
      for (const { name, opsPerSecond } of agents) {
        const last = opsPerSecond.length - 1
        const ops = opsPerSecond.reduce(
          (sum, rate, at) => sum + rate * (at === last ? to - from - last * step : step),
          0,
        )
        const figures = stage?.agents.find((agent) => agent.name === name)?.ops[0]
        expect(ops / (figures?.count ?? 0)).toBeCloseTo(1, 2)
      }
    }
  })

  it('has the percentiles of all operations together', () => {
    const curve = data.curves.find(({ sequence, agent }) => sequence === 1 && agent === null)
    expect(curve?.count).toBe(9000)
    // 1 - 10^-1: nine in ten are at most 2.7 ms; the last point is the highest of all.
    expect((curve?.us[10] ?? 0) / 2700).toBeCloseTo(1, 2)
    expect((curve?.us.at(-1) ?? 0) / 3000).toBeCloseTo(1, 2)
    expect(
      data.curves.filter(({ sequence, agent }) => sequence === 2 && agent !== null).map(({ agent }) => agent),
    ).toEqual(['beta', 'gamma'])
  })

  it('makes a page that needs nothing else', () => {
    const html = reportPage(folder)
    expect(html).not.toMatch(/<(script|link|img|iframe)[^>]+(src|href)=/)
    expect(html).toMatch(/Content-Security-Policy" content="default-src 'none'/)
    expect(html).toContain('function createPage')
  })
})

describe('what a report says of a plan that was aborted', () => {
  const aborted: RunSketch = {
    agents: ['agent-1', 'agent-2', 'agent-10'],
    stages: [
      {
        name: 'fill',
        policy: 'all_or_nothing',
        leader: 'agent-1',
        term: 1,
        works: { 'agent-2': { seconds: 1, failed: 'no luck' } },
        excluded: [{ name: 'agent-2', reason: 'failed' }],
        aborted: 'all_or_nothing: agent-2 failed',
      },
    ],
  }
  let data: ReportData

  beforeAll(async () => {
    const out = await mkdtemp(path.join(tmpdir(), 'paceline-report-'))
    const { start, decisions } = madeUpRun(aborted)
    const results = await openResults({ out, runId: 'made-up', start })
    for (const decision of decisions) await results.recordDecision(decision, { unilateral: false, waitedMs: 0 })
    const [, abort] = decisions
    if (abort === undefined) throw new Error('Nothing was aborted')
    const event = { type: 'decided', decision: abort, unilateral: false, waitedMs: 0 } as const
    const seen = observationOf(event, 'agent-1', STARTED_AT + 3000)
    if (seen !== null) results.observe(seen)
    await results.finish({ status: 'aborted', reason: 'all_or_nothing: agent-2 failed', unilateral: false })
    data = reportOf(await readResults(results.dir), { madeBy: '0.0.0' })
    await rm(out, { recursive: true, force: true })
  })

  it('ends when a peer saw the abort, not with the last work', () => {
    expect([data.seconds, data.stages[0]?.to]).toEqual([3, 3])
  })

  it('tells who failed from who was stopped, and excludes nobody', () => {
    expect(data.agents.map(({ name, fate, marks }) => [name, fate, marks.map(({ kind }) => kind)])).toEqual([
      ['agent-1', 'stopped', []],
      ['agent-2', 'failed', ['failed']],
      ['agent-10', 'stopped', []],
    ])
  })

  it('says each thing once', () => {
    expect(data.warnings).toEqual([
      'The plan did not complete (aborted): all_or_nothing: agent-2 failed',
      'Stage 1 fill: without the work of agent-1, agent-10',
      'Stage 1 fill: agent-2 failed: no luck',
    ])
  })
})

describe('a plan that means harm', () => {
  it('ends no element of the page', async () => {
    const out = await mkdtemp(path.join(tmpdir(), 'paceline-report-'))
    const folder = await folderOf(out)
    await rm(out, { recursive: true, force: true })
    const harm = '</script><script>alert(1)</script><!-- \u2028 <img src=x onerror=alert(1)>'
    const plain = reportPage(folder)
    const html = reportPage({
      ...folder,
      plan: harm,
      summary: { ...folder.summary, run: harm, reason: harm, agents: [harm] },
    })
    const elements = (text: string) => text.match(/<\/?(script|img|style|pre)\b/g)
    expect(elements(html)).toEqual(elements(plain))
  })

  it('has no latency where no operation succeeded', async () => {
    const out = await mkdtemp(path.join(tmpdir(), 'paceline-report-'))
    const { summary } = await folderOf(out)
    await rm(out, { recursive: true, force: true })
    const nothing = { count: 0, errors: 7, bytes: 0, opsPerSecond: 0, mibPerSecond: 0, meanUs: 0, p50Us: 0, maxUs: 0 }
    const stages = summary.stages.map((stage) => ({
      ...stage,
      ops: stage.ops.map((figures) => ({ ...figures, ...nothing, p99Us: 0 })),
    }))
    expect(renderTable({ ...summary, stages })).toMatch(/^ {3}get +0 +7 +0\.0 +- +- +- +- +-$/m)
  })

  it('does not speak to the terminal: notes quote file names and servers', async () => {
    const out = await mkdtemp(path.join(tmpdir(), 'paceline-report-'))
    const { summary } = await folderOf(out)
    await rm(out, { recursive: true, force: true })
    const stages = summary.stages.map((stage) => ({ ...stage, notes: ['cannot read a\u001b[2J\u009b2Jb\nc'] }))
    expect(renderTable({ ...summary, stages })).toMatch(/^ {3}! cannot read a \[2J 2Jb c$/m)
  })
})
