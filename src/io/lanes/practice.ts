/**
 * Before the first stage of a kind, a lane does some of the same work on nothing: V8 compiles what has run often, and the
 * first thousands of operations would be slow, and their latencies those of the engine rather than of the storage.
 */

import os from 'node:os'
import { largestOf } from '../sizes.ts'
import type { ObjectSet, SizeSpec, TreeSpec } from '../types.ts'
import { CONTROL } from './board.ts'
import type { Job, LaneWork } from './jobs.ts'

/** Operations by which V8 has compiled the code of a lane to its best, and how many are done between two looks at the clock. */
const OPERATIONS = 4000
const ROUND = 200
/**
 * A thread that gets no more done in this time, with waiting for its turn, is left as it is, ms. Sixteen of them need 1500 on two
 * cores that do nothing else. Less than what an agent waits for the next stage's lanes before it says that it is ready.
 */
const MS_MAX = 2000
/** Who has no turn by then practises beside the others: some is better than none, ms. */
const TURN_WITHIN_MS = 1500
/** Who waits for a turn looks so often whether its job is called off, ms. */
const LOOK_MS = 100
/** Time for V8's own threads, ms: what they compile is taken over when it is next called. */
const COMPILED_WITHIN_MS = 1
/** Of an object: the same code runs for larger ones. */
const BYTES_MAX = 16 * 1024

/** Operations a second of each lane where the real ones are paced: the code of pacing runs, and hardly waits. */
const PACE = 1_000_000

const practised = new Set<string>()

/**
 * Jobs to do in turn before `job`, none if this thread has had enough practice. They are on `job`'s first lane, and on
 * counters of their own.
 */
export function* practiceFor(job: Job): Iterable<Job> {
  const work = easier(job)
  if (work === null) return
  const kind = kindOf(job.work)
  if (practised.has(kind)) return
  practised.add(kind)
  const endAt = performance.now() + MS_MAX
  const shared = new Int32Array(job.control)
  awaitTurn(shared)
  try {
    yield* rounds(job, work, endAt, shared)
  } finally {
    endTurn(shared)
    if (isCalledOff(shared)) practised.delete(kind)
  }
}

function isCalledOff(control: Int32Array): boolean {
  return Atomics.load(control, CONTROL.STOP) !== 0
}

/**
 * As many threads practise at a time as there are cores: among more of them V8's own threads, which are few, would get too
 * little time to compile what was practised.
 */
function awaitTurn(control: Int32Array): void {
  const together = os.availableParallelism()
  const endAt = performance.now() + TURN_WITHIN_MS
  for (let left = TURN_WITHIN_MS; left > 0 && !isCalledOff(control); left = endAt - performance.now()) {
    const count = Atomics.load(control, CONTROL.PRACTISING)
    if (count >= together) Atomics.wait(control, CONTROL.PRACTISING, count, Math.min(left, LOOK_MS))
    else if (Atomics.compareExchange(control, CONTROL.PRACTISING, count, count + 1) === count) return
  }
  Atomics.add(control, CONTROL.PRACTISING, 1)
}

function endTurn(control: Int32Array): void {
  Atomics.sub(control, CONTROL.PRACTISING, 1)
  Atomics.notify(control, CONTROL.PRACTISING, 1)
}

/** Until `endAt`, or until the job that waits is called off. */
function* rounds(job: Job, work: LaneWork, endAt: number, shared: Int32Array): Iterable<Job> {
  const { agent } = job.context
  const easy = structuredClone({ work, context: { ...job.context, agents: [agent], agentIndex: 0 } })
  for (let done = 0; done < OPERATIONS && performance.now() < endAt; done += ROUND) {
    if (isCalledOff(shared)) return
    const control = new SharedArrayBuffer(4 * CONTROL.LENGTH)
    // As when another lane has ended: what is done then is compiled with the rest.
    if (done > 0) new Int32Array(control)[CONTROL.DONE] = 1
    const cursors = new SharedArrayBuffer(job.cursors.byteLength)
    yield alike(job, { ...easy, id: NO_ID, control, cursors, opLog: null })
    Atomics.wait(new Int32Array(control), CONTROL.STOP, 0, COMPILED_WITHIN_MS)
  }
}

/**
 * Like what came by a message, but for some changes. To V8 it has the same shape, as a clone has: code that was compiled for the
 * one is good for the other.
 */
export function alike<T extends object>(message: T, changes: Partial<T>): T {
  const copy: Partial<T> = {}
  for (const key in message) copy[key] = key in changes ? changes[key] : message[key]
  return copy as T
}

/** The engine knows no such job: what practice says of errors is not heard. */
const NO_ID = -1

/** Work of the same kind that ends after a round; null where there is none. */
function easier(job: Job): LaneWork | null {
  const { work } = job
  if (work.type === 'prepare' || work.type === 'cleanup') {
    const practice = { objects: work.objects.map(easySet), trees: work.trees.map(easyTree) }
    return work.type === 'prepare' ? { ...work, ...practice } : { ...work, ...practice, putUris: [] }
  }
  // What is not known by its size is read to its end, and the device has none; a list would be of real entries.
  const isKnown = job.sources.every(
    (source) => source.kind === 'fresh' || (source.kind === 'collections' && source.sized),
  )
  if (!isKnown) return null
  const ops = work.ops.map((op) => ({ ...op, size: op.size === null ? null : easySize(op.size) }))
  const rate = { ...work.rate, opsPerSecond: work.rate.opsPerSecond === null ? null : PACE * job.lanes }
  const prepared = work.prepared.map((set) => ({ ...set, size: easySize(set.size) }))
  const trees = work.trees.map((tree) => ({ ...tree, size: easySize(tree.size) }))
  return {
    ...work,
    ops,
    rate,
    prepared,
    trees,
    opsMax: ROUND,
    durationMs: null,
    warmupMs: 0,
    verify: false,
    errorLimits: null,
  }
}

function easySet(set: ObjectSet): ObjectSet {
  return { ...set, count: Math.min(set.count, ROUND), size: easySize(set.size) }
}

function easyTree(tree: TreeSpec): TreeSpec {
  return { ...tree, width: 1, depth: 1, filesPerDir: Math.min(tree.filesPerDir, ROUND), size: easySize(tree.size) }
}

function easySize(size: SizeSpec): SizeSpec {
  return largestOf(size) <= BYTES_MAX ? size : { kind: 'fixed', bytes: BYTES_MAX }
}

/** Work that runs the same code. */
function kindOf(work: LaneWork): string {
  if (!('ops' in work)) return work.type
  const ops = work.ops.map(({ op, rangeBytes }) => `${op} ${rangeBytes === null}`)
  return `${ops.join()} ${work.rate.opsPerSecond === null}`
}
