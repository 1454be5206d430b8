/** What a lane needs of a storage backend. One store is one lane's view of one base URI. */

import type { Collection } from '../collections.ts'
import type { Content } from '../content.ts'

/** Compares what a get read with what must be there; throws IoError CORRUPT. */
export type Verify = (offset: number, data: Buffer) => void

/**
 * One object to work on. Names are built when they are needed: a read through an open handle never asks for them.
 * Reused from operation to operation.
 */
export class ObjectRef {
  collection: Collection | null = null
  /** Position of the collection among those of the stage: with `number`, what handles are kept by. */
  collectionIndex = 0
  number = 0
  /** Bytes that must be there; -1 when unknown. */
  size = -1
  #dir = ''
  #name = ''
  #located = true

  /** An object of a collection. */
  point(collection: Collection, collectionIndex: number, number: number): void {
    this.collection = collection
    this.collectionIndex = collectionIndex
    this.number = number
    this.#located = false
  }

  /** An object that belongs to no collection. */
  name(dir: string, name: string): void {
    this.collection = null
    this.number = -1
    this.#dir = dir
    this.#name = name
    this.#located = true
  }

  /** Below the store's base: '' or with a slash at its end. */
  get dir(): string {
    if (!this.#located) this.#locate()
    return this.#dir
  }

  get file(): string {
    if (!this.#located) this.#locate()
    return this.#name
  }

  #locate(): void {
    place.dir = ''
    this.collection?.locate(this.number, place)
    this.#dir = place.dir
    this.#name = place.name
    this.#located = true
  }
}

const place = { dir: '', name: '' }

/**
 * Operations return bytes (get, put), a size (stat) or a count (list), or throw: IoError, or a system error with its
 * code. `R` is a number, or a promise of one for stores that need no thread an operation.
 */
export interface Store<R = number | Promise<number>> {
  /** URI of the folder that it is a view of, with a slash at its end. */
  readonly base: string
  /** Where there can be several operations at a time: those under way at its endpoint, from this thread. */
  readonly active?: number
  /** Of what can be reached by several hosts: what it is on any of them. */
  readonly place?: string
  /** It answers a delete of nothing like any other. */
  readonly removesBlindly?: boolean
  /** The whole object. Throws IoError TRUNCATED when fewer bytes than `ref.size` come back. */
  get(ref: ObjectRef, verify: Verify | null): R
  getRange(ref: ObjectRef, offset: number, length: number, verify: Verify | null): R
  /** Creates or replaces. Folders are made as needed. */
  put(ref: ObjectRef, size: number, content: Content, partBytes: number | null): R
  stat(ref: ObjectRef): R
  remove(ref: ObjectRef): R
  /** Entries directly in the folder `dir` ('' or with a slash at its end). */
  list(dir: string): R
  /** All objects below `dir`, as paths below the base, a batch at a time; memory stays bounded. */
  walk(dir: string): Iterable<readonly string[]> | AsyncIterable<readonly string[]>
  /** Removes a folder if it is empty; does nothing where folders do not exist. */
  removeFolder(dir: string): void
  /** For messages. */
  describe(ref: ObjectRef): string
  close(): void
}

export type SyncStore = Store<number> & { walk(dir: string): Iterable<readonly string[]> }
