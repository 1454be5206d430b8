/** Plans from the field: each validates, or is refused for a reason that its own tool would give. */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { agentsNotice, describePlan, parsePlan, toPlanSpec } from '../../src/cli/plan/mod.ts'
import { notices } from './helpers.ts'

const folder = path.resolve(import.meta.dirname ?? 'test/cli', '../../../shared/plans/sai3-bench')
const files = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.yaml')) : []

describe.runIf(files.length > 0)('plans of sai3-bench that lie beside this repository', () => {
  it.each(files)('%s', (name) => {
    const plan = parsePlan(readFileSync(path.join(folder, name), 'utf8'), name)
    const description = describePlan(plan)
    expect(description.stages.length).toBeGreaterThan(0)
    expect(description.stages.every(({ memoryBytes }) => memoryBytes > 0)).toBe(true)
    for (const notice of notices(plan)) expect(notice).toMatch(/^\d+:\d+: \S/)
  })
})

/** The shapes that its documentation shows, so that this does not depend on files elsewhere. */
const DOCUMENTED = `
target: "file:///tmp/paceline/x/"
duration: "5m"
concurrency: 32
page_cache_mode: auto
op_log_path: /data/oplog.tsv.zst
error_handling: { max_total_errors: 200, error_rate_threshold: 10.0, max_retries: 5, retry_on_error: false }
dynamic_put_pool: false
warmup_period: 10s
perf_log: { path: /tmp/perf.tsv, interval: 1s }
io_rate: { iops: 1000, distribution: deterministic }
prepare:
  prepare_strategy: parallel
  post_prepare_delay: 5
  cleanup_mode: besteffort
  skip_verification: true
  force_overwrite: true
  key_prefix_shards: 256
  ensure_objects:
    - { base_uri: "file:///tmp/paceline/x/data/", count: "1,000", min_size: "1,048,576", max_size: 2_097_152, fill: prand }
    - { base_uri: "file:///tmp/paceline/x/kilo/", count: 250 000, size_spec: { fixed: 32KB } }
    - { base_uri: "file:///tmp/paceline/x/even/", count: 10, size_spec: { uniform: { min: 1k, max: 1Ki } } }
    - base_uri: "file:///tmp/paceline/x/log/"
      count: 10
      size_distribution: { type: lognormal, mean: 8MB, std_dev: 1MB, min: 1MiB, max: 16MiB }
  cleanup: true
workload:
  - { op: get, path: "data/prepared-*.dat", weight: 60, concurrency: 64 }
  - { op: put, path: "data/new-", object_size: 1048576, weight: 25, dedup_factor: 2, compress_factor: 3 }
  - { op: mkdir, path: "dirs/", weight: 1 }
distributed:
  shared_filesystem: true
  tree_creation_mode: coordinator
  path_selection: weighted
  partition_overlap: 0.5
  start_delay: 2
  grpc_keepalive_interval: 30
  agent_ready_timeout: "2m"
  barrier_sync:
    enabled: true
    default_heartbeat_interval: 30
    default_missed_threshold: 5
    prepare: { type: majority, agent_barrier_timeout: 600 }
  agents:
    - { address: "host1:7167", id: node-1, concurrency_override: 64, target_override: "file:///tmp/paceline/y/" }
    - { address: "host2:7167", id: node-2, multi_endpoint: { strategy: least_connections, endpoints: ["file:///tmp/paceline/z/"] } }
  stages:
    - { name: cleanup, order: 4, completion: tasks_done, optional: true, config: { type: cleanup, expected_objects: 10 } }
    - { name: preflight, order: 1, completion: validation_passed, timeout_secs: 300, config: { type: validation, timeout_secs: 300 } }
    - { name: prepare, order: 2, completion: tasks_done, barrier: { type: all_or_nothing }, config: { type: prepare } }
    - { name: execute, order: 3, completion: duration, timeout_secs: 1h, config: { type: execute, duration: 30m } }
`

