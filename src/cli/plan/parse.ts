/** YAML text -> plan. */

import { createHash } from 'node:crypto'
import type { PlanSpec, Wanted } from '../../barrier/mod.ts'
import { noticeDisabled, resolveBarrier } from './barriers.ts'
import { checkPlan, isRelative } from './check.ts'
import { errorLimitsOf, retriesOf } from './error-handling.ts'
import { opLogName } from './op-log.ts'
import type { WrittenAgent, WrittenDistributed, WrittenPlan } from './schema.ts'
import { PlanSource } from './source.ts'
import { impliedStages, readStages, type StageDraft } from './stages.ts'
import { type OpTemplate, type PrepareTemplate, readPrepare, readWorkload } from './storage.ts'
import type { AgentOverride, Plan, PlanStage } from './types.ts'
import { wantedAgents } from './wanted.ts'
import { type PlanContext, workOf } from './work.ts'

const agentReadyTimeoutDefaultMs = 30_000

/** `file` is how errors name the text. Throws PlanError with every problem as file:line:column. */
export function parsePlan(text: string, file = 'plan.yaml'): Plan {
  const source = new PlanSource(text, file)
  const written = checkPlan(source)
  const { distributed } = written
  const prepare = written.prepare === undefined ? null : readPrepare(source, written.prepare, ['prepare'])
  const prefixShards = prepare?.prefixShards ?? 1
  const workload = readWorkload(source, written.workload, ['workload'], prefixShards)
  const drafts =
    distributed?.stages === undefined
      ? impliedStages(prepare, executes(source, written, workload))
      : readStages(source, distributed.stages, prefixShards)
  const agents = readAgents(source, distributed?.agents ?? [])
  const context = contextOf(source, written, { prepare, workload, agents, drafts })
  checkWork(source, context)
  noticeUnused(source, context)
  noticeStrategies(source, written)
  const opLog = opLogName(source, written)
  noticeDisabled(source, distributed?.barrier_sync)
  source.finish()
  return {
    yaml: text,
    hash: createHash('sha256').update(text).digest('hex'),
    stages: drafts.map((draft, at) => stageOf(context, draft, at + 1, distributed?.barrier_sync)),
    wanted: wantedOf(agents),
    agentReadyTimeoutMs: distributed?.agent_ready_timeout ?? agentReadyTimeoutDefaultMs,
    opLog,
    notices: source.notices,
  }
}

/** What the barrier core needs of a plan. `agents`: how many are asked for, where the plan names none. */
export function toPlanSpec(plan: Plan, submission: string, agents: number | null = null): PlanSpec {
  return {
    submission,
    hash: plan.hash,
    yaml: plan.yaml,
    stages: plan.stages.map(({ spec }) => spec),
    wanted: wantedAgents(plan, agents),
    agentReadyTimeoutMs: plan.agentReadyTimeoutMs,
  }
}

function stageOf(
  context: PlanContext,
  draft: StageDraft,
  position: number,
  sync: WrittenDistributed['barrier_sync'],
): PlanStage {
  const { name, type, optional, timeoutMs } = draft
  const durationMs = type === 'execute' || type === 'hybrid' ? (draft.durationMs ?? context.durationMs) : null
  const barrier = resolveBarrier(sync, type, draft.barrier)
  return {
    position,
    type,
    name,
    spec: { barrierName: `stage-${position}-${name}`, name, optional, barrier },
    timeoutMs,
    workFor: (agentName) => workOf(context, draft, agentName),
    expectedSeconds: durationMs === null ? null : durationMs / 1000,
  }
}

function contextOf(
  source: PlanSource,
  written: WrittenPlan,
  parts: Pick<PlanContext, 'prepare' | 'workload' | 'agents' | 'drafts'>,
): PlanContext {
  const { distributed, multi_endpoint, io_rate } = written
  return {
    ...parts,
    target: written.target ?? impliedTarget(source, written, parts.prepare),
    endpoints: multi_endpoint?.endpoints ?? null,
    endpointStrategy: multi_endpoint?.strategy ?? 'round_robin',
    durationMs: written.duration,
    concurrency: written.concurrency,
    warmupMs: written.warmup_period,
    rate: { opsPerSecond: io_rate?.iops ?? null, arrivals: io_rate?.distribution ?? 'fixed' },
    verify: written.verify,
    dynamicPutPool: written.dynamic_put_pool,
    opTimeoutMs: written.op_timeout,
    errorLimits: errorLimitsOf(written.error_handling),
    retries: retriesOf(source, written.error_handling),
    perfLogIntervalMs: written.perf_log?.interval ?? 1000,
    sharing: distributed?.tree_creation_mode ?? 'concurrent',
    pathSelection: distributed?.path_selection ?? 'random',
    partitionOverlap: distributed?.partition_overlap ?? 0.3,
  }
}

