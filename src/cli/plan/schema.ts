/**
 * Every key of a plan: its type, default, bounds and meaning, in one table that the parser reads plans with. Written in
 * the syntax of sai3-bench. `z.toJSONSchema(planSchema, { io: 'input' })` gives editors the same table.
 */

import { z } from 'zod'
import { barrierLimits } from '../../barrier/mod.ts'
import { barrierSync, stage } from './schema-stages.ts'
import { ioRate, lanesMax, multiEndpoint, prepareSection, workload } from './schema-storage.ts'
import { amount, count, duration, flag, ignored, oneOf, peerName, text, uri } from './schema-values.ts'

const agent = z.strictObject({
  id: peerName().optional().describe('The --name of the peer that is meant; any peer where it is left out.'),
  target_override: uri().optional().describe('Target of this agent.'),
  concurrency_override: count(1, lanesMax).optional().describe('Lanes of this agent, in every stage.'),
  multi_endpoint: multiEndpoint.optional().describe('Endpoints of this agent.'),
  address: ignored('peers find each other by run ID, so the address is not used; agents are told apart by their id'),
  listen_port: ignored('nodes listen where their --listen says'),
  env: ignored('the environment is that in which the node was started'),
  volumes: ignored('nodes are started by hand, no containers are made'),
  path_template: ignored('use target_override'),
  kv_cache_dir: ignored('there is no such cache'),
})

const distributed = z.strictObject({
  agents: z
    .array(agent)
    .max(barrierLimits.membersMax)
    .prefault([])
    .describe('Wanted agents: by name where all have an id, else by their number; left out: all peers present.'),
  stages: z.array(stage).max(barrierLimits.stagesMax).optional().describe('Steps of the plan, each with its barrier.'),
  barrier_sync: barrierSync.optional().describe('Settings of barriers.'),
  agent_ready_timeout: duration({ min: 1 }).prefault('30s').describe('Time for wanted agents to come.'),
  tree_creation_mode: oneOf(['isolated', 'coordinator', 'concurrent'])
    .prefault('concurrent')
    .describe('Who makes objects: each agent its own in a folder of its name, one agent all, or each agent a share.'),
  path_selection: oneOf(['random', 'partitioned', 'exclusive', 'weighted'])
    .prefault('random')
    .describe('Which objects an agent works on: any, mostly its share, only its share, or a mix.'),
  partition_overlap: amount(0, 1).prefault(0.3).describe('Share of operations outside of the own share of objects.'),
  shared_filesystem: ignored('tree_creation_mode says how objects are shared'),
  path_template: ignored('in isolated mode the folder of each agent has its name; use agents[].target_override'),
  start_delay: ignored('all agents start at the time agreed at the start barrier'),
  ssh: ignored('nodes are started by hand or by a service manager'),
  deployment: ignored('nodes are started by hand or by a service manager, no containers are made'),
  grpc_keepalive_interval: ignored('peers do not talk gRPC; see heartbeat_interval of barrier_sync'),
  grpc_keepalive_timeout: ignored('peers do not talk gRPC; see query_timeout of barrier_sync'),
  kv_cache_dir: ignored('there is no such cache'),
})

const perfLog = z.strictObject({
  interval: duration({ min: 100, max: 3_600_000 })
    .prefault('1s')
    .describe(
      'Time between two rows of perf_log.tsv; doubled when a stage has 3600 of them, with more than 11 agents 40,000 of all.',
    ),
  path: ignored('perf_log.tsv is in the result folder of each peer'),
  enabled: ignored('perf_log.tsv is always written', true),
  interval_seconds: ignored('older spelling: use interval; a row a second is written'),
})

const retryDelayMsMax = 3_600_000

