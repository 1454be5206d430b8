/** Pages of the documentation, and the command lines in them. */

import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

export const root = path.resolve(import.meta.dirname ?? 'test/docs', '../..')
export const pages = ['README.md', ...readdirSync(path.join(root, 'docs')).map((name) => `docs/${name}`)].filter(
  (name) => name.endsWith('.md'),
)

/** Command lines of the page's shell blocks: continued lines joined, prompts and comments cut off. */
export function shellLines(page: string): string[] {
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
export function pacelineArguments(line: string): string[] | undefined {
  const match = /^(?:[A-Z_]+=\S+ )*(?:node bin\/paceline\.js|npx paceline|paceline|deno task paceline) (.*)$/.exec(line)
  if (match === null) return undefined
  const words = (match[1] ?? '').replace(/\s(?:\||>|&&|&).*$/, '')
  return [...words.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map((word) => word[1] ?? word[2] ?? word[3] ?? '')
}
