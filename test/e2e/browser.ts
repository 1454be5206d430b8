/** Debian's chromium, and what every page must pass in it. */

import { existsSync } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import path from 'node:path'
import { type Browser, chromium, type Page } from 'playwright-core'
import { expect } from 'vitest'

const CHROMIUM = '/usr/bin/chromium'
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync']
const QUIET = ['--disable-background-networking', '--disable-component-update']

const HEIGHT = 900

export const SCREENS = [
  { width: 1280, scheme: 'light' },
  { width: 1280, scheme: 'dark' },
  { width: 400, scheme: 'light' },
  { width: 400, scheme: 'dark' },
] as const
export type BrowserScreen = (typeof SCREENS)[number]

export const hasChromium = existsSync(CHROMIUM)
if (!hasChromium) process.stderr.write(`Pages are not tested: there is no ${CHROMIUM}\n`)

export async function launch(): Promise<Browser> {
  return await chromium.launch({ executablePath: CHROMIUM, args: [...FLAGS, ...QUIET] })
}

/** A page of which every error of its scripts is one of the test. */
export async function openPage(
  browser: Browser,
  url: string,
  { width, scheme, offline = false }: BrowserScreen & { readonly offline?: boolean },
): Promise<Page> {
  const page = await browser.newPage({ viewport: { width, height: HEIGHT }, colorScheme: scheme, offline })
  page.on('pageerror', (error) => {
    throw error
  })
  await page.goto(url)
  return page
}

/** The same page on another screen: keeps a picture of it in `artifacts/`, and has axe-core look at it. */
export async function expectFitAndAccessible(
  page: Page,
  name: string,
  { width, scheme }: BrowserScreen,
): Promise<void> {
  await page.setViewportSize({ width, height: HEIGHT })
  await page.emulateMedia({ colorScheme: scheme })
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width)
  const shots = path.resolve(import.meta.dirname ?? 'test/e2e', '../../artifacts')
  await mkdir(shots, { recursive: true })
  await page.screenshot({ path: path.join(shots, `${name}-${width}-${scheme}.png`), fullPage: true })
  if (!(await page.evaluate('"axe" in globalThis'))) {
    await page.evaluate(await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8'))
  }
  const found: { violations: { id: string; impact: string; nodes: { html: string }[] }[] } = await page.evaluate(
    "axe.run({ resultTypes: ['violations'] })",
  )
  const serious = found.violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
  expect(serious.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([])
}
