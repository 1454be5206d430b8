/** YAML text -> plan. */

import { createHash } from 'node:crypto'
import { barrierLimits, type PlanSpec, type Wanted } from '../../barrier/mod.ts'
import { positiveCount, readBarrierSync, resolveBarrier } from './barriers.ts'
import { parseDuration } from './quantities.ts'
import { type Fields, PlanSource } from './source.ts'
import { impliedStages, readStages, type StageDraft } from './stages.ts'
import {
  asText,
  isRelative,
  type OpTemplate,
  type PrepareTemplate,
  readEndpoints,
  readPrepare,
  readRate,
  readUri,
  readWorkload,
} from './storage.ts'
import type { AgentOverride, Plan, PlanStage } from './types.ts'
import { type PlanContext, workOf } from './work.ts'

const durationDefaultMs = 60_000
const concurrencyDefault = 32

/** `file` is how errors name the text. Throws PlanError with every problem as file:line:column. */
export function parsePlan(text: string, file = 'plan.yaml'): Plan {
  const source = new PlanSource(text, file)
  const { root } = source
  const distributed = root.map('distributed')
  const agents = readAgents(source, distributed)
  const barriers = readBarrierSync(source, distributed?.map('barrier_sync'))
  const prepareFields = root.map('prepare')
  const prepare = prepareFields === undefined ? null : readPrepare(source, prepareFields)
  prepareFields?.close()
  const workload = readWorkload(source, root.maps('workload'))
  const stageEntries = distributed?.maps('stages') ?? []
  if (distributed?.has('stages') && stageEntries.length === 0) {
    source.problem(distributed.take('stages')?.node, 'distributed.stages is empty: leave it out, or name a stage')
  }
  const drafts =
    stageEntries.length > 0 ? readStages(source, stageEntries) : impliedStages(prepare, executes(source, workload))
  if (drafts.length > barrierLimits.stagesMax) source.problem(root.node, `at most ${barrierLimits.stagesMax} stages`)
  const context: PlanContext = { ...readContext(source, root, distributed, prepare), prepare, workload, agents, drafts }
  checkWork(source, context, drafts)
  const agentReadyTimeoutMs = distributed?.value('agent_ready_timeout', parseDuration, 'a duration', 30_000) ?? 30_000
  closeAll(source, root, distributed)
  source.finish()
  const stages = drafts.map((draft, at) => stageOf(context, draft, at + 1, barriers))
  const hash = createHash('sha256').update(text).digest('hex')
  return { yaml: text, hash, stages, wanted: wantedOf(agents), agentReadyTimeoutMs, notices: source.notices }
}

/** What the barrier core needs of a plan. `agents` overrides how many are wanted. */
export function toPlanSpec(plan: Plan, submission: string, agents: number | null = null): PlanSpec {
  return {
    submission,
    hash: plan.hash,
    yaml: plan.yaml,
    stages: plan.stages.map(({ spec }) => spec),
    wanted: agents === null ? plan.wanted : { kind: 'count', count: agents },
    agentReadyTimeoutMs: plan.agentReadyTimeoutMs,
  }
}

function stageOf(
  context: PlanContext,
  draft: StageDraft,
  position: number,
  barriers: ReturnType<typeof readBarrierSync>,
): PlanStage {
  const { name, type, optional } = draft
  const durationMs = type === 'execute' || type === 'hybrid' ? (draft.durationMs ?? context.durationMs) : null
  return {
    position,
    type,
    name,
    spec: {
      barrierName: `stage-${position}-${name}`,
      name,
      optional,
      barrier: resolveBarrier(barriers, type, draft.barrier),
    },
    workFor: (agentName) => workOf(context, draft, agentName),
    expectedSeconds: durationMs === null ? null : durationMs / 1000,
  }
}

