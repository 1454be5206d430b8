/** One clock for stage times: monotonic, in milliseconds since the epoch, fractional. */

import { bestClock } from './stores/best-calls.ts'

/** A longer timer of the runtimes ends at once. */
const TIMER_MS_MAX = 2 ** 31 - 1

/** For code that looks at the clock with every operation: on Node the global is an accessor, this is not. */
export const monotonic: { now(): number } = bestClock()

/** Milliseconds since the epoch. Never goes back, unlike the wall clock; both may drift apart over days. */
export function now(): number {
  return performance.timeOrigin + performance.now()
}

/** Resolves after `ms`, be it months; rejects with the signal's reason when aborted. */
export async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  let left = ms
  for (; left > TIMER_MS_MAX; left -= TIMER_MS_MAX) await pause(TIMER_MS_MAX, signal)
  await pause(left, signal)
}

async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted()
  await new Promise<void>((resolve, reject) => {
    const onAbort = (): void => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    }, ms)
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}
