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
  /** The next of the agent's share. */
  #turn = 0
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
      for (this.#turn = from; this.#turn < end && !isOver(lane); ) {
        const rest = this.#doSome(first, step, isFirst ? from + 1 : end)
        if (rest !== null) yield* rest
        if (isFirst) letOthersBegin(lane)
        isFirst = false
      }
    }
    endLane(lane, monotonic.now() + toEngineClock)
  }

  /**
   * Objects up to the turn `end`, or up to one that is to be waited for: what is left to do with it is returned. A plain loop, which
   * takes an object half a microsecond less than steps of a coroutine.
   */
  #doSome(first: number, step: number, end: number): LaneRun | null {
    while (this.#turn < end && !isOver(this.#lane)) {
      const position = first + this.#turn++ * step
      const store = this.#point(this.#shuffle === null ? position : this.#shuffle.at(position))
      const rest = store === null ? null : this.#ensure(store)
      if (rest !== null) return rest
    }
    return null
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

  /** Makes sure that the object exists. Returns what is left to do where the store is to be waited for. */
  #ensure(store: Store): LaneRun | null {
    const { forceOverwrite, skipVerification } = this.#work
    if (forceOverwrite) return this.#create(store, 1)
    if (skipVerification) {
      this.#noteExisting()
      return null
    }
    try {
      const answer = store.stat(this.#ref)
      if (typeof answer !== 'number') return this.#ensureLater(store, answer)
      if (answer === this.#ref.size) {
        this.#noteExisting()
        return null
      }
    } catch {
      // Missing, most likely; anything else happens to the put too, which says so.
    }
    return this.#create(store, 1)
  }

  *#ensureLater(store: Store, given: Promise<number>): LaneRun {
    try {
      if ((yield given) === this.#ref.size) {
        this.#noteExisting()
        return
      }
    } catch {
      // As above.
    }
    const rest = this.#create(store, 1)
    if (rest !== null) yield* rest
  }

  #noteExisting(): void {
    this.#lane.recorder.add(HEAD.EXISTED, 1)
  }

  #create(store: Store, firstAttempt: number): LaneRun | null {
    for (let attempt = firstAttempt; ; attempt++) {
      const from = monotonic.now()
      try {
        const answer = this.#put(store)
        if (typeof answer !== 'number') return this.#createLater(store, answer, from, attempt)
        this.#end(store, from, answer)
        return null
      } catch (error) {
        if (!this.#mayRepeat(store, error, from, attempt)) return null
      }
    }
  }

  *#createLater(store: Store, given: Promise<number>, from: number, attempt: number): LaneRun {
    try {
      this.#end(store, from, yield given)
    } catch (error) {
      const rest = this.#mayRepeat(store, error, from, attempt) ? this.#create(store, attempt + 1) : null
      if (rest !== null) yield* rest
    }
  }

  #put(store: Store): number | Promise<number> {
    const { pools, job } = this.#lane
    const ref = this.#ref
    if (ref.collection === null) throw new TypeError('No object was chosen')
    const content = pools.for(ref.collection.data).open(keyOf(job.context.seed, store, ref))
    return store.put(ref, ref.size, content, null)
  }

  #end(store: Store, from: number, bytes: number): void {
    const { recorder } = this.#lane
    const to = monotonic.now()
    recorder.success(PUT, bytes, (to - from) * 1e6)
    this.#log(store, from, to, bytes, undefined)
    recorder.add(HEAD.CREATED, 1)
    this.#failuresInARow = 0
  }

  /** After a failed attempt: the last one is counted. */
  #mayRepeat(store: Store, error: unknown, from: number, attempt: number): boolean {
    const hopeless = HOPELESS.has(codeOf(error))
    if (!hopeless && attempt < ATTEMPTS && !isStopped(this.#lane)) return true
    this.#log(store, from, monotonic.now(), 0, error)
    this.#giveUp(store, error, hopeless)
    return false
  }

  #log(store: Store, from: number, to: number, answer: number, error: unknown): void {
    const { rows, seat } = this.#lane
    if (rows === null) return
    rows.add({ lane: seat.index, op: 'put', store, ref: this.#ref, from, to, answer, error, warm: false })
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
