/** `npm run ...` in the documentation: the scripts take the flags that are shown, and the short ones are run. */

import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { pages, root, shellLines } from '../docs/pages.ts'

/** Those beside the code too. */
const PAGES = [...pages, ...['bench', 'test'].flatMap(pagesBelow)]
/** Ended by itself within seconds. */
const SHORT = /^npm run sim -- --seed \d+ --trace$/
/** No option of any script: whoever reads its options names the first that it does not know. */
const UNKNOWN = '--no-such-option'

const { scripts }: { scripts: Record<string, string> } = JSON.parse(
  readFileSync(path.join(root, 'package.json'), 'utf8'),
)

function pagesBelow(folder: string): string[] {
  const files = readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
  return files.filter((file) => file.endsWith('.md')).map((file) => path.join(folder, file))
}

/** In blocks and in sentences. */
function linesOf(page: string): string[] {
  const inline = [...readFileSync(path.join(root, page), 'utf8').matchAll(/`(npm run [^`\n]+)`/g)]
  return [...shellLines(page), ...inline.map(([, line = '']) => line)]
}

/** Null where it is no script of this repository that reads options. */
function wordsOf(line: string): string[] | null {
  const [, name = '', flags = ''] = /^npm run ([\w:-]+)(?: -- (.*))?$/.exec(line) ?? []
  const script = /^node scripts\/with-node\.js (.*)$/.exec(scripts[name] ?? '')?.[1]
  if (script === undefined) return null
  const words = [...`${script} ${flags}`.matchAll(/"([^"]*)"|(\S+)/g)].map((word) => word[1] ?? word[2] ?? '')
  return readFileSync(path.join(root, words[0] ?? ''), 'utf8').includes('parseArgs') ? words : null
}

interface Ended {
  readonly code: number | string | null
  readonly text: string
}

function run(words: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(process.execPath, words, { cwd: root, maxBuffer: 2 ** 28 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : (error.code ?? null), text: stdout + stderr })
    })
  })
}

const documented = [...new Set(PAGES.flatMap(linesOf))].flatMap((line) => {
  const words = wordsOf(line)
  return words === null ? [] : [{ line, words }]
})

it('there are scripts in the documentation', () => {
  expect(documented.length).toBeGreaterThan(20)
})

it.each(documented)('$line', async ({ line, words }) => {
  const refused = await run([...words, UNKNOWN])
  expect(refused.text).toContain(UNKNOWN)
  expect(refused.code).not.toBe(0)
  if (SHORT.test(line)) expect(await run(words)).toMatchObject({ code: 0 })
})