/** Without a target, paths are those below the first objects that the plan makes. */
function impliedTarget(source: PlanSource, written: WrittenPlan, prepare: PrepareTemplate | null): string | null {
  const bases = [prepare?.tree?.baseUri, ...(prepare?.objects.map(({ baseUri }) => baseUri) ?? [])]
  const base = bases.find((uri): uri is string => typeof uri === 'string' && !isRelative(uri)) ?? null
  if (base === null || written.multi_endpoint !== undefined) return null
  source.notice([], `there is no target: relative paths are taken below ${base}, where objects are prepared`)
  return base
}

/** Whether a file without stages means an execute stage: it has a workload, and time for it. */
function executes(source: PlanSource, written: WrittenPlan, workload: readonly OpTemplate[]): boolean {
  if (workload.length === 0 || written.duration > 0) return workload.length > 0
  source.notice(['duration'], 'is 0, there will be no execute stage')
  return false
}

function readAgents(source: PlanSource, written: readonly WrittenAgent[]): AgentOverride[] {
  const seen = new Set<string>()
  return written.map(({ id, target_override, concurrency_override, multi_endpoint }, at) => {
    if (id !== undefined && seen.has(id)) source.problem(['distributed', 'agents', at, 'id'], `: "${id}" twice`)
    if (id !== undefined) seen.add(id)
    return {
      name: id ?? '',
      target: target_override ?? null,
      concurrency: concurrency_override ?? null,
      endpoints: multi_endpoint?.endpoints ?? null,
      endpointStrategy: multi_endpoint?.strategy ?? null,
    }
  })
}

/** Objects of a section that no stage makes are not there, and not cleaned up. */
function noticeUnused(source: PlanSource, { prepare, drafts }: PlanContext): void {
  const stages = drafts.filter(({ type }) => type === 'prepare')
  if (prepare === null || stages.length === 0 || stages.some((draft) => draft.prepare === null)) return
  if (prepare.objects.length > 0 || prepare.tree !== null)
    source.notice(['prepare'], 'no stage makes these objects: each prepare stage has its own')
}

/** Files have no endpoint that could be busier than another: operations there go by turns. */
function noticeStrategies(source: PlanSource, { multi_endpoint, distributed }: WrittenPlan): void {
  const agents = (distributed?.agents ?? []).map((agent, at) => ({
    endpoints: agent.multi_endpoint,
    path: ['distributed', 'agents', at, 'multi_endpoint', 'strategy'],
  }))
  for (const { endpoints, path } of [{ endpoints: multi_endpoint, path: ['multi_endpoint', 'strategy'] }, ...agents]) {
    if (endpoints?.strategy !== 'least_connections') continue
    if (endpoints.endpoints.every((uri) => uri.startsWith('s3:'))) continue
    source.notice(path, 'endpoints that are not on S3 take turns, how busy each is does not count')
  }
}

/** Named agents where every one has a name, else their number, else everybody present. */
function wantedOf(agents: readonly AgentOverride[]): Wanted {
  if (agents.length === 0) return { kind: 'all' }
  if (agents.every(({ name }) => name !== '')) return { kind: 'names', names: agents.map(({ name }) => name) }
  return { kind: 'count', count: agents.length }
}

/** Work that would have nothing to do, or nowhere to do it. */
function checkWork(source: PlanSource, context: PlanContext): void {
  const placed = context.target !== null || context.endpoints !== null || context.agents.some(isPlaced)
  for (const draft of context.drafts) {
    const { type, name, path } = draft
    if (type === 'execute' || type === 'hybrid') {
      const workload = draft.workload ?? context.workload
      if (workload.length === 0) source.problem(path, `: stage "${name}": there is no workload`)
      else if (workload.every(({ op }) => op.weight === 0)) {
        source.problem(path, `: stage "${name}": every weight is 0`)
      }
      if (!placed && workload.some((op) => isRelative(op.path))) noPlace(source, draft, 'relative paths')
    }
    if (type !== 'prepare') continue
    const prepare = draft.prepare ?? context.prepare
    if (prepare === null) source.problem(path, `: stage "${name}": there is no prepare section`)
    const made = [...(prepare?.objects ?? []), ...(prepare?.tree == null ? [] : [prepare.tree])]
    if (!placed && made.some(({ baseUri }) => baseUri === null || isRelative(baseUri))) {
      noPlace(source, draft, 'objects without base_uri')
    }
  }
}

/** Plans come without a target where it is given elsewhere; what is not given by then fails, and says so. */
function noPlace(source: PlanSource, { name, path }: StageDraft, what: string): void {
  source.notice(
    path,
    `stage "${name}": ${what} need a target (target: file:///...); until there is one, the plan fails`,
  )
}

function isPlaced({ target, endpoints }: AgentOverride): boolean {
  return target !== null || endpoints !== null
}
