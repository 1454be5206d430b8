/** The work of one agent in one stage: the plan's templates with that agent's place and overrides. */

import type {
  ErrorLimitSpec,
  ObjectSet,
  PathSelection,
  RateSpec,
  RetrySpec,
  SharingMode,
  StageWork,
  TreeSpec,
} from '../../io/mod.ts'
import { meanBytes, treeFiles } from './amounts.ts'
import type { StageDraft } from './stages.ts'
import { expandObjects, expandOps, expandTree, type OpTemplate, type Place, type PrepareTemplate } from './storage.ts'
import type { AgentOverride } from './types.ts'

export interface PlanContext {
  readonly target: string | null
  readonly endpoints: readonly string[] | null
  readonly endpointStrategy: 'round_robin' | 'least_connections'
  readonly durationMs: number
  readonly concurrency: number
  readonly warmupMs: number
  readonly rate: RateSpec
  readonly verify: boolean
  readonly dynamicPutPool: boolean
  readonly opTimeoutMs: number
  readonly errorLimits: ErrorLimitSpec | null
  readonly retries: RetrySpec | null
  readonly perfLogIntervalMs: number
  readonly sharing: SharingMode
  readonly pathSelection: PathSelection
  readonly partitionOverlap: number
  readonly prepare: PrepareTemplate | null
  readonly workload: readonly OpTemplate[]
  readonly agents: readonly AgentOverride[]
  readonly drafts: readonly StageDraft[]
}

type AgentPlace = Place & Pick<PlanContext, 'endpointStrategy'>

export function workOf(context: PlanContext, draft: StageDraft, agentName: string): StageWork {
  const own = context.agents.find(({ name }) => name === agentName)
  const place: AgentPlace = {
    target: own?.target ?? context.target,
    endpoints: own?.endpoints ?? context.endpoints,
    endpointStrategy: own?.endpointStrategy ?? context.endpointStrategy,
  }
  const concurrency = own?.concurrency ?? draft.concurrency ?? context.concurrency
  switch (draft.type) {
    case 'validation':
      return { type: 'validation', ...targetsOf(context, place), commands: commandsOf(context) }
    case 'prepare':
      return prepareWork(context, draft, place, concurrency)
    case 'execute':
    case 'hybrid':
      return executeWork(context, draft, place, concurrency)
    case 'cleanup': {
      const { objects, trees } = everythingMade(context, place)
      const mode = context.prepare?.cleanupMode ?? 'tolerant'
      const { sharing } = context
      return { type: 'cleanup', objects, trees, putUris: putUrisOf(context, place), sharing, concurrency, mode }
    }
    case 'custom':
      return { type: 'custom', ...(draft.custom ?? { command: '', args: [], env: {}, timeoutMs: null }) }
  }
}

function prepareWork(context: PlanContext, draft: StageDraft, place: Place, concurrency: number): StageWork {
  const prepare = draft.prepare ?? context.prepare
  return {
    type: 'prepare',
    objects: expandObjects(prepare?.objects ?? [], place),
    trees: expandTree(prepare?.tree ?? null, place),
    sharing: context.sharing,
    concurrency,
    skipVerification: prepare?.skipVerification ?? false,
    forceOverwrite: prepare?.forceOverwrite ?? false,
    strategy: prepare?.strategy ?? 'sequential',
    postDelayMs: prepare?.postDelayMs ?? 0,
  }
}

function executeWork(context: PlanContext, draft: StageDraft, place: AgentPlace, concurrency: number): StageWork {
  const { objects, trees } = everythingMade(context, place)
  const { rate, pathSelection, partitionOverlap, sharing, verify, opTimeoutMs, perfLogIntervalMs, dynamicPutPool } =
    context
  const { errorLimits, retries } = context
  const unlimited = draft.type === 'hybrid' && draft.durationMs === null && draft.opsMax !== null
  return {
    type: draft.type === 'hybrid' ? 'hybrid' : 'execute',
    ops: expandOps(draft.workload ?? context.workload, place),
    concurrency,
    durationMs: unlimited ? null : (draft.durationMs ?? context.durationMs),
    opsMax: draft.opsMax,
    warmupMs: draft.warmupMs ?? context.warmupMs,
    rate,
    pathSelection,
    partitionOverlap,
    prepared: objects,
    trees,
    sharing,
    endpointStrategy: place.endpointStrategy,
    verify,
    dynamicPutPool,
    opTimeoutMs,
    errorLimits,
    retries,
    perfLogIntervalMs,
  }
}

/** What the prepare stages make; where there are none, what the section names: an earlier run has made it. */
function everythingMade(context: PlanContext, place: Place): { objects: ObjectSet[]; trees: TreeSpec[] } {
  const stages = context.drafts.filter(({ type }) => type === 'prepare')
  const used = new Set(
    stages.length === 0 ? [context.prepare] : stages.map((draft) => draft.prepare ?? context.prepare),
  )
  return {
    objects: [...used].flatMap((prepare) => expandObjects(prepare?.objects ?? [], place)),
    trees: [...used].flatMap((prepare) => expandTree(prepare?.tree ?? null, place)),
  }
}

function workloadsOf(context: PlanContext): readonly OpTemplate[] {
  const own = context.drafts.flatMap(({ workload }) => workload ?? [])
  const shared = context.drafts.some(
    ({ type, workload }) => workload === null && (type === 'execute' || type === 'hybrid'),
  )
  return shared ? [...context.workload, ...own] : own
}

function putUrisOf(context: PlanContext, place: Place): string[] {
  const puts = workloadsOf(context).filter(({ op }) => op.op === 'put')
  return [...new Set(expandOps(puts, place).flatMap(({ uris }) => uris))]
}

function targetsOf(
  context: PlanContext,
  place: Place,
): { targets: { uri: string; writes: boolean }[]; bytesNeeded: number } {
  const { objects, trees } = everythingMade(context, place)
  const targets = new Map<string, boolean>()
  const add = (uri: string, writes: boolean) => targets.set(uri, (targets.get(uri) ?? false) || writes)
  for (const { baseUris } of [...objects, ...trees]) for (const uri of baseUris) add(uri, true)
  for (const { op, uris } of expandOps(workloadsOf(context), place)) {
    for (const uri of uris) add(folderOf(uri), op === 'put' || op === 'delete')
  }
  const inSets = objects.reduce((sum, set) => sum + set.count * meanBytes(set), 0)
  const bytesNeeded = trees.reduce((sum, tree) => sum + treeFiles(tree) * meanBytes(tree), inSets)
  return { targets: [...targets].map(([uri, writes]) => ({ uri, writes })), bytesNeeded: Math.round(bytesNeeded) }
}

/** A stage that may fail is not one that must be allowed. */
function commandsOf({ drafts }: PlanContext): string[] {
  return drafts.flatMap(({ custom, optional }) => (custom === null || optional ? [] : [custom.command]))
}

/** The folder part of a URI, without the names and globs behind it. */
export function folderOf(uri: string): string {
  const glob = uri.search(/[*?[{]/)
  const plain = glob < 0 ? uri : uri.slice(0, glob)
  const slash = plain.lastIndexOf('/')
  return plain.slice(0, Math.max(slash + 1, plain.indexOf('://') + 3))
}
