/** `distributed.stages`, or the stages that a file without them means. */

import { type BarrierDefaults, positiveCount, readBarrier } from './barriers.ts'
import { parseDuration } from './quantities.ts'
import type { Fields, PlanSource } from './source.ts'
import { asText, type OpTemplate, type PrepareTemplate, readPrepare, readWorkload } from './storage.ts'

export type StageType = 'validation' | 'prepare' | 'execute' | 'hybrid' | 'cleanup' | 'custom'

/** A stage as written, before it is known which agent does it. */
export interface StageDraft {
  readonly type: StageType
  readonly name: string
  readonly order: number
  readonly optional: boolean
  readonly barrier: ReturnType<typeof readBarrier>
  readonly durationMs: number | null
  readonly opsMax: number | null
  readonly concurrency: number | null
  readonly warmupMs: number | null
  readonly prepare: PrepareTemplate | null
  readonly workload: readonly OpTemplate[] | null
  readonly custom: CustomDraft | null
}

export interface CustomDraft {
  readonly command: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly timeoutMs: number | null
}

const completions: Readonly<Record<StageType, readonly string[]>> = {
  validation: ['validation_passed'],
  prepare: ['tasks_done'],
  execute: ['duration'],
  hybrid: ['duration_or_tasks'],
  cleanup: ['tasks_done'],
  custom: ['script_exit'],
}

const nameMax = 100

export function readStages(source: PlanSource, entries: readonly Fields[]): StageDraft[] {
  const drafts = entries.map((fields, at) => ({ fields, draft: readStage(source, fields, at + 1) }))
  const seen = new Map<number, string>()
  for (const { fields, draft } of drafts) {
    const other = seen.get(draft.order)
    if (other !== undefined) {
      const node = fields.take('order')?.node ?? fields.node
      source.problem(node, `${fields.path}.order: ${draft.order} is the order of "${other}" already`)
    }
    seen.set(draft.order, draft.name)
  }
  return drafts.map(({ draft }) => draft).sort((a, b) => a.order - b.order)
}

/** What a file without stages means: validation, prepare (if any), execute (if any), cleanup (if asked). */
export function impliedStages(prepare: PrepareTemplate | null, hasWorkload: boolean): StageDraft[] {
  const types: StageType[] = ['validation']
  if (prepare !== null) types.push('prepare')
  if (hasWorkload) types.push('execute')
  if (prepare?.cleanup === true) types.push('cleanup')
  return types.map((type, at) => ({
    type,
    name: type,
    order: at + 1,
    optional: false,
    barrier: {},
    durationMs: null,
    opsMax: null,
    concurrency: null,
    warmupMs: null,
    prepare: null,
    workload: null,
    custom: null,
  }))
}

export function barrierOf(defaults: BarrierDefaults, draft: StageDraft): BarrierDefaults['all'] {
  return { ...defaults.byType.get(draft.type), ...draft.barrier }
}

function readStage(source: PlanSource, fields: Fields, position: number): StageDraft {
  const config = fields.map('config')
  const inner = config ?? fields
  const type = readType(source, fields, inner)
  const name = fields.value('name', asName, `a name of at most ${nameMax} characters`, type)
  if (!fields.has('order')) source.problem(fields.node, `${fields.path}: order is missing`)
  const order = fields.value('order', asOrder, 'a whole number', position)
  checkCompletion(source, fields, type)
  const barrierFields = fields.map('barrier')
  const durationMs = readDuration(inner, fields)
  const draft: StageDraft = {
    type,
    name,
    order,
    optional: fields.value(
      'optional',
      (value) => (typeof value === 'boolean' ? value : undefined),
      'true or false',
      false,
    ),
    barrier: barrierFields === undefined ? {} : readBarrier(barrierFields),
    durationMs,
    opsMax: inner.value('expected_tasks', positiveCount, 'a whole number above 0', null),
    concurrency: inner.value('concurrency', positiveCount, 'a whole number above 0', null),
    warmupMs: inner.value('warmup_period', parseDuration, 'a duration', null),
    prepare: type === 'prepare' && inner.has('ensure_objects') ? readPrepare(source, inner) : null,
    workload: inner.has('workload') ? readWorkload(source, inner.maps('workload')) : null,
    custom: type === 'custom' ? readCustom(source, fields, inner) : null,
  }
  const known = { expected_objects: 'objects are counted from prepare; this number is not checked' }
  inner.unsupported(
    type === 'validation' ? { timeout_secs: 'validation has no time limit of its own', ...known } : known,
  )
  fields.unsupported({ timeout_secs: 'use barrier.agent_barrier_timeout to bound how long others wait' })
  config?.close()
  fields.close()
  return draft
}

function readType(source: PlanSource, fields: Fields, inner: Fields): StageType {
  const type = inner.value('type', asType, `one of ${Object.keys(completions).join(', ')}`, undefined)
  if (type !== undefined) return type
  if (!inner.has('type')) source.problem(fields.node, `${fields.path}: type is missing`)
  return 'validation'
}

function checkCompletion(source: PlanSource, fields: Fields, type: StageType): void {
  const completion = fields.value('completion', asText, 'a completion', undefined)
  if (completion === undefined || completions[type].includes(completion)) return
  const node = fields.take('completion')?.node
  source.problem(
    node,
    `${fields.path}.completion: a ${type} stage ends by ${completions[type].join(' or ')}, not by ${completion}`,
  )
}

function readDuration(inner: Fields, fields: Fields): number | null {
  const own = inner.value('duration', positive, 'a duration above 0 such as 30s', null)
  const longest = inner.value('max_duration', positive, 'a duration above 0 such as 30s', null)
  const outer = inner === fields ? null : fields.value('duration', positive, 'a duration above 0 such as 30s', null)
  return own ?? longest ?? outer
}

function readCustom(source: PlanSource, fields: Fields, inner: Fields): CustomDraft {
  const command = inner.value('command', asText, 'a command', '')
  if (command === '') source.problem(fields.node, `${fields.path}: a custom stage needs a command`)
  const args = inner.items('args').flatMap((field) => {
    const text = textOf(field.node)
    if (text === undefined) source.problem(field.node, `${field.path} must be a text`)
    return text ?? []
  })
  const envFields = inner.map('env')
  const env: Record<string, string> = {}
  for (const key of envFields?.keys() ?? []) env[key] = envFields?.value(key, asText, 'a text', '') ?? ''
  const timeoutMs = inner.value('timeout', positive, 'a duration above 0', null)
  return { command, args, env, timeoutMs }
}

function textOf(node: unknown): string | undefined {
  if (typeof node !== 'object' || node === null || !('value' in node)) return undefined
  const { value } = node
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : undefined
}

function asType(value: unknown): StageType | undefined {
  if (value === 'preflight') return 'validation'
  const types = Object.keys(completions) as StageType[]
  return types.find((type) => type === value)
}

function asName(value: unknown): string | undefined {
  const text = asText(value)
  return text !== undefined && text.trim() !== '' && text.length <= nameMax ? text : undefined
}

function asOrder(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : undefined
}

function positive(value: unknown): number | undefined {
  const ms = parseDuration(value)
  return ms !== undefined && ms > 0 ? ms : undefined
}
