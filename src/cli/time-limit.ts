/** A stage that ends, failed, when an agent's own work on it takes longer than its plan allows (`timeout_secs`). */

import { type ArmedStage, now, sleep } from '../io/mod.ts'

export function withTimeLimit(stage: ArmedStage, timeoutMs: number | null): ArmedStage {
  if (timeoutMs === null) return stage
  return {
    run: async (options) => {
      const limit = new AbortController()
      const ended = new AbortController()
      const untilStart = Math.max(0, options.startAt - now())
      const reason = `took longer than timeout_secs allows, ${timeoutMs / 1000} s`
      const onTimeout = () => limit.abort(new Error(reason))
      void sleep(untilStart + timeoutMs, ended.signal).then(onTimeout, () => {})
      try {
        const result = await stage.run({ ...options, signal: AbortSignal.any([options.signal, limit.signal]) })
        const wasEnded = limit.signal.aborted && !options.signal.aborted && result.status === 'failed'
        return wasEnded ? { ...result, code: 'STAGE_TIMED_OUT', reason } : result
      } finally {
        ended.abort()
      }
    },
  }
}
