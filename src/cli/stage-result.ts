/** Small things about a stage's result that the agent needs. Pure. */

import type { StageResult } from '../io/mod.ts'
import { describeFailure } from './failure.ts'

/** A stage that could not even be started: the plan cannot be read here, or this node does not allow it. */
export function failedStage(error: unknown, now: number): StageResult {
  const { code, message } = describeFailure(error)
  return {
    status: 'failed',
    reason: message,
    code,
    startedAt: now,
    endedAt: now,
    seconds: 0,
    stats: [],
    warmup: { ops: 0, bytes: 0, errors: 0 },
    perf: [],
    objects: { created: 0, existed: 0, deleted: 0, missing: 0 },
    repeated: 0,
    firstLaneDoneSeconds: 0,
    lastLaneDoneSeconds: 0,
    cpu: { host: null, process: null },
    errorSamples: [],
    warnings: [],
    output: '',
    exitCode: null,
  }
}

export function sumStage(result: StageResult): { ops: number; bytes: number; errors: number } {
  let [ops, bytes, errors] = [0, 0, 0]
  for (const one of result.stats) {
    ops += one.count
    bytes += one.bytes
    errors += one.errors
  }
  return { ops, bytes, errors }
}
