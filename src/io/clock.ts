/** One clock for stage times: monotonic, in milliseconds since the epoch, fractional. */

import { OTHERS_BEGIN_MS } from './limits.ts'

/** `setTimeout` may be this late under load; the rest is waited for precisely. Milliseconds. */
const COARSE_MARGIN_MS = 2
/** A longer timer of the runtimes ends at once. */
const TIMER_MS_MAX = 2 ** 31 - 1

const never = new Int32Array(new SharedArrayBuffer(4))

/** For code that looks at the clock with every operation: on Node the global is an accessor, this is not. */
export const monotonic: { now(): number } = performance

/** Milliseconds since the epoch. Never goes back, unlike the wall clock; both may drift apart over days. */
export function now(): number {
  return performance.timeOrigin + performance.now()
}

/** Blocks this thread until `at`; about 0.1 ms late. For lanes, and for the last milliseconds elsewhere. */
function blockUntil(at: number): void {
  for (let left = at - now(); left > 0; left = at - now()) Atomics.wait(never, 0, 0, left)
}

/**
 * The start of a stage on this thread, due at `at`: resolves to the moment when it began, about 0.1 ms late, or at once when
 * `at` is past. Agents of this host that begin at the same moment do so before this one goes on. Rejects with the signal's
 * reason when aborted.
 */
export async function beginAt(at: number, signal: AbortSignal): Promise<number> {
  signal.throwIfAborted()
  const left = at - now() - COARSE_MARGIN_MS
  if (left > 0) await sleep(left, signal)
  blockUntil(at)
  const began = Math.max(at, now())
  Atomics.wait(never, 0, 0, OTHERS_BEGIN_MS)
  return began
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
