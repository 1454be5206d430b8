/** A stage that ends, failed, when an agent's own work on it takes longer than its plan allows (`timeout_secs`). */

import { type ArmedStage, now } from '../io/mod.ts'

/** Longer timers would end at once. */
const TIMER_MS_MAX = 2 ** 31 - 1

export function withTimeLimit(stage: ArmedStage, timeoutMs: number | null): ArmedStage {
  if (timeoutMs === null) return stage
  return {
    run: async (options) => {
      const limit = new AbortController()
      const untilStart = Math.max(0, options.startAt - now())
      const reason = `took longer than timeout_secs allows, ${timeoutMs / 1000} s`
      const timer = setTimeout(() => limit.abort(new Error(reason)), Math.min(untilStart + timeoutMs, TIMER_MS_MAX))
      try {
        const result = await stage.run({ ...options, signal: AbortSignal.any([options.signal, limit.signal]) })
        const wasEnded = limit.signal.aborted && !options.signal.aborted && result.status === 'failed'
        return wasEnded ? { ...result, code: 'STAGE_TIMED_OUT', reason } : result
      } finally {
        clearTimeout(timer)
      }
    },
  }
}
