/** `distributed.stages`, or the stages that a file without them means. */

import type { StageType, WrittenBarrier, WrittenConfig, WrittenStage } from './schema-stages.ts'
import { prepareKeys } from './schema-storage.ts'
import type { Path } from './schema-walk.ts'
import type { PlanSource } from './source.ts'
import { type OpTemplate, type PrepareTemplate, readPrepare, readWorkload } from './storage.ts'

/** A stage as written, before it is known which agent does it. */
export interface StageDraft {
  readonly type: StageType
  readonly name: string
  readonly optional: boolean
  readonly barrier: WrittenBarrier | undefined
  readonly timeoutMs: number | null
  readonly durationMs: number | null
  readonly opsMax: number | null
  readonly concurrency: number | null
  readonly warmupMs: number | null
  readonly prepare: PrepareTemplate | null
  readonly workload: readonly OpTemplate[] | null
  readonly custom: CustomDraft | null
  /** Where it is written. */
  readonly path: Path
}

export interface CustomDraft {
  readonly command: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly timeoutMs: number | null
}

const completions: Readonly<Record<StageType, string>> = {
  validation: 'validation_passed',
  prepare: 'tasks_done',
  execute: 'duration',
  hybrid: 'duration_or_tasks',
  cleanup: 'tasks_done',
  custom: 'script_exit',
}

const stagesPath: Path = ['distributed', 'stages']

/** In `order`. `prefixShards`: those of the plan's prepare section, for what stages put. */
export function readStages(source: PlanSource, written: readonly WrittenStage[], prefixShards: number): StageDraft[] {
  if (written.length === 0) source.problem(stagesPath, 'is empty: leave it out, or name a stage')
  const seen = new Map<number, string>()
  const drafts = written.map((stage, at) => {
    const path = [...stagesPath, at]
    const draft = readStage(source, stage, path, prefixShards)
    const other = seen.get(stage.order)
    if (other !== undefined) source.problem([...path, 'order'], `: ${stage.order} is the order of "${other}" already`)
    seen.set(stage.order, draft.name)
    return { order: stage.order, draft }
  })
  return drafts.sort((a, b) => a.order - b.order).map(({ draft }) => draft)
}

/** What a file without stages means: validation, prepare (if any), execute (if any), cleanup (if asked). */
export function impliedStages(prepare: PrepareTemplate | null, hasWorkload: boolean): StageDraft[] {
  const types: StageType[] = ['validation']
  const onlyCleans = prepare?.cleanupOnly === true
  if (prepare !== null && !onlyCleans) types.push('prepare')
  if (hasWorkload && !onlyCleans) types.push('execute')
  if (prepare?.cleanup === true) types.push('cleanup')
  return types.map((type) => ({ ...nothing, type, name: type, path: [] }))
}

const nothing = {
  optional: false,
  barrier: undefined,
  timeoutMs: null,
  durationMs: null,
  opsMax: null,
  concurrency: null,
  warmupMs: null,
  prepare: null,
  workload: null,
  custom: null,
}

function readStage(source: PlanSource, stage: WrittenStage, path: Path, prefixShards: number): StageDraft {
  const nested = 'config' in stage
  const config: WrittenConfig = nested ? stage.config : stage
  const within: Path = nested ? [...path, 'config'] : path
  const type = config.type === 'preflight' ? 'validation' : config.type
  const { completion } = stage
  if (completion !== undefined && completion !== completions[type]) {
    source.problem(
      [...path, 'completion'],
      `: stages of type ${type} end by ${completions[type]}, not by ${completion}`,
    )
  }
  const timeoutMs = stage.timeout_secs ?? ('timeout_secs' in config ? config.timeout_secs : undefined) ?? null
  const { optional, barrier } = stage
  const common = { ...nothing, type, name: stage.name ?? type, optional, barrier, timeoutMs, path }
  const concurrency = 'concurrency' in config ? (config.concurrency ?? null) : null
  switch (config.type) {
    case 'prepare':
      return { ...common, concurrency, prepare: readOwnPrepare(source, config, within) }
    case 'execute':
    case 'hybrid': {
      const longest = config.type === 'hybrid' ? config.max_duration : undefined
      const workload = config.workload ?? null
      return {
        ...common,
        concurrency,
        durationMs: longest ?? config.duration ?? null,
        opsMax: config.type === 'hybrid' ? (config.expected_tasks ?? null) : null,
        warmupMs: config.warmup_period ?? null,
        workload: workload === null ? null : readWorkload(source, workload, [...within, 'workload'], prefixShards),
      }
    }
    case 'custom': {
      const { command, args, env, timeout } = config
      return { ...common, custom: { command, args, env, timeoutMs: timeout ?? null } }
    }
    default:
      return { ...common, concurrency }
  }
}

/** A prepare stage makes what it names itself; where it names nothing, what the plan's prepare section names. */
function readOwnPrepare(
  source: PlanSource,
  config: Extract<WrittenConfig, { type: 'prepare' }>,
  path: Path,
): PrepareTemplate | null {
  if (config.ensure_objects.length > 0 || config.directory_structure !== undefined) {
    return readPrepare(source, config, path)
  }
  for (const key of Object.keys(prepareKeys)) {
    if (source.has([...path, key])) source.problem([...path, key], 'needs ensure_objects beside it, in the same stage')
  }
  return null
}
