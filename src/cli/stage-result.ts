/** Small things about a stage's result that the agent needs. Pure. */

import { plainResult, type StageResult } from '../io/mod.ts'
import { describeFailure } from './failure.ts'

/** A stage that could not even be started: the plan cannot be read here, or this node does not allow it. */
export function failedStage(error: unknown, now: number): StageResult {
  const { code, message } = describeFailure(error)
  return { ...plainResult({ startedAt: now, endedAt: now }), status: 'failed', reason: message, code }
}

/** Whether it was stopped in the middle of its work, from outside: what is there was measured until then. */
export function isPartial({ code }: StageResult): boolean {
  return code === 'CANCELLED'
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
