/** Files, with synchronous calls: made for lanes that are threads. `direct:` bypasses the page cache with O_DIRECT. */

import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  lstatSync,
  opendirSync,
  openSync,
  readSync,
  rmdirSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import type { Content } from '../content.ts'
import { codeOf, IoError } from '../errors.ts'
import { CHUNK_BYTES, PAGE_BYTES } from '../limits.ts'
import { asFolder, parseUri } from '../uri.ts'
import type { Folders } from './folders.ts'
import type { ObjectRef, SyncStore, Verify } from './types.ts'

// A link is never followed, and a pipe that somebody put there must not block a lane.
const SAFE = (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)
const READ = constants.O_RDONLY | SAFE
const WRITE = constants.O_WRONLY | constants.O_CREAT | SAFE
/** Linux has it, other systems do not. */
const DIRECT = constants.O_DIRECT ?? 0

/** Deno's own call takes less than half of the time of its `node:fs`. */
declare const Deno: { lstatSync(path: string): { readonly size: number } } | undefined
const lookAt: (path: string) => { readonly size: number } = typeof Deno === 'undefined' ? lstatSync : Deno.lstatSync

/** Names in one batch of a walk. */
const BATCH = 1024

/** Open files that ranged reads keep; direct-mapped by object number, so a slot is a file descriptor at most. */
interface Handles {
  readonly collections: Int32Array
  readonly numbers: Float64Array
  readonly fds: Int32Array
}

export interface FileStoreOptions {
  readonly folders: Folders
  /** Shared by all stores of a lane: page-aligned, CHUNK_BYTES long. */
  readonly buffer: Buffer
  /** A power of two. */
  readonly handles: number
}

export class FileStore implements SyncStore {
  readonly base: string
  readonly #root: string
  readonly #folders: Folders
  readonly #buffer: Buffer
  readonly #direct: boolean
  readonly #handles: Handles
  readonly #handleMask: number
  /** As the last object was: a new file needs no look at it, an old one costs a failed attempt. */
  #expectsNew = true

  constructor(base: string, options: FileStoreOptions) {
    const { scheme, path } = parseUri(base)
    this.base = asFolder(base)
    this.#root = asFolder(path)
    this.#direct = scheme === 'direct'
    if (this.#direct && DIRECT === 0) throw new IoError('BAD_URI', `Cannot use ${base}: this system has no O_DIRECT`)
    this.#folders = options.folders
    this.#buffer = options.buffer
    this.#handleMask = options.handles - 1
    this.#handles = {
      collections: new Int32Array(options.handles),
      numbers: new Float64Array(options.handles).fill(-1),
      fds: new Int32Array(options.handles).fill(-1),
    }
  }

