/**
 * Names of objects as functions of their number, so that ten million objects cost no memory: flat sets
 * (`prepared-00000042.dat`), trees, and listings that were kept. Same names as sai3-bench. Pure.
 */

import { hashHex, hashNumbers, hashText } from './random.ts'
import { sizeOf } from './sizes.ts'
import type { DataSpec, ObjectSet, SharingMode, SizeSpec, StageContext, TreeSpec } from './types.ts'
import { asFolder } from './uri.ts'

/** Where one object lies below its base: filled by `locate`. */
export interface Place {
  /** '' or with a slash at its end. */
  dir: string
  name: string
}

export interface Collection {
  /** Folder URIs, one per endpoint, each with a slash at its end. */
  readonly bases: readonly string[]
  /** What patterns of the plan are compared with: bases without the folder that isolates an agent. */
  readonly logicalBases: readonly string[]
  readonly count: number
  readonly data: DataSpec
  /** Objects that belong together in one folder are numbered in runs of this length (1: no runs). */
  readonly run: number
  /** Same on all agents: what is remembered about this collection is remembered by it. */
  readonly id: string
  /** Bytes; -1 when unknown. */
  sizeOf(number: number): number
  /** Which of `bases`. */
  baseOf(number: number): number
  locate(number: number, into: Place): void
}

/** In isolated mode every agent has its own set in a folder named like it; otherwise all share one. */
export function agentFolder(sharing: SharingMode, agent: string): string {
  if (sharing !== 'isolated') return ''
  const plain = /^[A-Za-z0-9_.-]{1,100}$/.test(agent) && !/^\.+$/.test(agent)
  return plain ? `${agent}/` : `${agent.replace(/[^A-Za-z0-9_-]/g, '_').slice(0, 60)}-${hashHex(agent)}/`
}

export class FlatSet implements Collection {
  readonly bases: readonly string[]
  readonly logicalBases: readonly string[]
  readonly count: number
  readonly data: DataSpec
  readonly run = 1
  readonly id: string
  readonly #size: SizeSpec
  readonly #shards: number
  readonly #prefix: string
  readonly #seed: number

  constructor(set: ObjectSet, folder: string, seed: number) {
    this.logicalBases = set.baseUris.map(asFolder)
    this.bases = this.logicalBases.map((base) => base + folder)
    this.count = set.count
    this.data = set.data
    this.#size = set.size
    this.#shards = set.prefixShards
    this.#prefix = `${set.namePrefix ?? 'prepared'}-`
    this.id = `${this.logicalBases.join(' ')} ${this.#prefix}`
    this.#seed = hashNumbers(seed, hashText(this.#prefix))
  }

  sizeOf(number: number): number {
    return sizeOf(this.#size, this.#seed, number)
  }

  baseOf(number: number): number {
    return this.bases.length === 1 ? 0 : number % this.bases.length
  }

  locate(number: number, into: Place): void {
    into.dir = this.#shards > 1 ? `${(number % this.#shards).toString(16).padStart(2, '0')}/` : ''
    into.name = `${this.#prefix}${pad8(number)}.dat`
  }
}

/** `width` folders below each folder, `depth` levels; folders are numbered level by level, files folder by folder. */
export class Tree implements Collection {
  readonly bases: readonly string[]
  readonly logicalBases: readonly string[]
  readonly count: number
  readonly data: DataSpec
  readonly run: number
  readonly id: string
  /** Folders that hold files. */
  readonly folders: number
  readonly #spec: TreeSpec
  readonly #seed: number

  constructor(spec: TreeSpec, folder: string, seed: number) {
    this.#spec = spec
    this.logicalBases = spec.baseUris.map(asFolder)
    this.bases = this.logicalBases.map((base) => base + folder)
    this.folders = spec.distribution === 'bottom' ? spec.width ** spec.depth : foldersUpTo(spec.width, spec.depth)
    this.run = Math.max(1, spec.filesPerDir)
    this.count = this.folders * spec.filesPerDir
    this.data = spec.data
    this.id = `${this.logicalBases.join(' ')} tree ${spec.dirMask} ${spec.fileMask}`
    this.#seed = hashNumbers(seed, hashText(spec.fileMask))
  }

  sizeOf(number: number): number {
    return sizeOf(this.#spec.size, this.#seed, number)
  }

  baseOf(number: number): number {
    return this.bases.length === 1 ? 0 : number % this.bases.length
  }

  locate(number: number, into: Place): void {
    into.dir = this.folder(Math.floor(number / this.run))
    into.name = fillMask(this.#spec.fileMask, [number])
  }

  /** Path of a folder that holds files, with a slash at its end. */
  folder(index: number): string {
    const { width, depth, distribution, dirMask } = this.#spec
    let level = depth
    let within = index
    if (distribution === 'all') {
      level = 1
      for (let size = width; within >= size; size *= width) {
        within -= size
        level++
      }
    }
    let path = ''
    for (; level > 0; level--) {
      path = `${fillMask(dirMask, [level, (within % width) + 1])}/${path}`
      within = Math.floor(within / width)
    }
    return path
  }
}

/** width + width^2 + … + width^depth. */
function foldersUpTo(width: number, depth: number): number {
  let folders = 0
  for (let level = 1; level <= depth; level++) folders += width ** level
  return folders
}

/** Replaces `%d` and `%08d` from left to right. */
export function fillMask(mask: string, values: readonly number[]): string {
  let next = 0
  return mask.replace(/%(0?)(\d{0,2})d/g, (_all, zero: string, width: string) => {
    const digits = String(values[next++] ?? 0)
    return digits.padStart(Number(width || '0'), zero === '0' ? '0' : ' ')
  })
}

function pad8(number: number): string {
  const digits = String(number)
  return digits.length >= 8 ? digits : '00000000'.slice(digits.length) + digits
}

/** Names of objects that a put stage makes: they say whose they are, so that a cleanup can tell them from others. */
export interface PutNames {
  /** Starts the names of all objects that this run's plan puts. */
  readonly runTag: string
  /** Continues it for those of this agent. */
  readonly agentTag: string
}

export function putNames(context: Pick<StageContext, 'run' | 'plan'>, agent: string): PutNames {
  // 64 bits: another run's objects in the same folder must not look like ours.
  const id = `${context.run}\n${context.plan}`
  const runTag = `obj_${hashHex(id)}${hashHex(`${id}\n`)}`
  return { runTag, agentTag: `${runTag}_${hashHex(agent)}` }
}

/** Unique per agent, stage, lane and counter. */
export function putName(names: PutNames, sequence: number, lane: number, counter: number): string {
  return `${names.agentTag}_${sequence}_${lane}_${counter}`
}

/** What the sets and the trees of a stage name, in the order that lanes and engine count them by. */
export function collectionsOf(
  sets: readonly ObjectSet[],
  trees: readonly TreeSpec[],
  sharing: SharingMode,
  context: Pick<StageContext, 'agent' | 'seed'>,
): Collection[] {
  const folder = agentFolder(sharing, context.agent)
  const flat = sets.filter((set) => set.count > 0).map((set) => new FlatSet(set, folder, context.seed))
  const deep = trees.filter((tree) => tree.filesPerDir > 0).map((tree) => new Tree(tree, folder, context.seed))
  return [...flat, ...deep]
}
