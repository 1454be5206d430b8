/** What tests of the engine share: works with all fields, temp folders that go away, engines that are closed. */

import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach } from 'vitest'
import {
  type CleanupWork,
  type Containment,
  type CustomWork,
  createEngine,
  type DataSpec,
  type Engine,
  type ExecuteWork,
  now,
  type ObjectSet,
  type PrepareWork,
  resolveContainment,
  type StageContext,
  type StageProgress,
  type StageResult,
  type StageWork,
  type TreeSpec,
  type ValidationWork,
  type WorkloadOp,
} from '../../src/io/mod.ts'

const cleanups: (() => unknown)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

export function onCleanup(cleanup: () => unknown): void {
  cleanups.push(cleanup)
}

export function tempFolder(): string {
  const folder = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'paceline-io-')))
  onCleanup(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export function allowing(...folders: readonly string[]): Containment {
  return resolveContainment(
    folders.map((folder) => `file://${folder}`),
    false,
  )
}

export function startEngine(containment: Containment): Engine {
  const engine = createEngine(containment)
  onCleanup(() => engine.close())
  return engine
}

export const RANDOM: DataSpec = { fill: 'random', dedupFactor: 1, compressFactor: 1 }

export function objectSet(base: string, more: Partial<ObjectSet> = {}): ObjectSet {
  return {
    baseUris: [base],
    count: 100,
    size: { kind: 'fixed', bytes: 4096 },
    data: RANDOM,
    prefixShards: 1,
    ...more,
  }
}

export function tree(base: string, more: Partial<TreeSpec> = {}): TreeSpec {
  return {
    baseUris: [base],
    width: 2,
    depth: 2,
    filesPerDir: 3,
    distribution: 'bottom',
    dirMask: 'd%d_w%d.dir',
    fileMask: 'file_%08d.dat',
    size: { kind: 'fixed', bytes: 1000 },
    data: RANDOM,
    ...more,
  }
}

export function op(name: WorkloadOp['op'], uri: string, more: Partial<WorkloadOp> = {}): WorkloadOp {
  const size = name === 'put' ? ({ kind: 'fixed', bytes: 4096 } as const) : null
  return {
    op: name,
    weight: 1,
    uris: [uri],
    size,
    data: RANDOM,
    concurrency: null,
    rangeBytes: null,
    partBytes: null,
    ...more,
  }
}

export function prepare(objects: readonly ObjectSet[], more: Partial<PrepareWork> = {}): PrepareWork {
  return {
    type: 'prepare',
    objects,
    tree: null,
    sharing: 'concurrent',
    concurrency: 2,
    skipVerification: false,
    forceOverwrite: false,
    strategy: 'sequential',
    postDelayMs: 0,
    ...more,
  }
}

export function execute(ops: readonly WorkloadOp[], more: Partial<ExecuteWork> = {}): ExecuteWork {
  return {
    type: 'execute',
    ops,
    concurrency: 2,
    durationMs: 200,
    opsMax: null,
    warmupMs: 0,
    rate: { opsPerSecond: null, arrivals: 'fixed' },
    pathSelection: 'random',
    prepared: [],
    tree: null,
    sharing: 'concurrent',
    endpointStrategy: 'round_robin',
    verify: false,
    opTimeoutMs: 10_000,
    perfLogIntervalMs: 1000,
    ...more,
  }
}

/** A workload that ends after so many operations, however slow the machine is. */
export function operations(ops: readonly WorkloadOp[], opsMax: number, more: Partial<ExecuteWork> = {}): ExecuteWork {
  return execute(ops, { type: 'hybrid', durationMs: null, opsMax, ...more })
}

export function cleanup(objects: readonly ObjectSet[], more: Partial<CleanupWork> = {}): CleanupWork {
  return {
    type: 'cleanup',
    objects,
    tree: null,
    putUris: [],
    sharing: 'concurrent',
    concurrency: 2,
    mode: 'tolerant',
    ...more,
  }
}

export function custom(command: string, args: readonly string[], more: Partial<CustomWork> = {}): CustomWork {
  return { type: 'custom', command, args, env: {}, timeoutMs: 10_000, ...more }
}

export function validation(uri: string, writes: boolean, bytesNeeded = 0): ValidationWork {
  return { type: 'validation', targets: [{ uri, writes }], bytesNeeded }
}

export function context(more: Partial<StageContext> = {}): StageContext {
  return {
    run: 'test-run',
    plan: 1,
    stage: 'stage',
    sequence: 1,
    agent: 'agent-1',
    agentIndex: 0,
    agents: ['agent-1'],
    seed: 42,
    ...more,
  }
}

/** The context of one of several agents. */
export function agentOf(agents: readonly string[], agentIndex: number, more: Partial<StageContext> = {}): StageContext {
  return context({ agents, agentIndex, agent: agents[agentIndex] ?? '', ...more })
}

export interface RunSettings {
  readonly signal?: AbortSignal
  readonly delayMs?: number
  readonly onStarted?: (at: number) => void
  readonly onProgress?: (progress: StageProgress) => void
}

export async function runStage(
  engine: Engine,
  work: StageWork,
  stageContext = context(),
  settings: RunSettings = {},
): Promise<StageResult> {
  const stage = await engine.arm(work, stageContext)
  const { signal = new AbortController().signal, delayMs = 0, ...handlers } = settings
  return await stage.run({ startAt: now() + delayMs, signal, ...handlers })
}

/** Counts of one op over all size buckets. */
export function countOf(result: StageResult, name: WorkloadOp['op']): { count: number; bytes: number; errors: number } {
  let [count, bytes, errors] = [0, 0, 0]
  for (const stats of result.stats) {
    if (stats.op !== name) continue
    count += stats.count
    bytes += stats.bytes
    errors += stats.errors
  }
  return { count, bytes, errors }
}
