/** Decides where the ops of a workload take their objects from. Lists only what no prepare names. */

import { type Collection, collectionsOf, FlatSet } from './collections.ts'
import { IoError } from './errors.ts'
import { type Pattern, parsePattern } from './glob.ts'
import type { Source, SourcePart } from './lanes/jobs.ts'
import type { ExecuteWork, StageContext, WorkloadOp } from './types.ts'

/** Names of a collection that are tried to see whether a pattern takes all of them. */
const SAMPLES = 64
/** Collections above this are matched as a whole or not at all. */
const MATCHED_ONE_BY_ONE_MAX = 5_000_000

export interface SourcePlan {
  readonly collections: readonly Collection[]
  readonly sources: readonly Source[]
  /** Patterns to be listed before the start, one list of endpoint URIs for each `listing` of the sources. */
  readonly toList: readonly (readonly string[])[]
}

/** `overwritten`: ids of collections whose objects an earlier stage may have replaced by others of any size. */
export function planSources(work: ExecuteWork, context: StageContext, overwritten: ReadonlySet<string>): SourcePlan {
  const collections = collectionsOf(work.prepared, work.trees, work.sharing, context)
  const matched = work.ops.map((op) => (op.op === 'list' ? [] : matchOp(op, collections)))
  const readSomewhere = new Set<number>()
  const deletedSomewhere = new Set<number>()
  const replaced = new Set<number>()
  for (const [position, op] of work.ops.entries()) {
    for (const { collection } of matched[position] ?? []) {
      if (op.op === 'delete') deletedSomewhere.add(collection)
      else readSomewhere.add(collection)
      if (op.op === 'put') replaced.add(collection)
    }
  }
  const toList: (readonly string[])[] = []
  const sources = work.ops.map((op, position): Source => {
    const parts = matched[position] ?? []
    if (op.op === 'list') return { kind: 'folders' }
    if (parts.length > 0) {
      const mixed = parts.some(({ collection: c }) => readSomewhere.has(c) && deletedSomewhere.has(c))
      const sized = parts.every(({ collection: c }) => !replaced.has(c) && !overwritten.has(collections[c]?.id ?? ''))
      return { kind: 'collections', parts, mixed, sized }
    }
    if (op.op === 'put') return { kind: 'fresh' }
    if (op.uris.every((uri) => uri.startsWith('null:'))) return { kind: 'fresh' }
    toList.push(op.uris)
    return { kind: 'listing', listing: toList.length - 1 }
  })
  return { collections, sources, toList }
}

function matchOp(op: WorkloadOp, collections: readonly Collection[]): SourcePart[] {
  const patterns = op.uris.map(parsePattern)
  return collections.flatMap((collection, index) => {
    // New objects are put beside prepared ones; only trees are written into, as their users expect.
    if (op.op === 'put' && (collection instanceof FlatSet || !op.uris.every((uri) => uri.endsWith('/')))) return []
    const numbers = matchCollection(collection, patterns)
    return numbers === 'none' ? [] : [{ collection: index, numbers: numbers === 'all' ? null : numbers }]
  })
}

function matchCollection(collection: Collection, patterns: readonly Pattern[]): 'all' | 'none' | Uint32Array {
  if (!mayMatch(collection, patterns)) return 'none'
  const { count } = collection
  const matches = matcherOf(collection, patterns)
  let hits = 0
  let tried = 0
  for (let i = 0; i < SAMPLES; i++, tried++) {
    if (matches(Math.floor((i * (count - 1)) / (SAMPLES - 1)))) hits++
  }
  if (hits === tried) return 'all'
  if (count > MATCHED_ONE_BY_ONE_MAX) return hits > 0 ? 'all' : 'none'
  const numbers: number[] = []
  for (let number = 0; number < count; number++) if (matches(number)) numbers.push(number)
  if (numbers.length === 0) return 'none'
  return numbers.length === count ? 'all' : Uint32Array.from(numbers)
}

/** Cheap: a pattern's folder must be above, or below, one of the collection's bases. */
function mayMatch(collection: Collection, patterns: readonly Pattern[]): boolean {
  return collection.logicalBases.some((base) =>
    patterns.some(({ folder }) => base.startsWith(folder) || folder.startsWith(base)),
  )
}

/** Names are compared without the folder that isolates an agent, and on any endpoint. */
function matcherOf(collection: Collection, patterns: readonly Pattern[]): (number: number) => boolean {
  const place = { dir: '', name: '' }
  return (number) => {
    collection.locate(number, place)
    const below = place.dir + place.name
    return collection.logicalBases.some((base) =>
      patterns.some(
        ({ folder, rest }) => (base + below).startsWith(folder) && rest.test((base + below).slice(folder.length)),
      ),
    )
  }
}

/** Throws IoError NO_OBJECTS: the stage could only measure errors. */
export function failEmpty(op: WorkloadOp): never {
  const where = op.uris.join(', ')
  const hint = 'run a prepare stage that creates them, or correct the path'
  throw new IoError('NO_OBJECTS', `${op.op} has no objects: nothing matches ${where}: ${hint}`)
}
