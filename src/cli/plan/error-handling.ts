/** `error_handling`: what a workload does when it meets errors. */

import type { ErrorLimitSpec, RetrySpec } from '../../io/mod.ts'
import type { WrittenErrorHandling } from './schema.ts'
import type { PlanSource } from './source.ts'

/** Keys that only repetitions use. */
const RETRY_KEYS = [
  'max_retries',
  'initial_retry_delay_ms',
  'max_retry_delay_ms',
  'retry_backoff_multiplier',
  'retry_jitter_factor',
] as const

export function errorLimitsOf(written: WrittenErrorHandling | undefined): ErrorLimitSpec | null {
  const { max_total_errors: total = null, error_rate_threshold: perSecond = null } = written ?? {}
  if (written === undefined || (total === null && perSecond === null)) return null
  return { total, perSecond, windowMs: written.error_rate_window * 1000, backoffMs: written.backoff_duration }
}

export function retriesOf(source: PlanSource, written: WrittenErrorHandling | undefined): RetrySpec | null {
  if (written === undefined) return null
  if (!written.retry_on_error) {
    for (const key of RETRY_KEYS) {
      const path = ['error_handling', key]
      if (source.has(path)) source.notice(path, 'not used: operations are repeated with retry_on_error: true only')
    }
    return null
  }
  return {
    max: written.max_retries,
    firstMs: written.initial_retry_delay_ms,
    factor: written.retry_backoff_multiplier,
    longestMs: written.max_retry_delay_ms,
    jitter: written.retry_jitter_factor,
  }
}
