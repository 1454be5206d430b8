/** Which objects are whose: shares of a prepare or cleanup, and the objects that a workload chooses from. Pure. */

import type { Collection } from './collections.ts'
import type { Random } from './random.ts'
import type { PathSelection, SharingMode, StageContext } from './types.ts'

/** Every `step`-th object from `first`: `count` of them. */
export interface Share {
  readonly first: number
  readonly step: number
  readonly count: number
}

/** Of `total` objects, those that this agent creates. Together the agents create each object once. */
export function creationShare(sharing: SharingMode, total: number, context: StageContext): Share {
  if (sharing === 'isolated') return { first: 0, step: 1, count: total }
  if (sharing === 'coordinator') return { first: 0, step: 1, count: context.agentIndex === 0 ? total : 0 }
  return everyNth(total, context)
}

/** Of `total` objects, those that this agent deletes: all delete, also what one of them created. */
export function deletionShare(sharing: SharingMode, total: number, context: StageContext): Share {
  return sharing === 'isolated' ? { first: 0, step: 1, count: total } : everyNth(total, context)
}

function everyNth(total: number, { agentIndex, agents }: StageContext): Share {
  return {
    first: agentIndex,
    step: agents.length,
    count: Math.max(0, Math.ceil((total - agentIndex) / agents.length)),
  }
}

/** Parts of a share that each lane has on average, so that none is left with much when the others are done. */
const PARTS_PER_LANE = 4

/** How much of a share of `count` a lane takes at once: `most`, less where all lanes would not have enough. */
export function takenAtOnce(count: number, lanes: number, most: number): number {
  return Math.max(1, Math.min(most, Math.floor(count / (lanes * PARTS_PER_LANE))))
}

/** Goes through 0..total-1 in an order that mixes what is far apart, without remembering where it was. */
export class Shuffle {
  readonly #total: number
  readonly #stride: number

  constructor(total: number) {
    this.#total = total
    // Products must stay exact.
    let stride = Math.max(1, Math.floor(Math.min(total * 0.6180339887, Number.MAX_SAFE_INTEGER / Math.max(1, total))))
    while (greatestCommonDivisor(stride, total) > 1) stride--
    this.#stride = stride
  }

  at(index: number): number {
    return (index * this.#stride) % this.#total
  }
}

function greatestCommonDivisor(a: number, b: number): number {
  let [x, y] = [a, b]
  while (y > 0) [x, y] = [y, x % y]
  return x
}

/** A run of object numbers of one collection: `first` <= number < `end`. */
export interface NumberRange {
  readonly first: number
  readonly end: number
}

/**
 * Deletes must not take what gets and stats need: when a stage does both on a collection, the upper half is there to be
 * deleted and the lower half to be read, on all agents alike.
 */
export function rangeFor(count: number, role: 'read' | 'delete', mixed: boolean): NumberRange {
  const half = mixed ? Math.ceil(count / 2) : role === 'read' ? count : 0
  return role === 'read' ? { first: 0, end: half } : { first: half, end: count }
}

export interface SelectionRule {
  readonly selection: PathSelection
  /** Share of choices outside of the own partition. */
  readonly overlap: number
  readonly agentIndex: number
  readonly agents: number
}

/** Chooses object numbers of a range as `path_selection` says. Objects of one folder belong to one partition. */
export class Selector {
  readonly #range: NumberRange
  readonly #run: number
  readonly #random: Random
  readonly #ownUnits: number
  readonly #firstUnit: number
  readonly #step: number
  readonly #foreign: number

  constructor(collection: Pick<Collection, 'run'>, range: NumberRange, rule: SelectionRule, random: Random) {
    this.#range = range
    this.#run = collection.run
    this.#random = random
    this.#step = rule.agents
    const units = Math.ceil(range.end / this.#run)
    const lowest = Math.floor(range.first / this.#run)
    this.#firstUnit = lowest + ((((rule.agentIndex - lowest) % rule.agents) + rule.agents) % rule.agents)
    this.#ownUnits = Math.max(0, Math.ceil((units - this.#firstUnit) / rule.agents))
    const all = rule.selection === 'random' || rule.agents === 1 || this.#ownUnits === 0
    this.#foreign = all ? 1 : rule.selection === 'exclusive' ? 0 : rule.overlap
  }

  /** True when an own partition was asked for and there is none: fewer folders or objects than agents. */
  get isShared(): boolean {
    return this.#ownUnits === 0
  }

  next(): number {
    const { first, end } = this.#range
    const foreign = this.#foreign
    if (foreign === 1 || (foreign > 0 && this.#random.fraction() < foreign)) {
      return first + this.#random.below(end - first)
    }
    const unit = this.#firstUnit + this.#random.below(this.#ownUnits) * this.#step
    if (this.#run === 1) return unit
    const number = unit * this.#run + this.#random.below(this.#run)
    // Only the first and the last folder of a range can be cut.
    return Math.min(end - 1, Math.max(first, number))
  }
}
