/** What every lane has, and how it is driven. */

import { collectionsOf } from '../collections.ts'
import { type ContentKey, type ContentPools, contentKey } from '../content.ts'
import { codeOf, type IoErrorCode } from '../errors.ts'
import { OTHERS_BEGIN_MS } from '../limits.ts'
import type { Random } from '../random.ts'
import type { ObjectRef, Store } from '../stores/types.ts'
import { beUsual } from '../urgency.ts'
import { type Board, CONTROL, HEAD, type Recorder } from './board.ts'
import type { CollectionStores } from './choosers.ts'
import type { ErrorCounter } from './errors.ts'
import type { Job, LaneSeat } from './jobs.ts'
import type { OpRows } from './op-rows.ts'
import type { SharedWalks } from './shared-walk.ts'
import type { Timing } from './timing.ts'

/**
 * A lane's work as a coroutine: it yields `BEFORE_START`, and then only when a store answers with a promise, so that the same
 * code is a plain loop on a thread of its own and one of many lanes on a shared thread.
 */
export type LaneRun = Generator<Promise<number>, void, number>

/**
 * What a lane yields ahead of its start, as often as it is entered by then. V8 compiles a function that has run for long when
 * it is next entered, or left and entered once more: 15 ms by which the start would be late.
 */
export const BEFORE_START: readonly Promise<number>[] = [Promise.resolve(0), Promise.resolve(0)]

/** Enters a lane, up to its start. */
export function enter(lane: { run(): LaneRun }): LaneRun {
  const run = lane.run()
  for (const _ of BEFORE_START) run.next()
  return run
}

export interface LaneContext {
  readonly job: Job
  readonly seat: LaneSeat
  readonly board: Board
  readonly recorder: Recorder
  readonly control: Int32Array
  readonly cursors: Int32Array
  readonly errors: ErrorCounter
  readonly random: Random
  readonly pools: ContentPools
  /** Of the lanes that share its thread. */
  readonly walks: SharedWalks
  /** Null where operations are not logged. */
  readonly rows: OpRows | null
  /** True when the lane has a thread to itself and may block it. */
  readonly blocks: boolean
  readonly timing: Timing
  openStore(base: string): Store
  /** Stores that show the same objects by other hosts, and itself; complete once all choosers are made. */
  alternativesTo(store: Store): readonly Store[]
  warn(message: string): void
  /** The stage must fail; the first reason counts. `stop` also ends the work of all lanes. */
  fail(code: IoErrorCode, message: string, stop: boolean): void
}

export function isStopped(lane: LaneContext): boolean {
  return Atomics.load(lane.control, CONTROL.STOP) !== 0
}

/** Before each operation: true when there is to be none. Notes the moment when the first lane has ended. */
export function isOver(lane: LaneContext): boolean {
  if (Atomics.load(lane.control, CONTROL.DONE) !== 0) lane.recorder.noteFirstDone()
  return isStopped(lane)
}

/** `at`: engine's clock, ms. */
export function endLane(lane: LaneContext, at: number): void {
  lane.recorder.set(HEAD.ENDED_AT, at)
  Atomics.store(lane.control, CONTROL.DONE, 1)
  lane.recorder.noteFirstDone()
}

/**
 * After its first operation a lane that owns its thread lets others begin. Those that never wait for storage, where all agents
 * of a host together have more of them than it has cores, would otherwise begin one after another, each when the time slice
 * of the one before it is over (4 ms). From then on it is a usual thread.
 */
export function letOthersBegin({ blocks, control }: LaneContext): void {
  if (!blocks) return
  Atomics.wait(control, CONTROL.STOP, 0, OTHERS_BEGIN_MS)
  beUsual()
}

/** Runs a lane that owns its thread; `enter` was called. */
export function runBlocking(run: LaneRun): void {
  if (run.next().done !== true) throw new TypeError('A store of a blocking lane answered with a promise')
}

/** Runs a lane next to others; `enter` was called. */
export async function runShared(run: LaneRun): Promise<void> {
  let turn = run.next()
  while (turn.done !== true) {
    let answer: number
    try {
      answer = await turn.value
    } catch (error) {
      turn = run.throw(error)
      continue
    }
    turn = run.next(answer)
  }
}

export function storesOf(lane: LaneContext): CollectionStores[] {
  const { work, context } = lane.job
  const sets = 'prepared' in work ? work.prepared : work.objects
  return collectionsOf(sets, work.trees, work.sharing, context).map((collection, index) => ({
    collection,
    index,
    stores: collection.bases.map((base) => lane.openStore(base)),
  }))
}

export function keyOf(seed: number, store: Store, ref: ObjectRef): ContentKey {
  return contentKey(seed, store.base + ref.dir, ref.file)
}

export function isMissing(error: unknown): boolean {
  const code = codeOf(error)
  return code === 'ENOENT' || code === 'NOT_FOUND'
}

/**
 * Counts an operation on `ref` in `store` that went wrong. `bytes`: what it would have moved. No function is handed over
 * that knows these: a loop that makes one allocates with every turn.
 */
export function recordFailure(
  lane: LaneContext,
  failed: { readonly op: number; readonly name: string; readonly bytes: number; readonly measured: boolean },
  error: unknown,
  store: Store,
  ref: ObjectRef,
): void {
  // Cut off with the stage: that is no answer of the storage.
  if (codeOf(error) === 'CANCELLED') return
  if (failed.measured) lane.recorder.failure(failed.op, Math.max(0, failed.bytes))
  else lane.recorder.add(HEAD.WARM_ERRORS, 1)
  if (isMissing(error)) lane.recorder.add(HEAD.MISSING, 1)
  if (failed.measured && codeOf(error) === 'TIMED_OUT') lane.recorder.add(HEAD.TIMED_OUT, 1)
  lane.errors.add(failed.name, error, store, ref)
}
