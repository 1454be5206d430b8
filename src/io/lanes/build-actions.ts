/** The ops of a lane, and what each takes its objects from: what prepare made, a listing, or what the lane itself puts. */

import { putNames } from '../collections.ts'
import { parsePattern } from '../glob.ts'
import type { SelectionRule } from '../shares.ts'
import type { ObjectRef, Store } from '../stores/types.ts'
import type { ExecuteWork, WorkloadOp } from '../types.ts'
import { Action } from './action.ts'
import { OPS } from './board.ts'
import {
  type Chooser,
  CollectionChooser,
  type CollectionStores,
  ConsumingChooser,
  FolderChooser,
  FreshChooser,
  GrowingChooser,
  ListingChooser,
  putPlace,
} from './choosers.ts'
import { type LaneContext, storesOf } from './lane.ts'

const DEFAULT_OVERLAP = 0.3

export function buildActions(lane: LaneContext, work: ExecuteWork): Action[] {
  const stores = storesOf(lane)
  const fresh = new Map<number, FreshChooser>()
  return lane.seat.ops.flatMap((position) => {
    const op = work.ops[position]
    if (op === undefined || op.weight <= 0) return []
    const chooser = buildChooser(lane, work, stores, position, op, fresh)
    return [new Action(op, OPS.indexOf(op.op), chooser, lane, work)]
  })
}

function buildChooser(
  lane: LaneContext,
  work: ExecuteWork,
  stores: readonly CollectionStores[],
  position: number,
  op: WorkloadOp,
  fresh: Map<number, FreshChooser>,
): Chooser {
  const { job, random, cursors } = lane
  const source = job.sources[position]
  const rule = ruleOf(lane, work)
  const open = (base: string): Store => lane.openStore(base)
  const grow = (known: CollectionChooser | ListingChooser): Chooser => {
    const own = work.dynamicPutPool === true && op.op !== 'put' ? ownPutsFor(op, lane, work, fresh) : []
    return own.length === 0 ? known : new GrowingChooser(known, own, random)
  }
  if (op.op === 'put' && source?.kind !== 'collections') return freshOf(lane, work, position, fresh)
  if (source?.kind === 'collections') {
    const { parts, mixed, sized } = source
    if (op.op !== 'delete') return grow(new CollectionChooser({ parts, stores, rule, mixed, random, sized }))
    const skip = job.consumed[consumedKey(source.parts, stores)] ?? 0
    const consuming = new ConsumingChooser({ parts, stores, rule, mixed, cursors, cursor: position, skip })
    return new ChainedChooser(consuming, ownPutsFor(op, lane, work, fresh))
  }
  if (source?.kind === 'listing') {
    const listing = job.listings[source.listing]
    if (listing === undefined) throw new RangeError(`Listing ${source.listing} is missing`)
    const take = op.op === 'delete' ? { cursors, cursor: position } : null
    const listed = new ListingChooser(listing, listing.bases.map(open), random, take)
    return take === null ? grow(listed) : new ChainedChooser(listed, ownPutsFor(op, lane, work, fresh))
  }
  return new FolderChooser(op, open, lane.seat.index)
}

function consumedKey(parts: readonly { collection: number }[], stores: readonly CollectionStores[]): string {
  return parts.map(({ collection }) => stores[collection]?.collection.id ?? '').join('\n')
}

function freshOf(
  lane: LaneContext,
  work: ExecuteWork,
  position: number,
  fresh: Map<number, FreshChooser>,
): FreshChooser {
  const known = fresh.get(position)
  if (known !== undefined) return known
  const op = work.ops[position]
  if (op === undefined) throw new RangeError(`Op ${position} is missing`)
  const { context } = lane.job
  // A lane number of its own for each op: two puts into one folder must not meet.
  const laneNumber = lane.seat.index * work.ops.length + position
  const names = putNames(context, context.agent)
  const made = new FreshChooser(op, (base) => lane.openStore(base), {
    names,
    sequence: context.sequence,
    lane: laneNumber,
  })
  fresh.set(position, made)
  return made
}

/** Puts of this lane into places that an op's pattern covers: they feed it. */
function ownPutsFor(
  op: WorkloadOp,
  lane: LaneContext,
  work: ExecuteWork,
  fresh: Map<number, FreshChooser>,
): FreshChooser[] {
  const patterns = op.uris.map(parsePattern)
  return lane.seat.ops.flatMap((position) => {
    const put = work.ops[position]
    if (put === undefined || put.op !== 'put' || lane.job.sources[position]?.kind === 'collections') return []
    const covered = put.uris.some((uri) => {
      const { base, prefix } = putPlace(uri)
      const example = `${base}${prefix}obj_0`
      return patterns.some(({ folder, rest }) => example.startsWith(folder) && rest.test(example.slice(folder.length)))
    })
    return covered ? [freshOf(lane, work, position, fresh)] : []
  })
}

/** First what is there, then what the lane itself has put. */
class ChainedChooser implements Chooser {
  readonly refills: boolean
  readonly #first: Chooser
  readonly #own: readonly FreshChooser[]

  constructor(first: Chooser, own: readonly FreshChooser[]) {
    this.#first = first
    this.#own = own
    this.refills = own.length > 0
  }

  next(ref: ObjectRef): Store | null {
    const store = this.#first.next(ref)
    if (store !== null) return store
    for (const own of this.#own) {
      const made = own.nextToRemove(ref)
      if (made !== null) return made
    }
    return null
  }
}

function ruleOf(lane: LaneContext, work: ExecuteWork): SelectionRule {
  const { agents, agentIndex } = lane.job.context
  const alone = work.sharing === 'isolated'
  return {
    selection: work.pathSelection,
    overlap: work.partitionOverlap ?? DEFAULT_OVERLAP,
    agentIndex: alone ? 0 : agentIndex,
    agents: alone ? 1 : agents.length,
  }
}
