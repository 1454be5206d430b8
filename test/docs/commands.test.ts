/** What the documentation tells people to type exists: commands, flags, scripts, files. */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseCommandLine } from '../../src/cli/args.ts'

const root = path.resolve(import.meta.dirname ?? 'test/docs', '../..')
const pages = ['README.md', ...readdirSync(path.join(root, 'docs')).map((name) => `docs/${name}`)].filter((name) =>
  name.endsWith('.md'),
)

/** Command lines of the page's shell blocks: continued lines joined, prompts and comments cut off. */
function shellLines(page: string): string[] {
  const text = readFileSync(path.join(root, page), 'utf8')
  const blocks = [...text.matchAll(/```(?:sh|bash|console|shell)?\n([\s\S]*?)```/g)].map((match) => match[1] ?? '')
  return blocks.flatMap((block) =>
    block
      .replace(/\\\n\s*/g, ' ')
      .split('\n')
      .map((line) =>
        line
          .replace(/^\s*(?:[\w.-]*\$ )?/, '')
          .replace(/\s+#.*$/, '')
          .trim(),
      )
      .filter((line) => line !== ''),
  )
}

/** The arguments of Paceline in a command line, or undefined where it is another program's. */
function pacelineArguments(line: string): string[] | undefined {
  const match = /^(?:[A-Z_]+=\S+ )*(?:node bin\/paceline\.js|npx paceline|paceline|deno task paceline) (.*)$/.exec(line)
  if (match === null) return undefined
  const words = (match[1] ?? '').replace(/\s(?:\||>|&&|&).*$/, '')
  return [...words.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map((word) => word[1] ?? word[2] ?? word[3] ?? '')
}

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
