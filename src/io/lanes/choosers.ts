/** How a lane chooses the next object of an op. */

import type { Collection, PutNames } from '../collections.ts'
import { putName } from '../collections.ts'
import { parsePattern } from '../glob.ts'
import { hashNumbers, type Random } from '../random.ts'
import { type NumberRange, rangeFor, type SelectionRule, Selector } from '../shares.ts'
import { drawSize } from '../sizes.ts'
import type { ObjectRef, Store } from '../stores/types.ts'
import type { SizeSpec, WorkloadOp } from '../types.ts'
import { splitName } from '../uri.ts'
import type { Listing, SourcePart } from './jobs.ts'

export interface Chooser {
  /** True when there may be more later, though there is nothing left now. */
  readonly refills?: boolean
  /** Points `ref` to the next object and returns its store; null when there is nothing left. */
  next(ref: ObjectRef): Store | null
}

export interface CollectionStores {
  readonly collection: Collection
  readonly index: number
  /** One per base. */
  readonly stores: readonly Store[]
}

interface Candidates {
  readonly from: CollectionStores
  readonly selector: Selector
  /** The selector chooses positions in here; null: numbers themselves. */
  readonly numbers: Uint32Array | null
  readonly count: number
}

/** Any object of some collections, by weight of their counts and by `path_selection`. */
export class CollectionChooser implements Chooser {
  readonly #candidates: readonly Candidates[]
  readonly #total: number
  readonly #random: Random
  readonly #sized: boolean

  constructor(options: {
    readonly parts: readonly SourcePart[]
    readonly stores: readonly CollectionStores[]
    readonly rule: SelectionRule
    readonly mixed: boolean
    readonly random: Random
    /** False when puts of other sizes may have replaced the objects. */
    readonly sized: boolean
  }) {
    this.#random = options.random
    this.#sized = options.sized
    this.#candidates = options.parts.flatMap(({ collection: index, numbers }) => {
      const from = options.stores[index]
      if (from === undefined) return []
      const range = rangeFor(numbers?.length ?? from.collection.count, 'read', options.mixed)
      const selector = new Selector(
        numbers === null ? from.collection : { run: 1 },
        range,
        options.rule,
        options.random,
      )
      return [{ from, selector, numbers, count: range.end - range.first }]
    })
    this.#total = this.#candidates.reduce((sum, { count }) => sum + count, 0)
  }

  get count(): number {
    return this.#total
  }

  next(ref: ObjectRef): Store | null {
    const chosen = this.#candidates.length === 1 ? this.#candidates[0] : this.#choose()
    if (chosen === undefined || chosen.count === 0) return null
    const { from, numbers } = chosen
    const position = chosen.selector.next()
    const number = numbers === null ? position : (numbers[position] as number)
    ref.point(from.collection, from.index, number)
    ref.size = this.#sized ? from.collection.sizeOf(number) : -1
    return from.stores[from.collection.baseOf(number)] ?? null
  }

  #choose(): Candidates | undefined {
    let left = this.#random.below(this.#total)
    for (const candidates of this.#candidates) {
      if (left < candidates.count) return candidates
      left -= candidates.count
    }
    return undefined
  }
}