  #path(ref: ObjectRef, create: boolean): string {
    return this.#folders.prefixOf(ref.dir === '' ? this.#root : this.#root + ref.dir, create) + ref.file
  }

  #openToRead(ref: ObjectRef): number {
    return openSync(this.#path(ref, false), this.#direct ? READ | DIRECT : READ)
  }

  get(ref: ObjectRef, verify: Verify | null): number {
    const fd = this.#openToRead(ref)
    try {
      return this.#readAll(fd, ref.size, verify)
    } finally {
      closeSync(fd)
    }
  }

  /** Reads to the end, or to the size that is known: one call less for each object. */
  #readAll(fd: number, size: number, verify: Verify | null): number {
    const buffer = this.#buffer
    let total = 0
    for (;;) {
      const left = size < 0 ? CHUNK_BYTES : size - total
      const wanted = left > CHUNK_BYTES ? CHUNK_BYTES : this.#direct ? roundUp(left) : left
      const got = wanted === 0 ? 0 : readSync(fd, buffer, 0, wanted, this.#direct ? total : null)
      const counted = size >= 0 && got > left ? left : got
      if (verify !== null && counted > 0) verify(total, buffer.subarray(0, counted))
      total += counted
      if (total === size || got < wanted || got === 0) break
    }
    if (size >= 0 && total < size) throw truncated(total, size)
    return total
  }

  getRange(ref: ObjectRef, offset: number, length: number, verify: Verify | null): number {
    const fd = ref.number < 0 ? this.#openToRead(ref) : this.#handleOf(ref)
    try {
      if (length <= CHUNK_BYTES && !this.#direct) {
        const got = readSync(fd, this.#buffer, 0, length, offset)
        if (verify !== null) verify(offset, this.#buffer.subarray(0, got))
        if (got < length && ref.size >= 0) throw truncated(offset + got, ref.size)
        return got
      }
      return this.#readRange(fd, ref, offset, length, verify)
    } finally {
      if (ref.number < 0) closeSync(fd)
    }
  }

  #readRange(fd: number, ref: ObjectRef, offset: number, length: number, verify: Verify | null): number {
    let total = 0
    while (total < length) {
      const left = Math.min(CHUNK_BYTES, length - total)
      const wanted = this.#direct ? roundUp(left) : left
      const got = Math.min(left, readSync(fd, this.#buffer, 0, wanted, offset + total))
      if (verify !== null && got > 0) verify(offset + total, this.#buffer.subarray(0, got))
      total += got
      if (got < left) {
        if (ref.size >= 0) throw truncated(offset + total, ref.size)
        break
      }
    }
    return total
  }

  #handleOf(ref: ObjectRef): number {
    const { collections, numbers, fds } = this.#handles
    const slot = ref.number & this.#handleMask
    if (numbers[slot] === ref.number && collections[slot] === ref.collectionIndex) return fds[slot] as number
    const fresh = this.#openToRead(ref)
    const old = fds[slot] as number
    if (old >= 0) closeSync(old)
    numbers[slot] = ref.number
    collections[slot] = ref.collectionIndex
    fds[slot] = fresh
    return fresh
  }

  put(ref: ObjectRef, size: number, content: Content): number {
    const fd = this.#openToWrite(ref)
    try {
      if (this.#direct) writeDirect(fd, size, content)
      else writeBuffered(fd, size, content)
    } finally {
      closeSync(fd)
    }
    return size
  }

  #openToWrite(ref: ObjectRef): number {
    const flags = this.#direct ? WRITE | DIRECT : WRITE
    try {
      return this.#openEmpty(ref, flags)
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error
      // The folder that is held was removed meanwhile: make it again.
      this.#folders.forget(ref.dir === '' ? this.#root : this.#root + ref.dir)
      return this.#openEmpty(ref, flags)
    }
  }

  #openEmpty(ref: ObjectRef, flags: number): number {
    const file = this.#path(ref, true)
    if (this.#expectsNew) {
      try {
        return openSync(file, flags | constants.O_EXCL, 0o666)
      } catch (error) {
        if (codeOf(error) !== 'EEXIST') throw error
      }
    }
    const fd = openSync(file, flags, 0o666)
    try {
      this.#expectsNew = emptyOwn(fd) === 0
      return fd
    } catch (error) {
      closeSync(fd)
      throw error
    }
  }

  stat(ref: ObjectRef): number {
    return lookAt(this.#path(ref, false)).size
  }

  remove(ref: ObjectRef): number {
    unlinkSync(this.#path(ref, false))
    return 0
  }

  list(dir: string): number {
    let entries = 0
    for (const _entry of this.#entries(dir)) entries++
    return entries
  }

  *#entries(dir: string): Iterable<{ name: string; isFile(): boolean; isDirectory(): boolean }> {
    const folder = opendirSync(this.#folders.prefixOf(this.#root + dir, false), { bufferSize: BATCH })
    try {
      for (let entry = folder.readSync(); entry !== null; entry = folder.readSync()) yield entry
    } finally {
      folder.closeSync()
    }
  }

  /** Links are left out: neither followed nor counted. */
  *walk(dir: string): Iterable<readonly string[]> {
    const folders = [dir]
    for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
      let batch: string[] = []
      for (const entry of this.#entries(folder)) {
        if (entry.isDirectory()) folders.push(`${folder}${entry.name}/`)
        else if (entry.isFile()) batch.push(folder + entry.name)
        if (batch.length === BATCH) {
          yield batch
          batch = []
        }
      }
      if (batch.length > 0) yield batch
    }
  }

  removeFolder(dir: string): void {
    if (dir === '') return
    const cut = dir.lastIndexOf('/', dir.length - 2) + 1
    try {
      rmdirSync(this.#folders.prefixOf(this.#root + dir.slice(0, cut), false) + dir.slice(cut, -1))
      this.#folders.forget(this.#root + dir)
    } catch (error) {
      // Not empty: somebody else's objects, or another agent's that are still there.
      if (!['ENOTEMPTY', 'EEXIST', 'ENOENT', 'ENOTDIR'].includes(codeOf(error))) throw error
    }
  }

  describe(ref: ObjectRef): string {
    return this.base + ref.dir + ref.file
  }

  close(): void {
    const { fds, numbers } = this.#handles
    for (const fd of fds) if (fd >= 0) closeSync(fd)
    fds.fill(-1)
    numbers.fill(-1)
  }
}

/** Returns the bytes that were there. A file with another name may be one of those that are not to be touched. */
function emptyOwn(fd: number): number {
  const { nlink, size } = fstatSync(fd)
  if (nlink > 1) {
    throw new IoError('NOT_ALLOWED', 'has another name (a hard link), maybe where this node may not write: remove it')
  }
  if (size > 0) ftruncateSync(fd, 0)
  return size
}

function roundUp(bytes: number): number {
  return Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES
}

function truncated(got: number, size: number): IoError {
  return new IoError('TRUNCATED', `ends after ${got} bytes, expected are ${size}`)
}

function writeBuffered(fd: number, size: number, content: Content): void {
  for (let at = 0; at < size; at += CHUNK_BYTES) {
    const chunk = content.slice(at, Math.min(CHUNK_BYTES, size - at))
    writeAll(fd, chunk, chunk.length, at)
  }
}

/** O_DIRECT takes whole blocks only: the last one is written in full and then cut off. */
function writeDirect(fd: number, size: number, content: Content): void {
  for (let at = 0; at < size; at += CHUNK_BYTES) {
    const chunk = content.slice(at, roundUp(Math.min(CHUNK_BYTES, size - at)))
    writeAll(fd, chunk, chunk.length, at)
  }
  if (size % PAGE_BYTES !== 0) ftruncateSync(fd, size)
}

function writeAll(fd: number, data: Buffer, length: number, position: number): void {
  for (let done = 0; done < length; ) done += writeSync(fd, data, done, length - done, position + done)
}
