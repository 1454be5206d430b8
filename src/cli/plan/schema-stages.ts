/** Keys of stages and their barriers. */

import { z } from 'zod'
import { lanesMax, objectsMax, prepareKeys, workload } from './schema-storage.ts'
import { argument, count, duration, flag, ignored, name, notThis, oneOf, text, typeIn } from './schema-values.ts'

const stageTypes = ['validation', 'prepare', 'execute', 'hybrid', 'cleanup', 'custom'] as const
export type StageType = (typeof stageTypes)[number]

/** What holds where a plan says nothing. */
const builtIn = {
  type: 'all_or_nothing',
  heartbeat_interval: '1s',
  missed_threshold: 3,
  query_timeout: '1s',
  query_retries: 2,
  agent_barrier_timeout: '2m',
  straggler_grace: '10s',
} as const

const settings = {
  type: oneOf(['all_or_nothing', 'majority', 'best_effort'])
    .optional()
    .meta({ description: 'When the barrier may be released.', default: builtIn.type }),
  heartbeat_interval: duration({ min: 1 })
    .optional()
    .meta({ description: 'How often members are heard from.', default: builtIn.heartbeat_interval }),
  missed_threshold: count(1, 1000)
    .optional()
    .meta({ description: 'After so many silent intervals a member is asked.', default: builtIn.missed_threshold }),
  query_timeout: duration({ min: 1 })
    .optional()
    .meta({ description: 'Time for its answer.', default: builtIn.query_timeout }),
  query_retries: count(0, 100)
    .optional()
    .meta({ description: 'How often it is asked again before it counts as dead.', default: builtIn.query_retries }),
  agent_barrier_timeout: duration({ min: 1 })
    .optional()
    .meta({ description: 'Time after the first ready.', default: builtIn.agent_barrier_timeout }),
  timeout_seconds: duration({ min: 1 }).optional().describe('Older spelling of agent_barrier_timeout.'),
  straggler_grace: duration().optional().meta({
    description: 'Time for members that are late, after a majority is ready.',
    default: builtIn.straggler_grace,
  }),
}

export const barrier = z.strictObject(settings)
export type WrittenBarrier = z.output<typeof barrier>
export const builtInBarrier: WrittenBarrier = barrier.parse(builtIn)

const { type: _type, timeout_seconds: _seconds, ...timings } = settings
const defaulted = Object.fromEntries(
  Object.entries(timings).map(([key, schema]) => [`default_${key}`, schema.describe(`Another spelling of ${key}.`)]),
) as { [K in keyof typeof timings as `default_${K}`]: (typeof timings)[K] }

/** For all stages, and for all stages of one type. */
export const barrierSync = z.strictObject({
  enabled: flag().prefault(true).describe('Barriers cannot be switched off: stages always go in step.'),
  ...settings,
  ...defaulted,
  validation: barrier.optional().describe('For validation stages.'),
  prepare: barrier.optional().describe('For prepare stages.'),
  execute: barrier.optional().describe('For execute stages.'),
  hybrid: barrier.optional().describe('For hybrid stages.'),
  cleanup: barrier.optional().describe('For cleanup stages.'),
  custom: barrier.optional().describe('For custom stages.'),
})

const lanes = count(1, lanesMax).optional().describe('Lanes of each agent; as in the plan where it is left out.')
const length = duration({ min: 1 })
const uncounted = ignored('objects are counted from prepare; this number is not checked')

const loaded = {
  concurrency: lanes,
  warmup_period: duration().optional().describe('Time before the measurement; as in the plan where it is left out.'),
  workload: workload.optional().describe('Another workload than that of the plan.'),
}

const validation = {
  type: z.literal(['validation', 'preflight']).describe('Reaches every target, checks permissions and free space.'),
  expected_objects: uncounted,
}
const prepare = {
  type: z.literal('prepare').describe('Makes objects: those of its own ensure_objects, or those of the plan.'),
  ...prepareKeys,
  concurrency: lanes,
  expected_objects: uncounted,
}
const execute = {
  type: z.literal('execute').describe('Runs the workload for the time given.'),
  duration: length.optional().describe('How long it is measured; as in the plan where it is left out.'),
  ...loaded,
  expected_objects: uncounted,
}
const hybrid = {
  type: z.literal('hybrid').describe('Runs the workload for a time or a number of operations, whichever comes first.'),
  max_duration: length.optional().describe('How long at most.'),
  duration: length.optional().describe('The same as max_duration.'),
  expected_tasks: count(1, objectsMax).optional().describe('How many operations of each agent at most.'),
  ...loaded,
}
const cleanup = {
  type: z.literal('cleanup').describe("Deletes what the plan's prepare and put name, nothing else."),
  concurrency: lanes,
  expected_objects: uncounted,
}
const custom = {
  type: z.literal('custom').describe('Runs a command on every member; needs --allow-exec there.'),
  command: argument()
    .refine((value) => value !== '', 'must be a command, not an empty text')
    .describe('The program.'),
  args: z.array(argument()).max(1000).prefault([]).describe('Its arguments; there is no shell.'),
  env: z
    .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be the name of an environment variable'), argument())
    .prefault({})
    .describe('Its environment, beside PATH, HOME, TMPDIR and PACELINE_...'),
  timeout: length.optional().describe('After this time it is ended, and the stage has failed.'),
}

const common = {
  name: name().optional().describe('Its name in barriers, results and events; its type where it is left out.'),
  order: count(0, 1_000_000_000).describe('Stages are sorted by this; no two may have the same.'),
  completion: text().optional().describe('How it ends; must be what its type says.'),
  barrier: barrier.optional().describe('Barrier after it; what is left out is as in barrier_sync.'),
  optional: flag().prefault(false).describe('Where it fails the agent counts as ready, and the stage as degraded.'),
  timeout_secs: duration({ min: 1 })
    .optional()
    .describe('An agent that is still at it after this time has failed; unlike the barrier timeout, of its own work.'),
}

const wrongType = ({ input }: { readonly input?: unknown }): string =>
  notThis(`one of ${stageTypes.join(', ')}, preflight`, typeIn(input))

const flat = z.discriminatedUnion(
  'type',
  [
    z.strictObject({ ...common, ...validation }),
    z.strictObject({ ...common, ...prepare }),
    z.strictObject({ ...common, ...execute }),
    z.strictObject({ ...common, ...hybrid }),
    z.strictObject({ ...common, ...cleanup }),
    z.strictObject({ ...common, ...custom }),
  ],
  { error: wrongType },
)

const config = z.discriminatedUnion(
  'type',
  [
    z.strictObject({ ...validation, timeout_secs: common.timeout_secs }),
    z.strictObject(prepare),
    z.strictObject(execute),
    z.strictObject(hybrid),
    z.strictObject(cleanup),
    z.strictObject(custom),
  ],
  { error: wrongType },
)

/** Both spellings: `type` with its keys beside it, and `config: { type, ... }`. */
export const stage = z.union([flat, z.strictObject({ ...common, config })])

export type WrittenStage = z.output<typeof stage>
export type WrittenConfig = z.output<typeof config>
