import path from 'node:path'
import { expect, it } from 'vitest'
import { pages } from '../../docs/generate.ts'

it.each(pages().map((page) => [path.basename(page.file), page] as const))(
  '%s says what the code says (npm run docs)',
  (_, page) => {
    expect(page.text).toBe(page.wanted)
  },
)
