/** Works with all fields, for tests and for what they start. */

import type {
  CleanupWork,
  CustomWork,
  DataSpec,
  ExecuteWork,
  ObjectSet,
  PrepareWork,
  StageContext,
  TreeSpec,
  ValidationWork,
  WorkloadOp,
} from '../../src/io/mod.ts'

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
    trees: [],
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
    trees: [],
    sharing: 'concurrent',
    endpointStrategy: 'round_robin',
    verify: false,
    opTimeoutMs: 60_000,
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
    trees: [],
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
  return { type: 'validation', targets: [{ uri, writes }], bytesNeeded, commands: [] }
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
