/** The report of a run in which the leader was killed, in a browser: it must say what the result folder says. */

import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ResultFolder, readResults } from '../../src/cli/results/mod.ts'
import { type BrowserScreen, expectFitAndAccessible, hasChromium, launch, openPage, SCREENS } from './browser.ts'
import { Cluster } from './cluster.ts'
import { HELD, heldPlan, hold, untilWaiting } from './plans.ts'

const NAMES = ['alpha', 'beta', 'gamma']
/** A4 on its side without its margins, CSS pixels. */
const PAPER = { width: 1032, height: 703 }

describe.skipIf(!hasChromium)('report.html of a run in which the leader was killed', () => {
  let cluster: Cluster
  let browser: Browser
  let folder: ResultFolder
  let file: string
  let leader: string

  beforeAll(async () => {
    cluster = await Cluster.of(NAMES, { args: ['--once'] })
    leader = cluster.leader()
    await hold(cluster, leader)
    const submit = await cluster.submit(heldPlan(cluster, { policy: 'majority' }), ['--agents', '3'])
    const left = NAMES.filter((name) => name !== leader)
    await untilWaiting(cluster, left, HELD)
    await cluster.kill(leader)
    expect((await submit.ended).code).toBe(0)
    const dir = await cluster.results()
    folder = await readResults(dir)
    file = pathToFileURL(path.join(dir, 'report.html')).href
    browser = await launch()
  }, 120_000)

  afterAll(async () => {
    await browser?.close()
    await cluster?.[Symbol.asyncDispose]()
  })

  const open = (screen: BrowserScreen): Promise<Page> => openPage(browser, file, { ...screen, offline: true })

  it('shows a lane for each agent, the change of leaders, and who was lost', async () => {
    const page = await open(SCREENS[0])
    const { summary, decisions } = folder
    expect(await page.locator('.lane .name').allTextContents()).toEqual(summary.agents)
    expect(await page.locator('.lane.lost .name').allTextContents()).toEqual([leader])
    expect(await page.locator('.lane .mark.lost').count()).toBe(1)
    const led = [...new Map(decisions.map((decision) => [decision.term, decision.leader])).values()]
    expect(await page.locator('.leader-bar').allTextContents()).toEqual(led)
    expect(led).toHaveLength(2)
    const releases = decisions.filter(({ kind }) => kind === 'release')
    expect(await page.locator('.release').count()).toBe(releases.length)
    expect(await page.locator('#verdict').textContent()).toContain('degraded')
    expect(await page.locator('.warnings').textContent()).toContain(leader)
    await page.close()
  })

  it('shows the figures of summary.json', async () => {
    const page = await open(SCREENS[0])
    const { stages } = folder.summary
    expect(await page.locator('.card').count()).toBe(stages.length)
    const rows = await page.locator('#stages > .scroll tbody tr').allTextContents()
    const figures = stages.flatMap((stage) => stage.ops.map((ops) => ({ stage, ops })))
    expect(rows).toHaveLength(figures.length)
    for (const [at, { stage, ops }] of figures.entries()) {
      expect(rows[at]).toContain(`${stage.sequence} ${stage.name}${ops.op}${ops.count.toLocaleString('en-US')}`)
    }
    await page.close()
  })

  it('sorts its tables by keyboard', async () => {
    const page = await open(SCREENS[0])
    const head = page.locator('#stages > .scroll th', { hasText: /^Ops$/ })
    await head.locator('button').focus()
    await page.keyboard.press('Enter')
    expect(await head.getAttribute('aria-sort')).toBe('descending')
    const cells = await page.locator('#stages > .scroll tbody tr td:nth-child(3)').allTextContents()
    const counts = cells.map((cell) => Number(cell.replaceAll(',', '')))
    expect(counts).toEqual([...counts].sort((a, b) => b - a))
    await page.close()
  })

  it('is accessible and fits, wide and narrow, light and dark', async () => {
    const page = await open(SCREENS[0])
    for (const screen of SCREENS) await expectFitAndAccessible(page, 'report', screen)
    await page.close()
  })

  it('fits on paper, with every table open', async () => {
    const page = await open({ width: 1280, scheme: 'dark' })
    await page.emulateMedia({ media: 'print' })
    await page.setViewportSize(PAPER)
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(PAPER.width)
    expect(await page.locator('summary:visible').count()).toBe(0)
    expect(await page.locator('table:visible').count()).toBe(await page.locator('table').count())
    await page.close()
  })

  it('is set beside another run on a page that fits and is accessible', async () => {
    const dir = path.dirname(fileURLToPath(file))
    const compared = path.join(cluster.folder, 'compare.html')
    const report = cluster.command(['report', '--compare', dir, dir, '--out', compared])
    expect((await report.ended).code).toBe(0)
    const page = await openPage(browser, pathToFileURL(compared).href, { ...SCREENS[0], offline: true })
    for (const screen of SCREENS) await expectFitAndAccessible(page, 'compare', screen)
    const ratios = await page.locator('tbody td:last-child').allTextContents()
    expect(ratios.filter((ratio) => ratio !== '1.000' && ratio !== '–')).toEqual([])
    await page.close()
  })
})
