/** What the documentation tells people to type exists: commands, flags, scripts, files. */

import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseCommandLine } from '../../src/cli/args.ts'
import { pacelineArguments, pages, root, shellLines } from './pages.ts'

describe.each(pages)('%s', (page) => {
  const lines = shellLines(page)

  it('names commands and flags that exist', () => {
    for (const line of lines) {
      const args = pacelineArguments(line)
      if (args !== undefined) expect(() => parseCommandLine(args, {}), line).not.toThrow()
    }
  })

  it('names scripts and files that exist', () => {
    const { scripts }: { scripts: Record<string, string> } = JSON.parse(
      readFileSync(path.join(root, 'package.json'), 'utf8'),
    )
    for (const line of lines) {
      const script = /^npm (?:run )?([\w:-]+)/.exec(line)?.[1]
      if (script !== undefined && !['install', 'ci', 'pack'].includes(script)) {
        expect(Object.keys(scripts), line).toContain(script)
      }
      for (const [, file = ''] of line.matchAll(/(?:^|\s)((?:examples|bench|scripts|test)\/[\w./-]+)/g)) {
        expect(existsSync(path.join(root, file)), `${file} of: ${line}`).toBe(true)
      }
    }
  })

  it('links to places that exist', () => {
    const text = readFileSync(path.join(root, page), 'utf8')
    for (const [, target = ''] of text.matchAll(/\]\((?!https?:)([^)#\s]+)/g)) {
      expect(existsSync(path.resolve(root, path.dirname(page), target)), target).toBe(true)
    }
  })
})