function readContext(
  source: PlanSource,
  root: Fields,
  distributed: Fields | undefined,
  prepare: PrepareTemplate | null,
): Omit<PlanContext, 'prepare' | 'workload' | 'agents' | 'drafts'> {
  const perfLog = root.map('perf_log')
  const perfLogIntervalMs = perfLog?.value('interval', parseDuration, 'a duration', 1000) ?? 1000
  perfLog?.unsupported({
    path: 'perf_log.tsv is always in the result folder',
    enabled: 'perf_log.tsv is always written',
    interval_seconds: 'older spelling, use interval; a row a second is written',
  })
  perfLog?.close()
  const endpointFields = root.map('multi_endpoint')
  const endpointStrategy = endpointFields?.value(
    'strategy',
    asStrategy,
    'round_robin or least_connections',
    'round_robin',
  )
  return {
    target: readUri(source, root, 'target') ?? impliedTarget(source, prepare),
    endpoints: readEndpoints(source, endpointFields),
    endpointStrategy: endpointStrategy ?? 'round_robin',
    durationMs: durationOf(root),
    concurrency: root.value('concurrency', positiveCount, 'a whole number above 0', concurrencyDefault),
    warmupMs: root.value('warmup_period', parseDuration, 'a duration', 0),
    rate: readRate(root.map('io_rate')),
    verify: root.value('verify', (value) => (typeof value === 'boolean' ? value : undefined), 'true or false', false),
    opTimeoutMs: root.value('op_timeout', positiveDuration, 'a duration above 0', 60_000),
    perfLogIntervalMs: Math.max(100, perfLogIntervalMs),
    sharing:
      distributed?.value('tree_creation_mode', asSharing, 'isolated, coordinator or concurrent', 'concurrent') ??
      'concurrent',
    pathSelection:
      distributed?.value('path_selection', asSelection, 'random, partitioned, exclusive or weighted', 'random') ??
      'random',
    partitionOverlap: distributed?.value('partition_overlap', asShare, 'a share from 0 to 1', 0.3) ?? 0.3,
  }
}

/** Without a target, paths are those below the first objects that the plan makes. */
function impliedTarget(source: PlanSource, prepare: PrepareTemplate | null): string | null {
  const base = prepare?.objects.find(({ baseUri }) => baseUri !== null && !isRelative(baseUri))?.baseUri ?? null
  const endpoints = source.root.has('multi_endpoint')
  if (base === null || endpoints) return null
  source.notice(
    source.root.node,
    `there is no target: relative paths are taken below ${base}, where objects are prepared`,
  )
  return base
}

function durationOf(root: Fields): number {
  return root.value('duration', parseDuration, 'a duration such as 30s', durationDefaultMs)
}

/** Whether a file without stages means an execute stage: it has a workload, and time for it. */
function executes(source: PlanSource, workload: readonly OpTemplate[]): boolean {
  if (workload.length === 0 || durationOf(source.root) > 0) return workload.length > 0
  source.notice(source.root.take('duration')?.node, 'duration is 0: there will be no execute stage')
  return false
}

function readAgents(source: PlanSource, distributed: Fields | undefined): AgentOverride[] {
  if (distributed === undefined) return []
  const seen = new Set<string>()
  return distributed.maps('agents').map((fields, at) => {
    const name = fields.value('id', asText, 'a name', null)
    if (name !== null && seen.has(name)) source.problem(fields.take('id')?.node, `${fields.path}.id: "${name}" twice`)
    if (name !== null) seen.add(name)
    const override: AgentOverride = {
      name: name ?? '',
      target: readUri(source, fields, 'target_override'),
      concurrency: fields.value('concurrency_override', positiveCount, 'a whole number above 0', null),
      endpoints: readEndpoints(source, fields.map('multi_endpoint')),
    }
    fields.unsupported({
      address: `peers find each other by run ID; agent ${name ?? at + 1} is ${name === null ? 'any peer' : `the peer named "${name}"`}, the address is not used`,
      env: 'set the environment where the node is started',
      volumes: 'nodes are started by hand, no containers are made',
      path_template: 'use target_override',
      listen_port: 'use --listen of the node',
      kv_cache_dir: 'there is no such cache',
    })
    fields.close()
    return override
  })
}

/** Named agents where every one has a name, else their number, else everybody present. */
function wantedOf(agents: readonly AgentOverride[]): Wanted {
  if (agents.length === 0) return { kind: 'all' }
  if (agents.every(({ name }) => name !== '')) return { kind: 'names', names: agents.map(({ name }) => name) }
  return { kind: 'count', count: agents.length }
}

