/** The plan reference and the JSON Schema for editors, both from the schema that plans are read with. */

import { z } from 'zod'
import { planSchema } from '../../src/cli/plan/mod.ts'
import { markdownTable } from './table.ts'

type JsonSchema = z.core.JSONSchema.JSONSchema

const schema = jsonSchema('inline')

function jsonSchema(reused: 'inline' | 'ref'): JsonSchema {
  return z.toJSONSchema(planSchema, {
    io: 'input',
    reused,
    // Of values that are transformed, zod leaves out what their `meta` says the default is.
    override: ({ zodSchema, jsonSchema }) => {
      const fallback = z.globalRegistry.get(zodSchema)?.default
      if (fallback !== undefined) jsonSchema.default = fallback as typeof jsonSchema.default
    },
  })
}

/** Mappings of a plan in the order in which a reader meets them. Steps: keys; [] goes into a list, {kind} into one of several. */
const chapters: readonly { readonly title: string; readonly steps: readonly string[] }[] = [
  { title: 'The plan', steps: [] },
  { title: 'prepare', steps: ['prepare'] },
  { title: 'prepare.ensure_objects[]', steps: ['prepare', 'ensure_objects', '[]'] },
  { title: 'prepare.directory_structure', steps: ['prepare', 'directory_structure'] },
  { title: 'workload[]', steps: ['workload', '[]'] },
  { title: 'io_rate', steps: ['io_rate'] },
  { title: 'multi_endpoint', steps: ['multi_endpoint'] },
  { title: 'error_handling', steps: ['error_handling'] },
  { title: 'perf_log', steps: ['perf_log'] },
  { title: 'distributed', steps: ['distributed'] },
  { title: 'distributed.agents[]', steps: ['distributed', 'agents', '[]'] },
  ...['validation', 'prepare', 'execute', 'hybrid', 'cleanup', 'custom'].map((type) => ({
    title: `distributed.stages[] of type ${type}`,
    steps: ['distributed', 'stages', '[]', `{${type}}`],
  })),
  { title: 'distributed.stages[].barrier', steps: ['distributed', 'stages', '[]', '{execute}', 'barrier'] },
  { title: 'distributed.barrier_sync', steps: ['distributed', 'barrier_sync'] },
]

/** A chapter a mapping: its keys with what they take, their defaults and meanings. */
export function planReference(): string {
  return `${chapters.map(({ title, steps }) => chapter(title, find(schema, steps))).join('\n\n')}\n`
}

/** For editors: what may stand in a plan. */
export function planJsonSchema(): string {
  return `${JSON.stringify({ title: 'Paceline plan', ...jsonSchema('ref') }, null, 1)}\n`
}

function chapter(title: string, mapping: JsonSchema): string {
  const entries = Object.entries(mapping.properties ?? {}).map(([key, entry]) => [key, asSchema(entry)] as const)
  const required = new Set(mapping.required)
  const rows = entries
    .filter(([, entry]) => entry.deprecated !== true)
    .map(([key, entry]) => [`\`${key}\``, kindOf(entry), defaultOf(entry, required.has(key)), entry.description ?? ''])
  const unused = entries.filter(([, entry]) => entry.deprecated === true)
  const parts = [`## ${title}`, markdownTable(['key', 'takes', 'default', 'meaning'], rows)]
  if (unused.length > 0) {
    const list = unused.map(([key, entry]) => `- \`${key}\`: ${String(entry.ignored ?? entry.description ?? '')}`)
    parts.push('Known from sai3-bench, but not used; each gives a warning:', list.join('\n'))
  }
  return parts.join('\n\n')
}

function find(from: JsonSchema, steps: readonly string[]): JsonSchema {
  const [step, ...rest] = steps
  if (step === undefined) return from
  const next =
    step === '[]' ? from.items : step.startsWith('{') ? ofType(from, step.slice(1, -1)) : from.properties?.[step]
  if (next === undefined || Array.isArray(next)) throw new Error(`The plan schema has no ${steps.join('.')}`)
  return find(asSchema(next), rest)
}

/** The alternative that a `type` of this name chooses. */
function ofType(from: JsonSchema, type: string): JsonSchema | undefined {
  const options = [...(from.anyOf ?? []), ...(from.oneOf ?? [])].map(asSchema)
  for (const option of options) {
    const tag = asSchema(option.properties?.type ?? {})
    if (tag.const === type || tag.enum?.includes(type) === true) return option
    const nested = ofType(option, type)
    if (nested !== undefined) return nested
  }
  return undefined
}

function asSchema(value: z.core.JSONSchema._JSONSchema): JsonSchema {
  return typeof value === 'boolean' ? {} : value
}

function kindOf(entry: JsonSchema): string {
  if (entry.enum !== undefined) return entry.enum.map((value) => `\`${value}\``).join(', ')
  if (entry.const !== undefined) return `\`${entry.const}\``
  if (entry.type === 'array') return 'list'
  if (entry.type === 'object') return 'mapping'
  if (entry.type === 'boolean') return '`true`, `false`'
  if (entry.anyOf !== undefined) return 'size, or mapping'
  if (Array.isArray(entry.type)) return entry.type.includes('boolean') ? 'text' : 'number, or text with a unit'
  return String(entry.type ?? 'any')
}

function defaultOf(entry: JsonSchema, required: boolean): string {
  if (required) return 'required'
  if (entry.default === undefined || Array.isArray(entry.default) || typeof entry.default === 'object') return ''
  return entry.default === '' ? '' : `\`${String(entry.default)}\``
}
