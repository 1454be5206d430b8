/** One op of a workload in one lane. */

import type { ContentKey, ContentPool } from '../content.ts'
import type { ObjectRef, Store, Verify } from '../stores/types.ts'
import type { ExecuteWork, OpName, WorkloadOp } from '../types.ts'
import { LeastConnections } from './balance.ts'
import { OPS } from './board.ts'
import { type Chooser, SizeDrawer } from './choosers.ts'
import { keyOf, type LaneContext } from './lane.ts'

export class Action {
  readonly name: OpName
  /** Position in OPS. */
  readonly op: number
  readonly weight: number
  readonly isRanged: boolean
  readonly isGet: boolean
  readonly isDelete: boolean
  readonly #spec: WorkloadOp
  readonly #chooser: Chooser
  readonly #lane: LaneContext
  readonly #sizes: SizeDrawer | null
  readonly #verify: Verify | null
  #key: ContentKey = { name: 0, place: 0 }
  #pool: ContentPool | null = null
  #store: Store | null = null

  readonly #balance: LeastConnections | null

  constructor(spec: WorkloadOp, op: number, chooser: Chooser, lane: LaneContext, work: ExecuteWork) {
    // Texts that came by a message are compared letter by letter, this one is not.
    this.name = OPS[op] ?? spec.op
    this.op = op
    this.weight = spec.weight
    this.isRanged = spec.op === 'get' && spec.rangeBytes !== null
    this.isGet = spec.op === 'get'
    this.isDelete = spec.op === 'delete'
    this.#spec = spec
    this.#chooser = chooser
    this.#lane = lane
    this.#sizes = spec.op === 'put' && spec.size !== null ? new SizeDrawer(spec.size, lane.random) : null
    if (spec.op === 'put') this.#pool = lane.pools.for(spec.data)
    const isBalanced = work.endpointStrategy === 'least_connections' && spec.uris.length > 1
    this.#balance = isBalanced ? new LeastConnections(lane) : null
    this.#verify =
      work.verify && spec.op === 'get' ? (offset, data) => this.#pool?.verify(this.#key, offset, data) : null
  }

  get refills(): boolean {
    return this.#chooser.refills === true
  }

  /** Chooses an object. False when there is none left. */
  next(ref: ObjectRef): boolean {
    const store = this.#chooser.next(ref)
    this.#store = store === null || this.#balance === null ? store : this.#balance.choose(store)
    return store !== null
  }

  /** Where the object is that was chosen last. */
  get store(): Store {
    if (this.#store === null) throw new TypeError('No object was chosen')
    return this.#store
  }

  /** What counts as transferred. */
  movesBytes(answer: number): number {
    return this.isGet || this.name === 'put' ? answer : 0
  }

  /** Does it to the object chosen. */
  perform(ref: ObjectRef): number | Promise<number> {
    const { store } = this
    switch (this.name) {
      case 'get':
        return this.#get(store, ref)
      case 'put':
        return this.#put(store, ref)
      case 'stat':
        return store.stat(ref)
      case 'list':
        return store.list(ref.dir)
      case 'delete':
        return store.remove(ref)
    }
  }

  #get(store: Store, ref: ObjectRef): number | Promise<number> {
    const range = this.#spec.rangeBytes
    if (this.#verify !== null) {
      this.#key = keyOf(this.#lane.job.context.seed, store, ref)
      this.#pool = this.#lane.pools.for(ref.collection?.data ?? this.#spec.data)
    }
    if (range === null) return store.get(ref, this.#verify)
    if (ref.size >= 0) return this.#getRange(store, ref, ref.size, range)
    // Where the size is not known from the plan, it is asked for first; the latency says so.
    const size = store.stat(ref)
    if (typeof size === 'number') return this.#getRange(store, ref, size, range)
    return size.then((bytes) => this.#getRange(store, ref, bytes, range))
  }

  #getRange(store: Store, ref: ObjectRef, size: number, range: number): number | Promise<number> {
    const places = Math.floor(size / range)
    const offset = places > 1 ? this.#lane.random.below(places) * range : 0
    return store.getRange(ref, offset, Math.min(range, size), this.#verify)
  }

  #put(store: Store, ref: ObjectRef): number | Promise<number> {
    const size = this.#sizes?.next() ?? 0
    const key = keyOf(this.#lane.job.context.seed, store, ref)
    const pool = this.#pool
    if (pool === null) throw new TypeError('A put has no content')
    return store.put(ref, size, pool.open(key), this.#spec.partBytes)
  }
}