/** Work that would have nothing to do, or nowhere to do it. */
function checkWork(source: PlanSource, context: PlanContext, drafts: readonly StageDraft[]): void {
  const { root } = source
  const placed = context.target !== null || context.endpoints !== null || context.agents.some(isPlaced)
  for (const draft of drafts) {
    const executes = draft.type === 'execute' || draft.type === 'hybrid'
    const workload = draft.workload ?? context.workload
    if (executes && workload.length === 0) source.problem(root.node, `stage "${draft.name}": there is no workload`)
    const relative = workload.some(({ path }) => isRelative(path))
    if (executes && relative && !placed) noPlace(source, draft, 'relative paths')
    if (executes && workload.length > 0 && workload.every(({ op }) => op.weight === 0)) {
      source.problem(root.node, `stage "${draft.name}": every weight is 0`)
    }
    const prepare = draft.prepare ?? context.prepare
    const makes = draft.type === 'prepare' && prepare !== null
    if (draft.type === 'prepare' && prepare === null)
      source.problem(root.node, `stage "${draft.name}": there is no prepare section`)
    if (makes && !placed && prepare.objects.some(({ baseUri }) => baseUri === null)) {
      noPlace(source, draft, 'objects without base_uri')
    }
  }
}

/** Plans come without a target where it is given elsewhere; what is not given by then fails, and says so. */
function noPlace(source: PlanSource, draft: StageDraft, what: string): void {
  const where = `${what} need a target (target: file:///...)`
  source.notice(source.root.node, `stage "${draft.name}": ${where}; until there is one, the plan fails`)
}

function isPlaced({ target, endpoints }: AgentOverride): boolean {
  return target !== null || endpoints !== null
}

function closeAll(source: PlanSource, root: Fields, distributed: Fields | undefined): void {
  distributed?.unsupported({
    ssh: 'nodes are started by hand or by a service manager',
    deployment: 'nodes are started by hand or by a service manager',
    start_delay: 'all start at the time agreed at the start barrier',
    path_template: 'use agents[].target_override',
    shared_filesystem: 'tree_creation_mode says how objects are shared',
    grpc_keepalive_interval: 'peers do not talk gRPC',
    grpc_keepalive_timeout: 'peers do not talk gRPC',
    kv_cache_dir: 'there is no such cache',
  })
  distributed?.close()
  root.unsupported({
    backend: 'older spelling, use target; nothing of it is done',
    objects: 'older spelling, use prepare.ensure_objects; nothing of it is done',
    data_size: 'older spelling, use prepare.ensure_objects; nothing of it is done',
    record_count: 'older spelling, use prepare.ensure_objects; nothing of it is done',
    cleanup: 'use prepare.cleanup, or a cleanup stage; nothing of it is done',
    version: 'plans have no versions',
    processes: 'each agent uses worker threads of one process',
    processing_mode: 'each agent uses worker threads of one process',
    page_cache_mode: 'the page cache is left to the system; use direct:// to go around it',
    enable_metadata_cache: 'there is no metadata cache',
    cache_checkpoint_interval_secs: 'there is no metadata cache',
    range_engine: 'use range_size of a get',
    s3dlio_optimization: 'another S3 client is used',
    error_handling: 'errors are counted, never fatal for an execute stage',
    op_log_path: 'single operations are not logged',
    distributed_env: 'set the environment where the nodes are started',
    dynamic_put_pool: 'gets see what prepare made',
    live_stats_tracker: 'progress is always shown',
  })
  root.close()
  void source
}

function asSharing(value: unknown): 'isolated' | 'coordinator' | 'concurrent' | undefined {
  return value === 'isolated' || value === 'coordinator' || value === 'concurrent' ? value : undefined
}

function asSelection(value: unknown): 'random' | 'partitioned' | 'exclusive' | 'weighted' | undefined {
  return value === 'random' || value === 'partitioned' || value === 'exclusive' || value === 'weighted'
    ? value
    : undefined
}

function asStrategy(value: unknown): 'round_robin' | 'least_connections' | undefined {
  return value === 'round_robin' || value === 'least_connections' ? value : undefined
}

function asShare(value: unknown): number | undefined {
  return typeof value === 'number' && value >= 0 && value <= 1 ? value : undefined
}

function positiveDuration(value: unknown): number | undefined {
  const ms = parseDuration(value)
  return ms !== undefined && ms > 0 ? ms : undefined
}
