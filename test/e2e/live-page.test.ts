/** The live view of a run in which the leader is killed: what it shows is what happens, and what the results say. */

import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ResultFolder, readResults } from '../../src/cli/results/mod.ts'
import { expectFitAndAccessible, hasChromium, launch, openPage, SCREENS } from './browser.ts'
import { Cluster } from './cluster.ts'
import { HELD, heldPlan, hold, letGo, untilWaiting } from './plans.ts'

const NAMES = ['alpha', 'beta', 'gamma', 'delta']
const WAIT_MS = 20_000

/** Resolves once the page shows it. */
async function untilShown(page: Page, selector: string, text: RegExp): Promise<void> {
  await page.locator(selector, { hasText: text }).first().waitFor({ state: 'visible', timeout: WAIT_MS })
}

describe.skipIf(!hasChromium)('the live view of a run in which the leader is killed', () => {
  let cluster: Cluster
  let browser: Browser
  let page: Page
  let url: string
  let leader: string
  let seen: string
  let results: ResultFolder

  beforeAll(async () => {
    cluster = await Cluster.of(NAMES, { args: ['--http', '127.0.0.1:0'] })
    leader = cluster.leader()
    seen = NAMES.find((name) => name !== leader) ?? ''
    url = String(cluster.of('node.listening', seen)[0]?.http)
    browser = await launch()
    page = await openPage(browser, url, SCREENS[0])
  }, 120_000)

  afterAll(async () => {
    await browser?.close()
    await cluster?.[Symbol.asyncDispose]()
  })

  it('shows the peers and who leads before there is a plan', async () => {
    await untilShown(page, '#connection', /live/)
    await untilShown(page, '.stage-now', /No plan was handed in yet/)
    expect(await page.locator('.peer b').allTextContents()).toEqual([...NAMES].sort())
    expect(await page.locator('.peer.leading b').allTextContents()).toEqual([leader])
    expect(await page.locator('.card').count()).toBe(0)
  })

  it('follows the run, and the change of leaders, without being loaded anew', async () => {
    const second = NAMES.find((name) => name !== leader && name !== seen) ?? ''
    await hold(cluster, leader, second)
    const submit = await cluster.submit(heldPlan(cluster, { policy: 'majority' }), ['--agents', '4'])
    const waiting = NAMES.filter((name) => name !== leader && name !== second)
    await untilWaiting(cluster, waiting, HELD)
    await untilShown(page, '.stage-now', /Stage 3 of 5: hold/)
    for (const name of waiting) await untilShown(page, '.agent-now.ready .name', new RegExp(name))
    for (const name of [leader, second]) await untilShown(page, '.agent-now.working .name', new RegExp(name))
    expect(await page.locator('.card').count()).toBe(HELD - 1)
    expect(await page.locator('.lane .span.open').count()).toBe(2)
    for (const screen of SCREENS) await expectFitAndAccessible(page, 'live', screen)
    const chosen = page.locator('#distribution select').first()
    await chosen.focus()
    await cluster.kill(leader)
    const next = new RegExp(`(?:${NAMES.filter((name) => name !== leader).join('|')}) leads, term`)
    await untilShown(page, '.stage-now', next)
    await untilShown(page, '.leader-bar.changed', /./)
    await letGo(cluster, leader, second)
    expect((await submit.ended).code).toBe(0)
    await untilShown(page, '.stage-now', /Plan 1 completed/)
    await untilShown(page, '#verdict', /degraded/)
    // Who was choosing something is not disturbed by what comes.
    expect(await page.evaluate('document.activeElement?.closest("#distribution")?.id')).toBe('distribution')
    expect(await chosen.locator('option').count()).toBeGreaterThan(1)
    await cluster.until('it has finished', () => cluster.of('run.finished', seen).length > 0)
    results = await readResults(await cluster.results(seen))
  }, 150_000)

  it('ends with what decisions.jsonl and summary.json say', async () => {
    const { summary, decisions } = results
    expect(await page.locator('.lane .name').allTextContents()).toEqual(summary.agents)
    expect(await page.locator('.lane.lost .name').allTextContents()).toEqual([leader])
    const led = [...new Map(decisions.map((decision) => [decision.term, decision.leader])).values()]
    expect(led.length).toBeGreaterThan(1)
    const bars = await page.locator('.leader-bar').allTextContents()
    expect(bars.filter((name) => led.includes(name))).toEqual(led)
    expect(await page.locator('.card').count()).toBe(summary.stages.length)
    const rows = await page.locator('#stages > .scroll tbody tr').allTextContents()
    const figures = summary.stages.flatMap((stage) => stage.ops.map((ops) => ({ stage, ops })))
    expect(rows).toHaveLength(figures.length)
    for (const [at, { stage, ops }] of figures.entries()) {
      expect(rows[at]).toContain(`${stage.sequence} ${stage.name}${ops.op}${ops.count.toLocaleString('en-US')}`)
    }
    expect(await page.locator('.lane .span.open').count()).toBe(0)
    await expectFitAndAccessible(page, 'live-end', SCREENS[0])
  })

  it('says when the node is gone', async () => {
    await cluster.kill(seen)
    await untilShown(page, '#connection', /connection lost/)
  })
})
