/**
 * A thread that waits for the start of a stage as a lane of the engine does (`waitFor` in src/io/lanes/thread.ts), notes
 * when it begins, and then has nothing to do. As with a lane, nobody is told: the main thread looks for itself, later.
 */

import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { isMainThread, Worker, workerData } from 'node:worker_threads'
import { QUIET_AFTER_START_MS } from '../../src/io/limits.ts'
import { beUrgent, beUsual, takeShortTurns } from '../../src/io/urgency.ts'
import { now } from './clock.ts'

/** Main thread: starts the thread. The function returned lets it wait until `at` and resolves to its start; host's clock. */
export async function openStarter(): Promise<(at: number) => Promise<number>> {
  const memory = new SharedArrayBuffer(24)
  const { times, signals } = parts(memory)
  const worker = new Worker(new URL(import.meta.url), { workerData: memory })
  await once(worker, 'online')
  return async (at) => {
    times[0] = at
    times[1] = 0
    Atomics.store(signals, 0, 1)
    Atomics.notify(signals, 0)
    do await sleep(Math.max(0, at - now()) + QUIET_AFTER_START_MS)
    while (times[1] === 0)
    return times[1]
  }
}

/** Two times (when to start, when it started) and two signals (go; one that nobody gives). */
function parts(memory: SharedArrayBuffer): { readonly times: Float64Array; readonly signals: Int32Array } {
  return { times: new Float64Array(memory, 0, 2), signals: new Int32Array(memory, 16, 2) }
}

function serve(): void {
  const { times, signals } = parts(workerData)
  for (;;) {
    Atomics.wait(signals, 0, 0)
    Atomics.store(signals, 0, 0)
    const at = times[0] ?? 0
    beUrgent()
    for (let left = at - now(); left > 0; left = at - now()) Atomics.wait(signals, 1, 0, left)
    takeShortTurns()
    const startedAt = now()
    beUsual()
    times[1] = startedAt
  }
}

if (!isMainThread) serve()