describe('what the documentation of sai3-bench shows', () => {
  const plan = parsePlan(DOCUMENTED, 'p.yaml')

  it('is sorted by order, whatever the order in the file', () => {
    expect(plan.stages.map(({ name, timeoutMs }) => [name, timeoutMs])).toEqual([
      ['preflight', 300_000],
      ['prepare', null],
      ['execute', 3_600_000],
      ['cleanup', null],
    ])
  })

  it('takes barrier settings from the stage, its type, the defaults, in this order', () => {
    const barriers = plan.stages.map(({ spec }) => spec.barrier)
    expect(barriers.map(({ policy }) => policy)).toEqual([
      'all_or_nothing',
      'all_or_nothing',
      'all_or_nothing',
      'all_or_nothing',
    ])
    expect(barriers.map(({ barrierTimeoutMs }) => barrierTimeoutMs)).toEqual([120_000, 600_000, 120_000, 120_000])
    expect(
      barriers.every(
        ({ heartbeatIntervalMs, missedThreshold }) => heartbeatIntervalMs === 30_000 && missedThreshold === 5,
      ),
    ).toBe(true)
  })

  it('reads sizes and counts in every spelling', () => {
    const work = plan.stages[1]?.workFor('node-1')
    expect(work).toMatchObject({
      strategy: 'parallel',
      forceOverwrite: true,
      skipVerification: true,
      postDelayMs: 5000,
      objects: [
        { count: 1000, size: { kind: 'uniform', min: 1_048_576, max: 2_097_152 }, prefixShards: 256 },
        { count: 250_000, size: { kind: 'fixed', bytes: 32_000 } },
        { count: 10, size: { kind: 'uniform', min: 1000, max: 1024 } },
        { count: 10, size: { kind: 'lognormal', mean: 8_000_000, stdDev: 1_000_000, min: 1_048_576, max: 16_777_216 } },
      ],
    })
  })

  it('gives each agent its own target, endpoints and lanes', () => {
    const execute = (name: string) => plan.stages[2]?.workFor(name)
    expect(execute('node-1')).toMatchObject({
      concurrency: 64,
      endpointStrategy: 'round_robin',
      durationMs: 1_800_000,
      warmupMs: 10_000,
      rate: { opsPerSecond: 1000, arrivals: 'fixed' },
      pathSelection: 'weighted',
      partitionOverlap: 0.5,
      errorLimits: { total: 200, perSecond: 10, windowMs: 1000, backoffMs: 5000 },
      ops: [
        { op: 'get', uris: ['file:///tmp/paceline/y/data/prepared-*.dat'], concurrency: 64 },
        {
          op: 'put',
          uris: ['file:///tmp/paceline/y/data/new-'],
          prefixShards: 256,
          data: { dedupFactor: 2, compressFactor: 3 },
        },
      ],
    })
    expect(execute('node-2')).toMatchObject({ concurrency: 32, endpointStrategy: 'least_connections' })
    expect(plan.wanted).toEqual({ kind: 'names', names: ['node-1', 'node-2'] })
    expect(plan.agentReadyTimeoutMs).toBe(120_000)
  })

  it('wants the agents that it names, whatever number is asked for; a number counts where it names none', () => {
    expect(toPlanSpec(plan, 'one', 7).wanted).toEqual(plan.wanted)
    expect(describePlan(plan, 7).agents).toBe('node-1, node-2')
    expect(agentsNotice(plan, 7)).toMatch(/^the plan names its agents, .* not any 7: node-1, node-2/)
    expect([agentsNotice(plan, 2), agentsNotice(plan, null)]).toEqual([null, null])
    const unnamed = parsePlan(DOCUMENTED.replaceAll(/ id: node-\d,/g, ''))
    expect([unnamed.wanted, toPlanSpec(unnamed, 'two', 7).wanted, agentsNotice(unnamed, 7)]).toEqual([
      { kind: 'count', count: 2 },
      { kind: 'count', count: 7 },
      null,
    ])
  })

  it('says of every key that is not used what will not happen', () => {
    const said = notices(plan).map((notice) => /^\d+:\d+: (?:distributed\.)?([\w.[\]]+)/.exec(notice)?.[1])
    expect(said.filter((key) => key !== undefined).sort()).toEqual([
      'agents[0].address',
      'agents[1].address',
      'agents[1].multi_endpoint.strategy',
      'error_handling.max_retries',
      'grpc_keepalive_interval',
      'op_log_path',
      'page_cache_mode',
      'perf_log.path',
      'shared_filesystem',
      'stages[0].config.expected_objects',
      'start_delay',
      'workload[2].op',
    ])
  })
})

