/** One lane of a prepare: takes numbers from the agent's share and makes sure that those objects exist. */

import { monotonic } from '../clock.ts'
import { codeOf, describeOpError } from '../errors.ts'
import { creationShare, type Share, Shuffle, takenAtOnce } from '../shares.ts'
import { ObjectRef, type Store } from '../stores/types.ts'
import type { PrepareWork } from '../types.ts'
import { HEAD, OPS } from './board.ts'
import type { CollectionStores } from './choosers.ts'
import {
  BEFORE_START,
  endLane,
  isOver,
  isStopped,
  keyOf,
  type LaneContext,
  type LaneRun,
  letOthersBegin,
  recordFailure,
  storesOf,
} from './lane.ts'
import type { DoneOp } from './op-rows.ts'

/** Numbers that a lane takes at once, at most. */
const TAKEN_AT_ONCE = 16
/** Attempts at one object: what failed once may be a moment's trouble. */
const ATTEMPTS = 3
/** Errors that no repetition cures: the stage ends at once. */
const HOPELESS = new Set([
  'ENOSPC',
  'EDQUOT',
  'EROFS',
  'EACCES',
  'EPERM',
  'ENOTDIR',
  'EINVAL',
  'NOT_ALLOWED',
  'BAD_URI',
  'FORBIDDEN',
  'NO_SPACE',
  // What is put cannot be missing: its bucket is.
  'NOT_FOUND',
])
/** Failed objects in a row after which a lane gives up. */
const FAILURES_MAX = 50

const PUT = OPS.indexOf('put')

export class PrepareLane {
  readonly #lane: LaneContext
  readonly #work: PrepareWork
  readonly #stores: readonly CollectionStores[]
  readonly #share: Share
  readonly #shuffle: Shuffle | null
  readonly #ref = new ObjectRef()
  #failuresInARow = 0

  constructor(lane: LaneContext, work: PrepareWork) {
    this.#lane = lane
    this.#work = work
    this.#stores = storesOf(lane)
    const total = this.#stores.reduce((sum, { collection }) => sum + collection.count, 0)
    this.#share = creationShare(work.sharing, total, lane.job.context)
    // Filled ahead of the start.
    for (const { collection } of this.#stores) lane.pools.for(collection.data)
    this.#shuffle = work.strategy === 'parallel' ? new Shuffle(total) : null
  }

  *run(): LaneRun {
    yield* BEFORE_START
    const lane = this.#lane
    const { recorder, cursors } = lane
    const { toEngineClock } = lane.timing
    const started = monotonic.now() + toEngineClock
    recorder.set(HEAD.STARTED_AT, started)
    recorder.set(HEAD.MEASURED_AT, started)
    const { first, step, count } = this.#share
    const taken = takenAtOnce(count, lane.job.lanes, TAKEN_AT_ONCE)
    let isFirst = true
    while (!isStopped(lane)) {
      const from = Atomics.add(cursors, 0, 1) * taken
      if (from >= count) break
      const end = Math.min(count, from + taken)
      for (let turn = from; turn < end && !isOver(lane); turn++) {
        const position = first + turn * step
        const store = this.#point(this.#shuffle === null ? position : this.#shuffle.at(position))
        if (store !== null) yield* this.#ensure(store)
        if (isFirst) letOthersBegin(lane)
        isFirst = false
      }
    }
    endLane(lane, monotonic.now() + toEngineClock)
  }

  /** Points to an object by its position among all collections. */
  #point(position: number): Store | null {
    let number = position
    for (const { collection, index, stores } of this.#stores) {
      if (number < collection.count) {
        this.#ref.point(collection, index, number)
        this.#ref.size = collection.sizeOf(number)
        return stores[collection.baseOf(number)] ?? null
      }
      number -= collection.count
    }
    return null
  }

  *#ensure(store: Store): LaneRun {
    const { recorder } = this.#lane
    const { forceOverwrite, skipVerification } = this.#work
    if (!forceOverwrite && skipVerification) {
      recorder.add(HEAD.EXISTED, 1)
      return
    }
    if (!forceOverwrite) {
      try {
        const answer = store.stat(this.#ref)
        const size = typeof answer === 'number' ? answer : yield answer
        if (size === this.#ref.size) {
          recorder.add(HEAD.EXISTED, 1)
          return
        }
      } catch {
        // Missing, most likely; anything else happens to the put too, which says so.
      }
    }
    yield* this.#create(store)
  }

  *#create(store: Store): LaneRun {
    const lane = this.#lane
    const ref = this.#ref
    const { size } = ref
    for (let attempt = 1; ; attempt++) {
      const from = monotonic.now()
      try {
        const data = ref.collection?.data
        if (data === undefined) return
        const content = lane.pools.for(data).open(keyOf(lane.job.context.seed, store, ref))
        const answer = store.put(ref, size, content, null)
        const bytes = typeof answer === 'number' ? answer : yield answer
        const to = monotonic.now()
        lane.recorder.success(PUT, bytes, (to - from) * 1e6)
        this.#log(store, { from, to, answer: bytes, error: undefined })
        lane.recorder.add(HEAD.CREATED, 1)
        this.#failuresInARow = 0
        return
      } catch (error) {
        const hopeless = HOPELESS.has(codeOf(error))
        if (!hopeless && attempt < ATTEMPTS && !isStopped(lane)) continue
        this.#log(store, { from, to: monotonic.now(), answer: 0, error })
        this.#giveUp(store, error, hopeless)
        return
      }
    }
  }

  #log(store: Store, done: Pick<DoneOp, 'from' | 'to' | 'answer' | 'error'>): void {
    const { rows, seat } = this.#lane
    rows?.add({ ...done, lane: seat.index, op: 'put', store, ref: this.#ref, warm: false })
  }

  #giveUp(store: Store, error: unknown, hopeless: boolean): void {
    const ref = this.#ref
    const failed = { op: PUT, name: 'put', bytes: ref.size, measured: true }
    recordFailure(this.#lane, failed, error, store, ref)
    if (hopeless || ++this.#failuresInARow >= FAILURES_MAX) {
      const code = codeOf(error) === 'NOT_ALLOWED' ? 'NOT_ALLOWED' : 'PREPARE_INCOMPLETE'
      this.#lane.fail(code, describeOpError('put', store.describe(ref), error), true)
    }
  }
}
