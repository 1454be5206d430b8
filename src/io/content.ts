/**
 * What objects contain: a function of the plan's seed, the object's name and the offset, so that every agent can write
 * and verify every object, whatever its size.
 *
 * A pool of pseudo-random pages is filled once. An object is the pool read in a circle from a page that its name
 * chooses; every page starts with a stamp of 16 bytes that no other page of any object has. So nothing can be
 * deduplicated or compressed, and writing costs one stamp a page instead of generating or copying data: the pool itself
 * is handed to the system. `dedupFactor` and `compressFactor` shape the pool.
 */

import { IoError } from './errors.ts'
import { CHUNK_BYTES, PAGE_BYTES } from './limits.ts'
import { hashText, mix32, Random } from './random.ts'
import type { DataSpec } from './types.ts'

const CHUNK_PAGES = CHUNK_BYTES / PAGE_BYTES
/** Pages of the circle: the distance at which an object repeats, stamps apart. */
const CIRCLE_PAGES = 512
const STAMP_WORDS = 4
const PAGE_WORDS = PAGE_BYTES / 4
const POOL_SEED = 0x70616365

/** Both runtimes have it; the type libraries of this project do not. */
declare const WebAssembly: {
  readonly Memory: new (descriptor: { initial: number }) => { readonly buffer: ArrayBuffer }
}

/** Two hashes of an object's name: the second one includes its folder. */
export interface ContentKey {
  readonly name: number
  readonly place: number
}

export function contentKey(seed: number, dir: string, name: string): ContentKey {
  const own = hashText(name, seed)
  return { name: own, place: mix32(own ^ folderHash(seed, dir)) }
}

let lastFolder = ''
let lastSeed = 0
let lastHash = 0

/** Objects of one folder follow one another: the last answer is kept. */
function folderHash(seed: number, dir: string): number {
  if (dir !== lastFolder || seed !== lastSeed) {
    lastHash = hashText(dir, seed ^ 0x2545f491)
    lastFolder = dir
    lastSeed = seed
  }
  return lastHash
}

/** Page-aligned memory, as O_DIRECT wants it: WebAssembly memory starts at a page on every runtime. */
export function alignedBuffer(bytes: number): Buffer {
  const memory = new WebAssembly.Memory({ initial: Math.ceil(bytes / 65536) })
  return Buffer.from(memory.buffer, 0, bytes)
}

/** Writes of one object, in order. */
export interface Content {
  /** Nobody else changes what slices show: they may be sent as they are, without a copy. */
  readonly isAlone: boolean
  /** `length` bytes of the object from `offset`: valid until the next call. `offset` is a multiple of 4 KiB. */
  slice(offset: number, length: number): Buffer
}

/** Where a pool has its memory from, if not filled by itself: it shares another's, or begins as a copy of it. */
export interface PoolSource {
  readonly pool: ContentPool
  readonly isCopied: boolean
}

/** One lane's content for one DataSpec: slices are stamped in place. */
export class ContentPool implements Content {
  readonly isAlone: boolean
  readonly #bytes: Buffer
  readonly #words: Uint32Array
  /** Pages in the circle; a multiple of the group of equal pages. */
  readonly #circle: number
  readonly #group: number
  readonly #stamped: boolean
  #name = 0
  #place = 0
  #start = 0

  /** `from`: a pool of the same spec. Where memory is shared, slices of both are valid until the next one of either. */
  constructor(spec: DataSpec, from: PoolSource | null = null) {
    this.#stamped = spec.fill === 'random'
    this.isAlone = !this.#stamped || from === null || from.isCopied
    this.#group = this.#stamped ? Math.max(1, Math.round(spec.dedupFactor)) : 1
    this.#circle = Math.max(this.#group, Math.floor(CIRCLE_PAGES / this.#group) * this.#group)
    const pages = this.#stamped ? this.#circle + CHUNK_PAGES : CHUNK_PAGES
    this.#bytes = from === null ? alignedBuffer(pages * PAGE_BYTES) : from.pool.#lend(from.isCopied && this.#stamped)
    this.#words = new Uint32Array(this.#bytes.buffer, 0, pages * PAGE_WORDS)
    if (this.#stamped && from === null) this.#fill(Math.max(1, spec.compressFactor))
  }

  #lend(isCopied: boolean): Buffer {
    if (!isCopied) return this.#bytes
    const copy = Buffer.allocUnsafeSlow(this.#bytes.length)
    this.#bytes.copy(copy)
    return copy
  }

  /** Equal content on every agent: depends on the factors alone. The tail repeats the head, so that chunks never wrap. */
  #fill(compressFactor: number): void {
    // The rest of a page is zeros: what a compressor of 4 KiB blocks or larger can take out.
    const kept = Math.max(STAMP_WORDS, Math.round(PAGE_WORDS / compressFactor))
    const words = this.#words
    for (let page = 0; page < this.#circle; page += this.#group) {
      const random = new Random(mix32(POOL_SEED + page))
      const first = page * PAGE_WORDS
      for (let i = 0; i < kept; i++) words[first + i] = random.next()
      for (let copy = 1; copy < this.#group; copy++) {
        words.copyWithin(first + copy * PAGE_WORDS, first, first + PAGE_WORDS)
      }
    }
    const circleWords = this.#circle * PAGE_WORDS
    for (let at = circleWords; at < words.length; at += circleWords) {
      words.copyWithin(at, 0, Math.min(circleWords, words.length - at))
    }
  }

