/** How long a lane waits before it does an operation again that failed. Pure. */

import type { Random } from '../random.ts'
import type { RetrySpec } from '../types.ts'

/** Milliseconds until the attempt after number `attempt`, counted from 1; null when there is none. */
export function retryPause(spec: RetrySpec, attempt: number, random: Random): number | null {
  if (attempt > spec.max) return null
  const spread = 1 + spec.jitter * (2 * random.fraction() - 1)
  // Finite, as nothing is a multiple of nothing.
  const growth = Math.min(spec.factor ** (attempt - 1), Number.MAX_VALUE)
  return Math.min(spec.longestMs, spec.firstMs * growth * spread)
}
