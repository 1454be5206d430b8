/** One lane of a cleanup: deletes what prepare and put stages of this run named, and nothing else. */

import { monotonic, sleep } from '../clock.ts'
import { putNames } from '../collections.ts'
import { describeOpError, messageOf } from '../errors.ts'
import { hashText } from '../random.ts'
import { deletionShare, type Share, takenAtOnce } from '../shares.ts'
import { ObjectRef, type Store } from '../stores/types.ts'
import type { CleanupWork } from '../types.ts'
import { beUsual } from '../urgency.ts'
import { HEAD, OPS } from './board.ts'
import { type CollectionStores, putPlace } from './choosers.ts'
import {
  BEFORE_START,
  endLane,
  isMissing,
  isOver,
  isStopped,
  type LaneContext,
  type LaneRun,
  letOthersBegin,
  recordFailure,
  storesOf,
} from './lane.ts'

const TAKEN_AT_ONCE = 64
/** How often a lane looks whether the others of its thread are as far, ms. */
const MEET_MS = 5

const DELETE = OPS.indexOf('delete')

export class CleanupLane {
  readonly #lane: LaneContext
  readonly #work: CleanupWork
  readonly #stores: readonly CollectionStores[]
  readonly #share: Share
  readonly #ref = new ObjectRef()
  /** The next of the agent's share. */
  #turn = 0

  constructor(lane: LaneContext, work: CleanupWork) {
    this.#lane = lane
    this.#work = work
    this.#stores = storesOf(lane)
    const total = this.#stores.reduce((sum, { collection }) => sum + collection.count, 0)
    this.#share = deletionShare(work.sharing, total, lane.job.context)
  }

  *run(): LaneRun {
    yield* BEFORE_START
    const lane = this.#lane
    const { recorder } = lane
    const { toEngineClock } = lane.timing
    const started = monotonic.now() + toEngineClock
    recorder.set(HEAD.STARTED_AT, started)
    recorder.set(HEAD.MEASURED_AT, started)
    yield* this.#removePrepared()
    beUsual()
    const putUris = new Set(this.#work.putUris)
    for (const uri of putUris) {
      yield* this.#removePuts(uri)
      if (!lane.blocks && putUris.size > 1) yield* this.#meetOthers(uri)
    }
    endLane(lane, monotonic.now() + toEngineClock)
  }

  *#removePrepared(): LaneRun {
    const lane = this.#lane
    const { first, step, count } = this.#share
    const taken = takenAtOnce(count, lane.job.lanes, TAKEN_AT_ONCE)
    let isFirst = true
    while (!isStopped(lane)) {
      const from = Atomics.add(lane.cursors, 0, 1) * taken
      if (from >= count) return
      const end = Math.min(count, from + taken)
      for (this.#turn = from; this.#turn < end && !isOver(lane); ) {
        const rest = this.#removeSome(first, step, isFirst ? from + 1 : end)
        if (rest !== null) yield* rest
        if (isFirst) letOthersBegin(lane)
        isFirst = false
      }
    }
  }