const errorHandling = z.strictObject({
  max_total_errors: count(1, 1_000_000_000)
    .optional()
    .describe(
      'So many errors on one agent end its execute or hybrid stage, which has failed; left out, no number does.',
    ),
  error_rate_threshold: amount(0.001, 1_000_000)
    .optional()
    .describe('At so many errors a second on one agent, each lane that meets one pauses; left out, none does.'),
  error_rate_window: amount(0.1, 3600).prefault(1).describe('Seconds that this rate is counted over.'),
  backoff_duration: duration().prefault('5s').describe('How long such a lane pauses.'),
  retry_on_error: flag()
    .prefault(false)
    .describe('A failed operation of a workload is done again; all of its attempts are one operation, one latency.'),
  max_retries: count(0, 1000).prefault(3).describe('Attempts after the first one.'),
  initial_retry_delay_ms: count(0, retryDelayMsMax).prefault(100).describe('Pause before the first of them.'),
  max_retry_delay_ms: count(0, retryDelayMsMax).prefault(5000).describe('No pause is longer.'),
  retry_backoff_multiplier: amount(1, 1000).prefault(2).describe('How many times as long each further pause is.'),
  retry_jitter_factor: amount(0, 1).prefault(0.25).describe('Up to this share of it, a pause is longer or shorter.'),
})

export const planSchema = z.strictObject({
  target: uri().optional().describe('Where paths of the plan begin: file://, direct://, s3:// or null://.'),
  duration: duration().prefault('60s').describe('How long execute stages run that do not say it themselves.'),
  concurrency: count(1, lanesMax).prefault(16).describe('Lanes of each agent: operations under way at a time.'),
  warmup_period: duration().prefault(0).describe('Execute stages work this long before they are measured.'),
  prepare: prepareSection.optional().describe('Objects that must be there before the workload.'),
  workload: workload.prefault([]).describe('Operations of execute stages.'),
  io_rate: ioRate.optional().describe('A rate of operations instead of as fast as possible.'),
  multi_endpoint: multiEndpoint.optional().describe('Several ways to the same storage.'),
  verify: flag().prefault(false).describe('Gets compare what they read with what was written.'),
  dynamic_put_pool: flag()
    .prefault(false)
    .describe('Gets and stats also choose from what their lane has put meanwhile, where their path covers it.'),
  op_timeout: duration({ min: 1 }).prefault('60s').describe('An operation that takes longer is an error.'),
  error_handling: errorHandling
    .optional()
    .describe('When errors end a workload or slow it down; without it they are counted only.'),
  perf_log: perfLog.optional().describe('The log of every second.'),
  op_log: flag()
    .prefault(false)
    .describe('Every operation is logged: agents/<name>/op_log.tsv.zst in the result folder of each peer.'),
  op_log_path: text('a file name')
    .optional()
    .describe('The same under another name; of a path, only the file name counts.'),
  distributed: distributed.optional().describe('Agents, stages and barriers.'),
  backend: ignored('older spelling: use target; nothing of it is done'),
  objects: ignored('older spelling: use prepare.ensure_objects; nothing of it is done'),
  data_size: ignored('older spelling: use prepare.ensure_objects; nothing of it is done'),
  record_count: ignored('older spelling: use prepare.ensure_objects; nothing of it is done'),
  cleanup: ignored('use prepare.cleanup, or a cleanup stage; nothing of it is done'),
  version: ignored('plans have no versions'),
  processes: ignored('each agent uses worker threads of one process'),
  processing_mode: ignored('each agent uses worker threads of one process'),
  page_cache_mode: ignored(
    'the page cache is left to the system, which the runtimes cannot advise; use direct:// to go around it',
  ),
  enable_metadata_cache: ignored('there is no metadata cache: names and sizes are computed from the plan', false),
  cache_checkpoint_interval_secs: ignored('there is no metadata cache: names and sizes are computed from the plan'),
  range_engine: ignored('gets are not split; use range_size of a get for ranged reads'),
  s3dlio_optimization: ignored('another S3 client is used'),
  autotune: ignored('nothing is tuned'),
  distributed_env: ignored('the environment is that in which the nodes were started'),
  live_stats_tracker: ignored('progress is always shown'),
})

export type WrittenPlan = z.output<typeof planSchema>
export type WrittenErrorHandling = z.output<typeof errorHandling>
export type WrittenDistributed = z.output<typeof distributed>
export type WrittenAgent = z.output<typeof agent>