  /** The content of one object, until the next call. */
  open(key: ContentKey): Content {
    this.#name = key.name
    this.#place = key.place
    const groups = this.#circle / this.#group
    this.#start = (mix32(key.name ^ key.place) % groups) * this.#group
    return this
  }

  slice(offset: number, length: number): Buffer {
    if (!this.#stamped) return this.#bytes.subarray(0, length)
    const page = offset / PAGE_BYTES
    const pages = Math.ceil(length / PAGE_BYTES)
    const first = (this.#start + page) % this.#circle
    for (let i = 0; i < pages; i++) this.#stamp(first + i, Math.floor((page + i) / this.#group))
    return this.#bytes.subarray(first * PAGE_BYTES, first * PAGE_BYTES + length)
  }

  #stamp(poolPage: number, group: number): void {
    const words = this.#words
    const at = poolPage * PAGE_WORDS
    const salt = mix32(group + 0x6a09e667)
    words[at] = this.#name ^ salt
    words[at + 1] = this.#place ^ mix32(salt)
    words[at + 2] = mix32(this.#name + salt)
    words[at + 3] = mix32(this.#place ^ (salt >>> 3))
  }

  /**
   * Compares what was read at `offset` of an object with what must be there. `name` must fit; the folder may differ (the
   * same storage has other paths elsewhere) but must be the same in all pages: `key.place` is taken from the first one.
   * Throws IoError CORRUPT naming the first wrong byte.
   */
  verify(key: ContentKey, offset: number, data: Buffer): void {
    if (data.length === 0) return
    const head = offset % PAGE_BYTES
    const place = this.#stamped ? this.#placeIn(key, offset, data) : key.place
    this.open({ name: key.name, place })
    for (let at = 0; at < data.length; ) {
      const skip = at === 0 ? head : 0
      const length = Math.min(CHUNK_BYTES - skip, data.length - at)
      const expected = this.slice(offset + at - skip, length + skip).subarray(skip)
      const found = data.subarray(at, at + length)
      if (expected.compare(found) !== 0) throw corrupt(offset + at, expected, found)
      at += length
    }
  }

  /** The second stamp word gives the folder's hash back, where a whole one was read. */
  #placeIn(key: ContentKey, offset: number, data: Buffer): number {
    const skip = (PAGE_BYTES - (offset % PAGE_BYTES)) % PAGE_BYTES
    if (data.length < skip + 8) return key.place
    const group = Math.floor((offset + skip) / PAGE_BYTES / this.#group)
    return (data.readUInt32LE(skip + 4) ^ mix32(mix32(group + 0x6a09e667))) >>> 0
  }
}

function corrupt(offset: number, expected: Buffer, found: Buffer): IoError {
  let at = 0
  while (expected[at] === found[at]) at++
  return new IoError('CORRUPT', `byte ${offset + at} is not what was written`)
}

/** Pools of a lane by what they look like; most stages need one. */
export class ContentPools {
  readonly #pools = new Map<string, ContentPool>()
  readonly #from: { readonly pools: ContentPools; readonly isCopied: boolean } | null
  #last: { readonly spec: DataSpec; readonly pool: ContentPool } | null = null

  /** `from`: lends its memory to these, or has it copied. */
  constructor(from: { readonly pools: ContentPools; readonly isCopied: boolean } | null = null) {
    this.#from = from
  }

  for(spec: DataSpec): ContentPool {
    if (this.#last?.spec === spec) return this.#last.pool
    const key = spec.fill === 'zero' ? 'zero' : `${Math.round(spec.dedupFactor)} ${spec.compressFactor}`
    let pool = this.#pools.get(key)
    if (pool === undefined) {
      const from = this.#from
      pool = new ContentPool(spec, from === null ? null : { pool: from.pools.for(spec), isCopied: from.isCopied })
      this.#pools.set(key, pool)
    }
    this.#last = { spec, pool }
    return pool
  }
}
