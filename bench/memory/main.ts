/**
 * Does the engine's memory grow with the work? A prepare of many objects and a long workload on `null://`.
 *
 *   npm run bench:memory -- [--objects 10000000] [--seconds 60] [--grow-mib 48]
 *
 * Prints one line of JSON a stage: what was done, and the resident memory (MiB) in the middle and at the end. Exit code 1
 * where it grew by more than --grow-mib in the second half.
 */

import process from 'node:process'
import { parseArgs } from 'node:util'
import { createEngine, now, resolveContainment, type StageWork } from '../../src/io/mod.ts'

const { values } = parseArgs({
  options: {
    objects: { type: 'string', default: '10000000' },
    seconds: { type: 'string', default: '60' },
    'grow-mib': { type: 'string', default: '48' },
  },
})

const MIB = 1024 * 1024
const base = 'null://memory/'
const engine = createEngine(resolveContainment([base], false))
const data = { fill: 'random', dedupFactor: 1, compressFactor: 1 } as const
const size = { kind: 'uniform', min: 1, max: 4096 } as const
const set = { baseUris: [base], count: Number(values.objects), size, data, prefixShards: 16 } as const
const shared = { trees: [], sharing: 'concurrent', concurrency: 2 } as const
let sequence = 0

async function measure(stage: string, work: StageWork): Promise<boolean> {
  const context = { run: 'memory', plan: 1, stage, sequence: ++sequence, agent: 'a', agentIndex: 0 }
  const armed = await engine.arm(work, { ...context, agents: ['a'], seed: 1 })
  let middle = 0
  const result = await armed.run({
    startAt: now(),
    signal: new AbortController().signal,
    onProgress: ({ done }) => {
      if (middle === 0 && (done ?? 0) >= 0.5) middle = process.memoryUsage.rss()
    },
  })
  const end = process.memoryUsage.rss()
  if (result.status !== 'ok') throw new Error(result.reason)
  const ops = result.stats.reduce((sum, { count }) => sum + count, 0)
  const grown = (end - (middle === 0 ? end : middle)) / MIB
  const seconds = Number(result.seconds.toFixed(1))
  const [middleMib, endMib] = [middle, end].map((bytes) => Math.round(bytes / MIB))
  process.stdout.write(`${JSON.stringify({ stage, ops, seconds, middleMib, endMib })}\n`)
  return middle > 0 && grown <= Number(values['grow-mib'])
}

const plain = { weight: 1, size: null, data, concurrency: null, rangeBytes: null, partBytes: null }
const kept = [
  await measure('prepare', {
    ...shared,
    type: 'prepare',
    objects: [set],
    skipVerification: false,
    forceOverwrite: true,
    strategy: 'parallel',
    postDelayMs: 0,
  }),
  await measure('execute', {
    ...shared,
    type: 'execute',
    ops: [
      { ...plain, op: 'get', uris: [`${base}prepared-*`] },
      { ...plain, op: 'put', uris: [base], size },
    ],
    durationMs: 1000 * Number(values.seconds),
    opsMax: null,
    warmupMs: 0,
    rate: { opsPerSecond: null, arrivals: 'fixed' },
    pathSelection: 'random',
    prepared: [set],
    endpointStrategy: 'round_robin',
    verify: false,
    opTimeoutMs: 60_000,
    perfLogIntervalMs: 1000,
  }),
]
await engine.close()
process.exitCode = kept.every(Boolean) ? 0 : 1
