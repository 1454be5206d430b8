/**
 * Does the engine's memory grow with the work? A prepare of many objects and a long workload on `null://`; then listings of
 * a bucket of many objects: by a list, by gets that choose from them, by a cleanup that deletes some of them.
 *
 *   npm run bench:memory -- [--objects 10000000] [--seconds 60] [--listed 10000000] [--deleted 1000000] [--grow-mib 48]
 *
 * Prints one line of JSON a stage: what was done, and the highest resident memory (MiB) in both halves of its time. Exit
 * code 1 where that of the second half is higher by more than --grow-mib.
 */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { putNames } from '../../src/io/collections.ts'
import { createEngine, type Engine, now, resolveContainment, type StageWork } from '../../src/io/mod.ts'

const { values } = parseArgs({
  options: {
    objects: { type: 'string', default: '10000000' },
    seconds: { type: 'string', default: '60' },
    listed: { type: 'string', default: '10000000' },
    deleted: { type: 'string', default: '1000000' },
    'grow-mib': { type: 'string', default: '48' },
  },
})

const MIB = 1024 * 1024
const LOOK_MS = 20
/** A listing of all of them is one operation. */
const LISTING_MS_MAX = 3_600_000
const context = { run: 'memory', plan: 1, agent: 'a', agentIndex: 0, agents: ['a'], seed: 1 } as const
let sequence = 0

async function measure(engine: Engine, stage: string, work: StageWork): Promise<void> {
  const armed = await engine.arm(work, { ...context, stage, sequence: ++sequence })
  const seen: number[] = []
  const look = setInterval(() => seen.push(process.memoryUsage.rss() / MIB), LOOK_MS)
  const begun = performance.now()
  const result = await armed.run({ startAt: now(), signal: new AbortController().signal })
  const seconds = Number(((performance.now() - begun) / 1000).toFixed(1))
  clearInterval(look)
  if (result.status !== 'ok') throw new Error(result.reason)
  const ops = result.stats.reduce((sum, { count }) => sum + count, 0)
  const errors = result.stats.reduce((sum, one) => sum + one.errors, 0)
  const half = Math.floor(seen.length / 2)
  const [firstMib, secondMib] = [seen.slice(0, half), seen.slice(half)].map((some) => Math.round(Math.max(0, ...some)))
  process.stdout.write(`${JSON.stringify({ stage, ops, errors, seconds, firstMib, secondMib })}\n`)
  const grown = (secondMib ?? 0) - (firstMib ?? 0)
  if (half === 0 || errors > 0 || grown > Number(values['grow-mib'])) process.exitCode = 1
}

const data = { fill: 'random', dedupFactor: 1, compressFactor: 1 } as const
const size = { kind: 'uniform', min: 1, max: 4096 } as const
const shared = { trees: [], sharing: 'concurrent', concurrency: 2 } as const
const plain = { weight: 1, size: null, data, concurrency: null, rangeBytes: null, partBytes: null } as const
const workload = {
  ...shared,
  type: 'execute',
  opsMax: null,
  warmupMs: 0,
  rate: { opsPerSecond: null, arrivals: 'fixed' },
  pathSelection: 'random',
  prepared: [],
  endpointStrategy: 'round_robin',
  verify: false,
  opTimeoutMs: LISTING_MS_MAX,
  perfLogIntervalMs: 1000,
} as const

async function measureWork(): Promise<void> {
  const base = 'null://memory/'
  const engine = createEngine(resolveContainment([base], false))
  const set = { baseUris: [base], count: Number(values.objects), size, data, prefixShards: 16 } as const
  await measure(engine, 'prepare', {
    ...shared,
    type: 'prepare',
    objects: [set],
    skipVerification: false,
    forceOverwrite: true,
    strategy: 'parallel',
    postDelayMs: 0,
  })
  await measure(engine, 'execute', {
    ...workload,
    ops: [
      { ...plain, op: 'get', uris: [`${base}prepared-*`] },
      { ...plain, op: 'put', uris: [base], size },
    ],
    durationMs: 1000 * Number(values.seconds),
    prepared: [set],
  })
  await engine.close()
}

/** Of a bucket with `keys` objects that this run seems to have put. */
async function onBucketOf(keys: string, use: (engine: Engine, base: string) => Promise<void>): Promise<void> {
  const { agentTag } = putNames(context, context.agent)
  const script = path.join(import.meta.dirname, 'listing-server.ts')
  const server = spawn(process.execPath, [...process.execArgv, script, keys, `data/${agentTag}_`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    const [port] = await once(createInterface(server.stdout), 'line')
    Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'nobody', AWS_SECRET_ACCESS_KEY: 'nothing' })
    const base = 's3://bucket/data/'
    const engine = createEngine(resolveContainment([base], false), { endpoint: `http://127.0.0.1:${port}` })
    await use(engine, base)
    await engine.close()
  } finally {
    server.kill()
  }
}

async function measureListing(engine: Engine, base: string): Promise<void> {
  const single = { ...workload, type: 'hybrid', durationMs: null } as const
  await measure(engine, 'list', { ...single, ops: [{ ...plain, op: 'list', uris: [base] }], opsMax: 1 })
  await measure(engine, 'get', { ...single, ops: [{ ...plain, op: 'get', uris: [`${base}*`] }], opsMax: 1000 })
}

async function measureCleanup(engine: Engine, base: string): Promise<void> {
  const work = { ...shared, type: 'cleanup', objects: [], putUris: [base], mode: 'tolerant', concurrency: 32 } as const
  await measure(engine, 'cleanup', work)
}

await measureWork()
await onBucketOf(values.listed, measureListing)
await onBucketOf(values.deleted, measureCleanup)
