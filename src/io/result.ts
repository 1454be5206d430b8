/** Results of stages that do or do not have figures. Pure. */

import { codeOf, messageOf } from './errors.ts'
import type { Measuring, StageResult } from './types.ts'

const REASON_CHARS_MAX = 2000

const NOTHING_MEASURED: Measuring = {
  latencyFrom: 'start',
  clockReadNs: 0,
  lanes: 0,
  busyShare: 0,
  laneOpsMin: 0,
  laneOpsMax: 0,
  lagMs: 0,
  timedOut: 0,
  stalledMs: 0,
  firstDone: { ops: 0, bytes: 0 },
}

/** A result without figures. */
export function plainResult(times: { readonly startedAt: number; readonly endedAt: number }): StageResult {
  const { startedAt, endedAt } = times
  return {
    status: 'ok',
    reason: '',
    code: '',
    startedAt,
    endedAt,
    seconds: Math.max(0, endedAt - startedAt) / 1000,
    stats: [],
    warmup: { ops: 0, bytes: 0, errors: 0 },
    perf: [],
    objects: { created: 0, existed: 0, deleted: 0, missing: 0 },
    repeated: 0,
    firstLaneDoneSeconds: 0,
    lastLaneDoneSeconds: 0,
    measuring: NOTHING_MEASURED,
    cpu: { host: null, process: null },
    errorSamples: [],
    warnings: [],
    limits: [],
    output: '',
    exitCode: null,
  }
}

/** The same result as a failed one; what was measured stays. A reason that it already has comes first. */
export function failResult(result: StageResult, error: unknown): StageResult {
  if (result.status === 'failed') return result
  const code = codeOf(error)
  return {
    ...result,
    status: 'failed',
    code: code === '' ? 'FAILED' : code,
    reason: messageOf(error).slice(0, REASON_CHARS_MAX),
  }
}