/** Each object once: what deletes take. A counter is shared by the lanes, the objects are shared among the agents. */
export class ConsumingChooser implements Chooser {
  readonly #parts: readonly {
    readonly from: CollectionStores
    readonly numbers: Uint32Array | null
    readonly range: NumberRange
    /** Objects of this agent's share. */
    readonly count: number
  }[]
  readonly #rule: SelectionRule
  readonly #cursors: Int32Array
  readonly #cursor: number
  readonly #skip: number

  constructor(options: {
    readonly parts: readonly SourcePart[]
    readonly stores: readonly CollectionStores[]
    readonly rule: SelectionRule
    readonly mixed: boolean
    readonly cursors: Int32Array
    readonly cursor: number
    /** Consumed by earlier stages. */
    readonly skip: number
  }) {
    const { agentIndex, agents } = options.rule
    this.#rule = options.rule
    this.#cursors = options.cursors
    this.#cursor = options.cursor
    this.#skip = options.skip
    this.#parts = options.parts.flatMap(({ collection: index, numbers }) => {
      const from = options.stores[index]
      if (from === undefined) return []
      const range = rangeFor(numbers?.length ?? from.collection.count, 'delete', options.mixed)
      const count = Math.max(0, Math.ceil((range.end - range.first - agentIndex) / agents))
      return [{ from, numbers, range, count }]
    })
  }

  next(ref: ObjectRef): Store | null {
    let turn = Atomics.add(this.#cursors, this.#cursor, 1) + this.#skip
    for (const { from, numbers, range, count } of this.#parts) {
      if (turn >= count) {
        turn -= count
        continue
      }
      const position = range.first + this.#rule.agentIndex + turn * this.#rule.agents
      const number = numbers === null ? position : (numbers[position] ?? 0)
      ref.point(from.collection, from.index, number)
      ref.size = -1
      return from.stores[from.collection.baseOf(number)] ?? null
    }
    Atomics.sub(this.#cursors, this.#cursor, 1)
    return null
  }
}

/** Any object that a listing found; for deletes each one once. */
export class ListingChooser implements Chooser {
  readonly #count: number
  readonly #text: Buffer
  readonly #offsets: Uint32Array
  readonly #baseOf: Uint16Array
  readonly #stores: readonly Store[]
  readonly #random: Random
  readonly #take: { readonly cursors: Int32Array; readonly cursor: number } | null

  constructor(
    listing: Listing,
    stores: readonly Store[],
    random: Random,
    take: { readonly cursors: Int32Array; readonly cursor: number } | null,
  ) {
    this.#count = listing.count
    this.#text = Buffer.from(listing.text)
    this.#offsets = new Uint32Array(listing.offsets)
    this.#baseOf = new Uint16Array(listing.baseOf)
    this.#stores = stores
    this.#random = random
    this.#take = take
  }

  get count(): number {
    return this.#count
  }

  next(ref: ObjectRef): Store | null {
    const at =
      this.#take === null ? this.#random.below(this.#count) : Atomics.add(this.#take.cursors, this.#take.cursor, 1)
    if (at >= this.#count) return null
    const path = this.#text.toString('utf8', this.#offsets[at], this.#offsets[at + 1])
    const cut = path.lastIndexOf('/') + 1
    ref.name(path.slice(0, cut), path.slice(cut))
    ref.size = -1
    return this.#stores[this.#baseOf[at] ?? 0] ?? null
  }
}

/** New names in the folders of a put; endpoints take turns. */
export class FreshChooser implements Chooser {
  readonly #stores: readonly Store[]
  readonly #prefixes: readonly string[]
  readonly #names: PutNames
  readonly #sequence: number
  readonly #lane: number
  readonly #shards: number
  #made = 0
  #removed = 0

  constructor(
    op: WorkloadOp,
    open: (base: string) => Store,
    options: { readonly names: PutNames; readonly sequence: number; readonly lane: number },
  ) {
    const places = op.uris.map(putPlace)
    this.#stores = places.map(({ base }) => open(base))
    this.#prefixes = places.map(({ prefix }) => prefix)
    this.#names = options.names
    this.#sequence = options.sequence
    this.#lane = options.lane
    this.#shards = op.prefixShards ?? 1
  }

  next(ref: ObjectRef): Store | null {
    return this.#point(ref, this.#made++)
  }

  /** The oldest object that this lane made and did not remove yet. */
  nextToRemove(ref: ObjectRef): Store | null {
    return this.#removed < this.#made ? this.#point(ref, this.#removed++) : null
  }

  /** Objects that this lane made and did not remove yet. */
  get count(): number {
    return this.#made - this.#removed
  }

  /** One of them, by its position. */
  at(ref: ObjectRef, position: number): Store | null {
    return this.#point(ref, this.#removed + position)
  }

  #point(ref: ObjectRef, counter: number): Store | null {
    const endpoint = (this.#lane + counter) % this.#stores.length
    const name = putName(this.#names, this.#sequence, this.#lane, counter)
    const shard = this.#shards > 1 ? `${(counter % this.#shards).toString(16).padStart(2, '0')}/` : ''
    ref.name(shard, (this.#prefixes[endpoint] ?? '') + name)
    ref.size = -1
    return this.#stores[endpoint] ?? null
  }
}

/** `dynamic_put_pool`: any object of the plan, or of those that the same lane has put meanwhile, all equally likely. */
export class GrowingChooser implements Chooser {
  readonly #known: Chooser & { readonly count: number }
  readonly #own: readonly FreshChooser[]
  readonly #random: Random

  constructor(known: Chooser & { readonly count: number }, own: readonly FreshChooser[], random: Random) {
    this.#known = known
    this.#own = own
    this.#random = random
  }

  next(ref: ObjectRef): Store | null {
    let total = this.#known.count
    for (const { count } of this.#own) total += count
    let at = this.#random.below(total)
    for (const own of this.#own) {
      if (at < own.count) return own.at(ref, at)
      at -= own.count
    }
    return this.#known.next(ref)
  }
}

/** `data/` puts `data/obj_…`; `data/new-` and `data/new-*` put `data/new-obj_…`. */
export function putPlace(uri: string): { readonly base: string; readonly prefix: string } {
  const wild = uri.search(/[*?]/)
  const [base, prefix] = splitName(wild === -1 ? uri : uri.slice(0, wild))
  return { base, prefix }
}

/** Folders of a list op take turns. */
export class FolderChooser implements Chooser {
  readonly #stores: readonly Store[]
  #turn: number

  constructor(op: WorkloadOp, open: (base: string) => Store, lane: number) {
    this.#stores = op.uris.map((uri) => open(parsePattern(uri).folder))
    this.#turn = lane
  }

  next(ref: ObjectRef): Store | null {
    ref.name('', '')
    ref.size = -1
    return this.#stores[this.#turn++ % this.#stores.length] ?? null
  }
}

/** Sizes of puts, drawn one after another. */
export class SizeDrawer {
  readonly #spec: SizeSpec
  readonly #random: Random

  constructor(spec: SizeSpec, random: Random) {
    this.#spec = spec
    this.#random = random
  }

  next(): number {
    return this.#spec.kind === 'fixed'
      ? this.#spec.bytes
      : drawSize(this.#spec, this.#random.fraction(), this.#random.fraction())
  }
}

/** Seed of one lane: other lanes, agents and stages choose otherwise, a repeated run chooses the same. */
export function laneSeed(seed: number, sequence: number, agentIndex: number, lane: number): number {
  return hashNumbers(seed, sequence, agentIndex, lane)
}
