/**
 * A plan on files from start to end, for any runtime: prints one line of JSON.
 * Arguments: a folder that it may fill, with a link `links/data` that leads to another one, and that other one.
 */

import { readdirSync } from 'node:fs'
import process from 'node:process'
import {
  createEngine,
  decodeResult,
  encodeResult,
  now,
  resolveContainment,
  type StageResult,
  type StageWork,
  type WorkloadOp,
} from '../../src/io/mod.ts'

const [folder, outside] = process.argv.slice(2)
if (folder === undefined || outside === undefined) throw new Error('Usage: smoke.ts FOLDER OUTSIDE')

const engine = createEngine(resolveContainment([`file://${folder}`], false))
const data = { fill: 'random', dedupFactor: 1, compressFactor: 1 } as const
const base = `file://${folder}/data/`
const set = { baseUris: [base], count: 50, size: { kind: 'fixed', bytes: 5000 }, data, prefixShards: 1 } as const
const seen: Record<string, unknown> = {}
let sequence = 0

function op(name: WorkloadOp['op'], uri: string, more: Partial<WorkloadOp> = {}): WorkloadOp {
  const plain = { weight: 1, size: null, data, concurrency: null, rangeBytes: null, partBytes: null }
  return { ...plain, op: name, uris: [uri], ...more }
}

async function run(name: string, work: StageWork): Promise<StageResult> {
  sequence++
  const context = { run: 'smoke', plan: 1, stage: name, sequence, agent: 'a', agentIndex: 0, agents: ['a'], seed: 5 }
  const stage = await engine.arm(work, context)
  const result = await stage.run({ startAt: now() + 5, signal: AbortSignal.timeout(20_000) })
  const wire = decodeResult(encodeResult(result))
  const errors = wire.errorSamples.map(({ message }) => message)
  const done = wire.stats.filter(({ count }) => count > 0).map((stats) => stats.op)
  seen[name] = { status: wire.status, code: wire.code, errors, done: [...new Set(done)] }
  return result
}

const execute = {
  type: 'execute',
  concurrency: 2,
  durationMs: 200,
  opsMax: null,
  warmupMs: 0,
  rate: { opsPerSecond: null, arrivals: 'fixed' },
  pathSelection: 'random',
  prepared: [set],
  tree: null,
  sharing: 'concurrent',
  endpointStrategy: 'round_robin',
  verify: true,
  opTimeoutMs: 10_000,
  perfLogIntervalMs: 1000,
} as const

const prepare = {
  type: 'prepare',
  objects: [set],
  tree: null,
  sharing: 'concurrent',
  concurrency: 2,
  skipVerification: false,
  forceOverwrite: false,
  strategy: 'sequential',
  postDelayMs: 0,
} as const

await run('validation', { type: 'validation', targets: [{ uri: base, writes: true }], bytesNeeded: 1000 })
await run('prepare', prepare)
const size = { kind: 'fixed', bytes: 9000 } as const
const ops = [op('get', `${base}*`), op('put', base, { size }), op('stat', base), op('list', base)]
await run('mixed', { ...execute, ops })
await run('ranged', { ...execute, ops: [op('get', `${base}prepared-*`, { rangeBytes: 4096 })] })
const direct = op('get', `${base.replace('file:', 'direct:')}prepared-*`)
const directSet = { ...set, baseUris: [base.replace('file:', 'direct:')] }
await run('direct', { ...execute, ops: [direct], prepared: [directSet] })
await run('listed', { ...execute, ops: [op('get', `${base}obj_*`)], prepared: [] })
await run('escape', { ...prepare, objects: [{ ...set, baseUris: [`file://${folder}/links/data/`] }] })
const cleanup = { tree: null, sharing: 'concurrent', concurrency: 2, mode: 'strict' } as const
await run('cleanup', { type: 'cleanup', objects: [set], putUris: [base], ...cleanup })
await engine.close()
process.stdout.write(
  `${JSON.stringify({ seen, left: readdirSync(`${folder}/data`), escaped: readdirSync(outside) })}\n`,
)
