/**
 * A thread that waits for the start of a stage as a lane of the engine does (`waitFor` in src/io/lanes/thread.ts), notes
 * when it begins, and then has nothing to do.
 */

import { once } from 'node:events'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { now } from './clock.ts'

/** Main thread: starts the thread. The function returned lets it wait until `at` and resolves to its start; host's clock. */
export async function openStarter(): Promise<(at: number) => Promise<number>> {
  const memory = new SharedArrayBuffer(16)
  const [startAt, go] = parts(memory)
  const worker = new Worker(new URL(import.meta.url), { workerData: memory })
  await once(worker, 'online')
  return async (at) => {
    const started = once(worker, 'message')
    startAt[0] = at
    Atomics.store(go, 0, 1)
    Atomics.notify(go, 0)
    const [startedAt] = await started
    return startedAt
  }
}

function parts(memory: SharedArrayBuffer): [startAt: Float64Array, go: Int32Array] {
  return [new Float64Array(memory, 0, 1), new Int32Array(memory, 8, 2)]
}

function serve(port: NonNullable<typeof parentPort>): void {
  const [startAt, go] = parts(workerData)
  for (;;) {
    Atomics.wait(go, 0, 0)
    Atomics.store(go, 0, 0)
    const at = startAt[0] ?? 0
    // Nobody wakes the second number.
    for (let left = at - now(); left > 0; left = at - now()) Atomics.wait(go, 1, 0, left)
    port.postMessage(now())
  }
}

if (!isMainThread && parentPort !== null) serve(parentPort)
