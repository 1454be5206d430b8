/** The start of a stage on a main thread. */

import { now, sleep } from './clock.ts'
import { OTHERS_BEGIN_MS } from './limits.ts'
import { beUrgent, beUsual, prepareUrgency } from './urgency.ts'

/** `setTimeout` may be this late under load; the rest is waited for precisely. Milliseconds. */
const COARSE_MARGIN_MS = 3

const never = new Int32Array(new SharedArrayBuffer(4))

/**
 * Due at `at`: resolves to the moment when it began, about 0.1 ms late, or at once when `at` is past. Agents of this host that
 * begin at the same moment do so before this one goes on. Rejects with the signal's reason when aborted.
 */
export async function beginAt(at: number, signal: AbortSignal): Promise<number> {
  signal.throwIfAborted()
  prepareUrgency()
  const left = at - now() - COARSE_MARGIN_MS
  if (left > 0) await sleep(left, signal)
  const began = beginUrgently(at)
  Atomics.wait(never, 0, 0, OTHERS_BEGIN_MS)
  return began
}

/** Blocks this thread until `at`. */
function beginUrgently(at: number): number {
  beUrgent()
  try {
    for (let left = at - now(); left > 0; left = at - now()) Atomics.wait(never, 0, 0, left)
    return Math.max(at, now())
  } finally {
    beUsual()
  }
}
