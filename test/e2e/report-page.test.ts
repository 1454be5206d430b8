/** The report of a run in which the leader was killed, in a browser: it must say what the result folder says. */

import { existsSync } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ResultFolder, readResults } from '../../src/cli/results/mod.ts'
import { Cluster } from './cluster.ts'
import { HELD, heldPlan, hold, untilWaiting } from './plans.ts'

const CHROMIUM = '/usr/bin/chromium'
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync']
const QUIET = ['--disable-background-networking', '--disable-component-update']
const NAMES = ['alpha', 'beta', 'gamma']
const SCREENS = [
  { width: 1280, scheme: 'light' },
  { width: 1280, scheme: 'dark' },
  { width: 400, scheme: 'light' },
  { width: 400, scheme: 'dark' },
] as const

if (!existsSync(CHROMIUM)) process.stderr.write(`The report's page is not tested: there is no ${CHROMIUM}\n`)

describe.skipIf(!existsSync(CHROMIUM))('report.html of a run in which the leader was killed', () => {
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
    browser = await chromium.launch({ executablePath: CHROMIUM, args: [...FLAGS, ...QUIET] })
  }, 120_000)

  afterAll(async () => {
    await browser?.close()
    await cluster?.[Symbol.asyncDispose]()
  })

  async function open(screen: (typeof SCREENS)[number]): Promise<Page> {
    const page = await browser.newPage({
      viewport: { width: screen.width, height: 900 },
      colorScheme: screen.scheme,
      offline: true,
    })
    page.on('pageerror', (error) => {
      throw error
    })
    await page.goto(file)
    return page
  }

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

  it.each(SCREENS)('is accessible and fits, $width wide, $scheme', async (screen) => {
    const page = await open(screen)
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(screen.width)
    const shots = path.resolve(import.meta.dirname ?? 'test/e2e', '../../artifacts')
    await mkdir(shots, { recursive: true })
    const image = path.join(shots, `report-${screen.width}-${screen.scheme}.png`)
    await page.screenshot({ path: image, fullPage: true })
    const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
    await page.evaluate(axe)
    const found: { violations: { id: string; impact: string; nodes: { html: string }[] }[] } =
      await page.evaluate('axe.run()')
    const serious = found.violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
    expect(serious.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([])
    await page.close()
  })
})
