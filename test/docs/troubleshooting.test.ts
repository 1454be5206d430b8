/** docs/troubleshooting.md explains every code and reason that the source has, and none that it has not. */

import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { IO_ERROR_CODES } from '../../src/io/errors.ts'

const root = path.resolve(import.meta.dirname ?? 'test/docs', '../..')
const page = readFileSync(path.join(root, 'docs/troubleshooting.md'), 'utf8')
const sources = readdirSync(path.join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => readFileSync(path.join(root, 'src', name), 'utf8'))

/** `new XError('CODE'`, `refuse(channel, 'CODE'`, `code: 'CODE'`, `code = 'CODE'`, and members of unions. */
const CODES = /(?:Error\(|refuse\(\w+,|\bcode(?::| =)|^\s*\|)\s*'([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*)'/gm

/** First cells of the tables below a heading. */
function explained(heading: string): string[] {
  const section = page.split(/^## /m).find((text) => text.startsWith(`${heading}\n`)) ?? ''
  return [...section.matchAll(/^\| `(\w+)`/gm)].map(([, code = '']) => code)
}

/** Members of `export type NAME = | 'a' | 'b'`. */
function membersOf(type: string): string[] {
  const text =
    sources.map((source) => source.split(`export type ${type} =`)[1]).find((rest) => rest !== undefined) ?? ''
  const [union = ''] = text.split('\n\n')
  return [...union.matchAll(/\| '(\w+)'/g)].map(([, member = '']) => member)
}

describe('docs/troubleshooting.md', () => {
  it('explains every error code, once', () => {
    const used = sources.flatMap((source) => [...source.matchAll(CODES)].map(([, code = '']) => code))
    const codes = new Set([...used, ...Object.keys(IO_ERROR_CODES)])
    expect(codes.size).toBeGreaterThan(50)
    expect(explained('Errors by code').sort()).toEqual([...codes].sort())
  })

  it('explains every reason for which a message is rejected, once', () => {
    const reasons = new Set([...membersOf('RejectReason'), ...membersOf('RefuseReason')])
    expect(reasons.size).toBeGreaterThan(20)
    expect(explained('Rejected messages').sort()).toEqual([...reasons].sort())
  })
})
