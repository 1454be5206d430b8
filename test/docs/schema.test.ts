/** The JSON Schema takes what the parser takes. */

import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { expect, it } from 'vitest'
import { parse } from 'yaml'

const root = path.resolve(import.meta.dirname ?? 'test/docs', '../..')
const schema = JSON.parse(readFileSync(path.join(root, 'docs/plan.schema.json'), 'utf8'))
const validate = new Ajv2020({ strict: false, allowUnionTypes: true }).compile(schema)
const examples = readdirSync(path.join(root, 'examples')).filter((name) => name.endsWith('.yaml'))

it.each(examples)('examples/%s is a plan', (name) => {
  const plan = parse(readFileSync(path.join(root, 'examples', name), 'utf8'))
  expect(validate(plan), JSON.stringify(validate.errors)).toBe(true)
})

it('docs/plan.md has a chapter for each section of a plan', () => {
  const page = readFileSync(path.join(root, 'docs/plan.md'), 'utf8')
  const [, top = ''] = page.split(/^## The plan$/m)
  const sections = [...(top.split(/^## /m)[0] ?? '').matchAll(/^\| `(\w+)` +\| mapping /gm)].map(([, key = '']) => key)
  expect(sections.length).toBeGreaterThan(5)
  expect([...page.matchAll(/^## (\w+)$/gm)].map(([, title = '']) => title)).toEqual(expect.arrayContaining(sections))
})

it.each([
  ['an unknown key', { taget: 'file:///x/' }],
  ['a stage without an order', { distributed: { stages: [{ type: 'execute' }] } }],
  ['an unknown policy', { distributed: { barrier_sync: { type: 'most' } } }],
])('%s is none', (_, plan) => {
  expect(validate(plan)).toBe(false)
})