  /** Objects up to the turn `end`, or up to one that is to be waited for: see `PrepareLane`. */
  #removeSome(first: number, step: number, end: number): LaneRun | null {
    while (this.#turn < end && !isOver(this.#lane)) {
      const store = this.#point(first + this.#turn++ * step)
      const rest = store === null ? null : this.#remove(store)
      if (rest !== null) return rest
    }
    return null
  }

  #point(position: number): Store | null {
    let number = position
    for (const { collection, index, stores } of this.#stores) {
      if (number < collection.count) {
        this.#ref.point(collection, index, number)
        return stores[collection.baseOf(number)] ?? null
      }
      number -= collection.count
    }
    return null
  }

  /** Returns what is left to do where the store is to be waited for. */
  #remove(store: Store): LaneRun | null {
    const from = monotonic.now()
    if (this.#work.mode === 'strict' && store.removesBlindly === true) return this.#lookAndRemove(store, from)
    try {
      const answer = store.remove(this.#ref)
      if (typeof answer !== 'number') return this.#removeLater(store, from, answer)
      this.#end(store, from)
    } catch (error) {
      this.#fail(store, from, error)
    }
    return null
  }

  *#removeLater(store: Store, from: number, given: Promise<number>): LaneRun {
    try {
      yield given
      this.#end(store, from)
    } catch (error) {
      this.#fail(store, from, error)
    }
  }

  /** The look fails where nothing is. It is no part of the latency, but of a failure's. */
  *#lookAndRemove(store: Store, lookedAt: number): LaneRun {
    let from = lookedAt
    try {
      const size = store.stat(this.#ref)
      if (typeof size !== 'number') yield size
      from = monotonic.now()
      const answer = store.remove(this.#ref)
      if (typeof answer !== 'number') yield answer
      this.#end(store, from)
    } catch (error) {
      this.#fail(store, from, error)
    }
  }

  #end(store: Store, from: number): void {
    const { recorder } = this.#lane
    const to = monotonic.now()
    recorder.success(DELETE, 0, (to - from) * 1e6)
    recorder.add(HEAD.DELETED, 1)
    this.#log('delete', store, from, to, undefined)
  }

  #fail(store: Store, from: number, error: unknown): void {
    this.#log('delete', store, from, monotonic.now(), error)
    if (isMissing(error) && this.#work.mode !== 'strict') this.#lane.recorder.add(HEAD.MISSING, 1)
    else this.#report('delete', store, error)
  }

  /** Every thread lists the folder and takes the names that fall to it: nothing has to be remembered. */
  *#removePuts(uri: string): LaneRun {
    const lane = this.#lane
    const { base, prefix } = putPlace(uri)
    const store = lane.openStore(base)
    const from = monotonic.now()
    try {
      if (lane.blocks) {
        const walk = store.walk('')
        if (Symbol.iterator in walk) for (const batch of walk) yield* this.#removeOwn(store, prefix, batch)
        return
      }
      while (!isStopped(lane)) {
        let names: readonly string[] | null = null
        yield lane.walks
          .next(uri, () => eventually(store.walk('')))
          .then((next) => {
            names = next
            return 0
          })
        if (names === null) return
        yield* this.#removeOwn(store, prefix, names)
      }
    } catch (error) {
      this.#ref.name('', '')
      if (isMissing(error)) return
      this.#log('list', store, from, monotonic.now(), error)
      this.#report('list', store, error)
    }
  }

  /** The next place may show the same objects by another host: what was listed here must be gone by then. */
  *#meetOthers(uri: string): LaneRun {
    const { walks, job } = this.#lane
    walks.end(uri)
    while (walks.endedBy(uri) < job.seats.length && !isStopped(this.#lane)) yield sleep(MEET_MS).then(() => 0)
  }

  *#removeOwn(store: Store, prefix: string, paths: readonly string[]): LaneRun {
    for (const path of paths) {
      if (isStopped(this.#lane)) return
      const cut = path.lastIndexOf('/') + 1
      const name = path.slice(cut)
      if (!this.#isOurs(name, prefix)) continue
      this.#ref.name(path.slice(0, cut), name)
      const rest = this.#remove(store)
      if (rest !== null) yield* rest
    }
  }

  /** Own objects, and those of agents that are gone: the ones that remain share them out. */
  #isOurs(name: string, prefix: string): boolean {
    const { seat, job } = this.#lane
    const { context, threads } = job
    const { runTag, agentTag } = putNames(context, context.agent)
    if (!name.startsWith(`${prefix}${runTag}_`)) return false
    const hash = hashText(name)
    if (hash % threads !== seat.index % threads) return false
    if (name.startsWith(`${prefix}${agentTag}_`)) return true
    const others = context.agents.filter((agent) => agent !== context.agent)
    if (others.some((agent) => name.startsWith(`${prefix}${putNames(context, agent).agentTag}_`))) return false
    if (this.#work.sharing === 'isolated') return true
    return Math.floor(hash / threads) % context.agents.length === context.agentIndex
  }

  #log(op: 'delete' | 'list', store: Store, from: number, to: number, error: unknown): void {
    const { rows, seat } = this.#lane
    if (rows === null) return
    rows.add({ lane: seat.index, op, store, ref: this.#ref, from, to, answer: 0, error, warm: false })
  }

  #report(op: 'delete' | 'list', store: Store, error: unknown): void {
    const ref = this.#ref
    const failed = { op: OPS.indexOf(op), name: op, bytes: 0, measured: true }
    recordFailure(this.#lane, failed, error, store, ref)
    if (this.#work.mode !== 'best_effort') {
      this.#lane.fail('CLEANUP_INCOMPLETE', describeOpError(op, store.describe(ref), error), false)
    }
  }
}

/** Of stores that answer at once: beside others, they are asked as if they did not. */
async function* eventually(
  batches: Iterable<readonly string[]> | AsyncIterable<readonly string[]>,
): AsyncIterable<readonly string[]> {
  yield* batches
}

/** Folders that prepare made for the objects: removed when they are empty, deepest first. Bases of the plan stay. */
export function removeFolders(lane: LaneContext): void {
  const dirs = new Map<Store, Set<string>>()
  const place = { dir: '', name: '' }
  for (const { collection, stores } of storesOf(lane)) {
    const { run, bases, logicalBases } = collection
    const end = Math.min(collection.count, FOLDERS_MAX * run)
    for (let number = 0; number < end; number += run) {
      const store = stores[collection.baseOf(number)]
      if (store === undefined) continue
      collection.locate(number, place)
      addWithParents(dirs, store, place.dir)
    }
    for (const [i, logical] of logicalBases.entries()) {
      const own = bases[i]?.slice(logical.length) ?? ''
      if (own !== '') addWithParents(dirs, lane.openStore(logical), own)
    }
  }
  for (const [store, names] of dirs) {
    const deepestFirst = [...names].sort((a, b) => b.length - a.length)
    for (const dir of deepestFirst) {
      try {
        store.removeFolder(dir)
      } catch (error) {
        lane.warn(`The empty folder ${store.base}${dir} could not be removed: ${messageOf(error)}`)
      }
    }
  }
}

/** More folders than this are left to those who made the tree that large. */
const FOLDERS_MAX = 200_000

function addWithParents(dirs: Map<Store, Set<string>>, store: Store, dir: string): void {
  const known = dirs.get(store) ?? new Set<string>()
  dirs.set(store, known)
  for (
    let rest = dir;
    rest !== '' && !known.has(rest);
    rest = rest.slice(0, rest.lastIndexOf('/', rest.length - 2) + 1)
  ) {
    known.add(rest)
  }
}