it.each([
  ['op_log: true', 'op_log.tsv.zst'],
  ['op_log: false', null],
  ['op_log_path: trace.tsv.zst', 'trace.tsv.zst'],
  ['op_log_path: /data/trace.tsv', 'trace.tsv.zst'],
  ['op_log_path: ../../summary.json', 'summary.json.tsv.zst'],
  ['op_log_path: ..', 'op_log.tsv.zst'],
  ['op_log_path: .tsv.zst', 'op_log.tsv.zst'],
])('%s: operations are logged in %s, in no other folder than that of the results', (key, name) => {
  const plan = parsePlan(`target: null://x/\n${key}\nworkload: [{ op: get, path: a }]\n`, 'p.yaml')
  expect(plan.opLog).toBe(name)
  const said = name !== null && !key.endsWith('true') && !key.endsWith(` ${name}`)
  expect(notices(plan).map((notice) => /op_log_path: (.*) of the/.exec(notice)?.[1])).toEqual(
    said ? [`operations are logged in agents/<name>/${name}`] : [],
  )
})

describe('prepare stages with objects of their own', () => {
  const tree = (base: string) =>
    `{ directory_structure: { width: 2, depth: 1, files_per_dir: 3 }, ensure_objects: [{ base_uri: ${base}, count: 0 }] }`
  const plan = (own: string) =>
    parsePlan(`target: null://x/
prepare: ${tree('top/')}
workload: [{ op: get, path: 'one/**/*' }]
distributed:
  barrier_sync: { type: majority }
  stages:
    - { name: one, order: 1, type: prepare, ${tree('one/').slice(1)}
    - { name: two, order: 2, type: prepare${own} }
    - { name: read, order: 3, type: execute, duration: 1s }
    - { name: end, order: 4, type: cleanup }
    - { name: check, order: 5, type: validation }
`)
  const basesOf = (trees: readonly { readonly baseUris: readonly string[] }[]) => trees.flatMap((one) => one.baseUris)

  it('are all known to the workload, checked and cleaned up; those of the section only where a stage makes them', () => {
    for (const [own, second] of [
      [`, ${tree('two/').slice(2, -2)}`, 'null://x/two/'],
      ['', 'null://x/top/'],
    ] as const) {
      const { stages, notices } = plan(own)
      const made = ['null://x/one/', second]
      const works = stages.map(({ workFor }) => workFor('a'))
      const trees = works.map((work) => ('trees' in work ? basesOf(work.trees) : []))
      expect(trees).toEqual([made.slice(0, 1), made.slice(1), made, made, []])
      expect(works[4]).toMatchObject({ targets: made.map((uri) => ({ uri, writes: true })) })
      expect(notices.map(({ message }) => message)).toEqual(
        own === '' ? [] : [expect.stringContaining('prepare: no stage makes these objects')],
      )
    }
  })
})

describe('error_handling', () => {
  const text = 'target: null://x/\nworkload: [{ op: get, path: a }]\nerror_handling: '
  const workOf = (handling: string) => parsePlan(`${text}${handling}`, 'p.yaml').stages[1]?.workFor('a')

  it('without limits and repetitions changes nothing', () => {
    expect(workOf('{ backoff_duration: 2s }')).toMatchObject({ errorLimits: null, retries: null })
  })

  it('has limits of errors, and repetitions with the defaults of sai3-bench', () => {
    expect(workOf('{ max_total_errors: 7, retry_on_error: true }')).toMatchObject({
      errorLimits: { total: 7, perSecond: null, windowMs: 1000, backoffMs: 5000 },
      retries: { max: 3, firstMs: 100, longestMs: 5000, factor: 2, jitter: 0.25 },
    })
    const keys =
      'initial_retry_delay_ms: 10, max_retry_delay_ms: 20, retry_backoff_multiplier: 1.5, retry_jitter_factor: 0'
    expect(workOf(`{ retry_on_error: true, max_retries: 9, ${keys} }`)).toMatchObject({
      errorLimits: null,
      retries: { max: 9, firstMs: 10, longestMs: 20, factor: 1.5, jitter: 0 },
    })
  })
})
