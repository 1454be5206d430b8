/** Checks what a plan says against the table of its keys. */

import type { z } from 'zod'
import { nearestWord } from '../nearest.ts'
import { planSchema, type WrittenPlan } from './schema.ts'
import { notThis } from './schema-values.ts'
import { keysFor, knownKeysOf, meantOption, type Path, schemaAt } from './schema-walk.ts'
import { type PlanSource, pathText } from './source.ts'

/** Schemes of storage that sai3-bench or others know and Paceline does not. */
const foreignSchemes = /^(az|gs|gcs|https?):\/\//
const ownSchemes = /^(file|direct|s3|null):\/\//

/** Of one mapping; more are only counted. */
const unknownKeysMax = 40

/** Throws PlanError with every problem: unknown keys, wrong types, values out of bounds. */
export function checkPlan(source: PlanSource): WrittenPlan {
  const checked = planSchema.safeParse(source.value, { error: messageOf })
  if (!checked.success) for (const issue of checked.error.issues) report(source, issue, [])
  for (const { path, value, meta } of knownKeysOf(planSchema, source.value)) {
    if (typeof meta.ignored === 'string' && value !== meta.anyway) source.notice(path, meta.ignored)
    if (meta.storage !== undefined && typeof value === 'string')
      checkUri(source, path, value, meta.storage === 'relative')
  }
  source.finish()
  if (!checked.success) throw new TypeError('A plan with problems must not get this far')
  return checked.data
}

/** Messages of values that do not say it themselves. */
function messageOf(issue: z.core.$ZodRawIssue): string {
  const { input } = issue
  switch (issue.code) {
    case 'invalid_type':
      if (issue.expected === 'array') return notThis('a list', input)
      return notThis(
        issue.expected === 'object' || issue.expected === 'record' ? 'a mapping of keys to values' : issue.expected,
        input,
      )
    case 'invalid_value':
      return notThis(issue.values.map(String).join(' or '), input)
    case 'too_big':
      return `has more than ${issue.maximum} entries`
    case 'too_small':
      return `must have at least ${issue.minimum} entries`
    default:
      return 'is not what is allowed here'
  }
}

function report(source: PlanSource, issue: z.core.$ZodIssue, above: Path): void {
  const path = [...above, ...issue.path]
  if (issue.code === 'unrecognized_keys') {
    const shown = issue.keys.slice(0, unknownKeysMax)
    for (const key of shown) source.keyProblem([...path, key], unknownKey(source, path, key))
    const more = issue.keys.length - shown.length
    if (more > 0) source.problem(path, `: ${more} more unknown keys`)
    return
  }
  if (issue.code === 'invalid_key') {
    source.keyProblem(path, `${pathText(path)}: ${issue.issues[0]?.message ?? 'is no key that is allowed here'}`)
    return
  }
  const at = issue.code === 'invalid_union' ? schemaAt(planSchema, source.value, path) : undefined
  const option = issue.code !== 'invalid_union' || at === undefined ? -1 : meantOption(at.schema, at.value)
  const inner = issue.code === 'invalid_union' ? issue.errors[option] : undefined
  // Where no alternative takes this kind of value, the union says what it takes.
  if (inner?.some(({ code, path: below }) => code !== 'invalid_type' || below.length > 0)) {
    for (const one of inner) report(source, one, path)
  } else source.problem(path, issue.message)
}

function unknownKey(source: PlanSource, path: Path, key: string): string {
  const at = schemaAt(planSchema, source.value, path)
  const { all, used } = at === undefined ? { all: [], used: [] } : keysFor(at.schema, at.value)
  const nearest = nearestWord(key, all)
  const hint = nearest === undefined ? `known here: ${used.sort().join(', ')}` : `did you mean "${nearest}"?`
  return `unknown key "${pathText([...path, key])}"; ${hint}`
}

function checkUri(source: PlanSource, path: Path, value: string, relative: boolean): void {
  if (ownSchemes.test(value) || (relative && isRelative(value))) return
  const supported = 'supported are file://, direct://, s3:// and null://'
  if (foreignSchemes.test(value)) {
    source.notice(path, `${value}: this kind of storage is not supported; ${supported}. Its validation stage will fail`)
  } else
    source.problem(path, `must be a URI such as file:///tmp/paceline/x/, not ${JSON.stringify(value)}; ${supported}`)
}

/** Whether a path is one below the target. */
export function isRelative(path: string): boolean {
  return !/^[A-Za-z][A-Za-z0-9+.-]*:\/\//.test(path)
}
