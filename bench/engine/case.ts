/**
 * One case on Paceline's engine, in a process of its own like fio's: prints its figures as one line of JSON.
 * Arguments: the case and the timing as JSON, the folder.
 */

import process from 'node:process'
import {
  createEngine,
  type ExecuteWork,
  now,
  type ObjectSet,
  type OpName,
  type PrepareWork,
  resolveContainment,
  type StageResult,
  type StageWork,
  type WorkloadOp,
} from '../../src/io/mod.ts'
import { type Case, READ_FILES, SMALL_FILES, WRITE_BYTES, WRITE_OBJECT_BYTES } from './cases.ts'
import type { Figures, Timing } from './figures.ts'
import { touchPages } from './pages.ts'

const [caseText = '', timingText = '', folder = ''] = process.argv.slice(2)
const one: Case = JSON.parse(caseText)
const timing: Timing = JSON.parse(timingText)

const data = { fill: 'random', dedupFactor: 1, compressFactor: 1 } as const
const base = one.kind === 'null' ? 'null://bench/' : `${one.direct ? 'direct' : 'file'}://${folder}`
const engine = createEngine(resolveContainment([`file://${folder}`, 'null://'], false))
let sequence = 0

async function run(work: StageWork): Promise<StageResult & { readonly cpuMs: number }> {
  sequence++
  const context = { run: 'bench', plan: 1, stage: 's', sequence, agent: 'a', agentIndex: 0, agents: ['a'], seed: 7 }
  const stage = await engine.arm(work, context)
  if (one.kind === 'write' && !one.direct) touchPages(folder, WRITE_BYTES)
  const before = process.cpuUsage()
  const result = await stage.run({ startAt: now() + 5, signal: AbortSignal.timeout(120_000) })
  const { user, system } = process.cpuUsage(before)
  if (result.status !== 'ok' || result.errorSamples.length > 0)
    throw new Error(JSON.stringify({ ...result, stats: [] }))
  return { ...result, cpuMs: (user + system) / 1000 }
}

function objects(count: number, bytes: number): ObjectSet {
  return { baseUris: [base], count, size: { kind: 'fixed', bytes }, data, prefixShards: 1 }
}

function prepare(set: ObjectSet): PrepareWork {
  return {
    type: 'prepare',
    objects: [set],
    trees: [],
    sharing: 'concurrent',
    concurrency: one.threads,
    skipVerification: false,
    forceOverwrite: true,
    strategy: 'sequential',
    postDelayMs: 0,
  }
}

function workload(set: ObjectSet, op: OpName, rangeBytes: number | null): ExecuteWork {
  const uris = [`${base}*`]
  const spec: WorkloadOp = { op, weight: 1, uris, size: null, data, concurrency: null, rangeBytes, partBytes: null }
  return {
    type: 'execute',
    ops: [spec],
    concurrency: one.threads,
    durationMs: timing.seconds * 1000,
    opsMax: null,
    warmupMs: timing.warmupSeconds * 1000,
    rate: { opsPerSecond: null, arrivals: 'fixed' },
    pathSelection: 'random',
    prepared: [set],
    trees: [],
    sharing: 'concurrent',
    endpointStrategy: 'round_robin',
    verify: false,
    opTimeoutMs: 60_000,
    perfLogIntervalMs: 1000,
  }
}

async function cleanup(set: ObjectSet): Promise<StageResult & { readonly cpuMs: number }> {
  const { threads: concurrency } = one
  return await run({
    type: 'cleanup',
    objects: [set],
    trees: [],
    putUris: [],
    sharing: 'concurrent',
    concurrency,
    mode: 'strict',
  })
}

async function measure(): Promise<StageResult & { readonly cpuMs: number }> {
  if (one.kind === 'read') {
    return await run(workload(objects(READ_FILES.count, READ_FILES.bytes), 'get', one.random ? one.blockBytes : null))
  }
  if (one.kind === 'write') return await run(prepare(objects(WRITE_BYTES / WRITE_OBJECT_BYTES, WRITE_OBJECT_BYTES)))
  if (one.kind === 'null') return await run(workload(objects(1000, 65_536), 'get', 4096))
  const set = objects(SMALL_FILES.count, one.step === 'create-empty' ? 0 : SMALL_FILES.bytes)
  const made = await run(prepare(set))
  if (one.step === 'create' || one.step === 'create-empty') return made
  if (one.step === 'delete') return await cleanup(set)
  return await run(workload(set, one.step === 'stat' ? 'stat' : 'get', null))
}

const result = await measure()
await engine.close()
let [ops, bytes] = [0, 0]
for (const stats of result.stats) {
  ops += stats.count
  bytes += stats.bytes
}
const cpuUsPerOp = (result.cpuMs * 1000) / (ops + result.warmup.ops)
const figures: Figures = { ops, bytes, seconds: result.seconds, cpuUsPerOp }
process.stdout.write(`${JSON.stringify(figures)}\n`)
