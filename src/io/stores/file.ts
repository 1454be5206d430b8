/** Files, with synchronous calls: made for lanes that are threads. `direct:` bypasses the page cache with O_DIRECT. */

import { constants, rmdirSync } from 'node:fs'
import type { Content } from '../content.ts'
import { codeOf, IoError } from '../errors.ts'
import { CHUNK_BYTES, PAGE_BYTES } from '../limits.ts'
import { asFolder, parseUri } from '../uri.ts'
import type { Entry, FileAccess, FileCalls, FolderHolder, HeldFolder } from './calls.ts'
import type { ObjectRef, SyncStore, Verify } from './types.ts'

// A link is never followed, and a pipe that somebody put there must not block a lane.
const SAFE = (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)
const READ = constants.O_RDONLY | SAFE
const WRITE = constants.O_WRONLY | constants.O_CREAT | SAFE
/** Linux has it, other systems do not. */
const DIRECT = constants.O_DIRECT ?? 0

/** Names in one batch of a walk. */
const BATCH = 1024

/** Open files that ranged reads keep; direct-mapped by object number, so a slot is a file descriptor at most. */
interface Handles {
  readonly collections: Int32Array
  readonly numbers: Float64Array
  readonly fds: Int32Array
}

export interface FileStoreOptions {
  readonly files: FileAccess
  /** Shared by all stores of a lane: page-aligned, CHUNK_BYTES long. */
  readonly buffer: Buffer
  /** A power of two. */
  readonly handles: number
}

export class FileStore implements SyncStore {
  readonly base: string
  readonly #root: string
  readonly #folders: FolderHolder
  readonly #calls: FileCalls
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
    this.#folders = options.files.folders
    this.#calls = options.files.calls
    this.#buffer = options.buffer
    this.#handleMask = options.handles - 1
    this.#handles = {
      collections: new Int32Array(options.handles),
      numbers: new Float64Array(options.handles).fill(-1),
      fds: new Int32Array(options.handles).fill(-1),
    }
  }

  #hold(ref: ObjectRef, create: boolean): HeldFolder {
    return this.#folders.hold(ref.dir === '' ? this.#root : this.#root + ref.dir, create)
  }

  #openToRead(ref: ObjectRef): number {
    return this.#calls.open(this.#hold(ref, false), ref.file, this.#direct ? READ | DIRECT : READ)
  }

  get(ref: ObjectRef, verify: Verify | null): number {
    const fd = this.#openToRead(ref)
    try {
      return this.#readAll(fd, ref.size, verify)
    } finally {
      this.#calls.close(fd)
    }
  }

  /** Reads to the end, or to the size that is known: one call less for each object. */
  #readAll(fd: number, size: number, verify: Verify | null): number {
    const buffer = this.#buffer
    let total = 0
    for (;;) {
      const left = size < 0 ? CHUNK_BYTES : size - total
      const wanted = left > CHUNK_BYTES ? CHUNK_BYTES : this.#direct ? roundUp(left) : left
      const got = wanted === 0 ? 0 : this.#calls.read(fd, buffer, wanted, this.#direct ? total : null)
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
        const got = this.#calls.read(fd, this.#buffer, length, offset)
        if (verify !== null) verify(offset, this.#buffer.subarray(0, got))
        if (got < length && ref.size >= 0) throw truncated(offset + got, ref.size)
        return got
      }
      return this.#readRange(fd, ref, offset, length, verify)
    } finally {
      if (ref.number < 0) this.#calls.close(fd)
    }
  }

  #readRange(fd: number, ref: ObjectRef, offset: number, length: number, verify: Verify | null): number {
    let total = 0
    while (total < length) {
      const left = Math.min(CHUNK_BYTES, length - total)
      const wanted = this.#direct ? roundUp(left) : left
      const got = Math.min(left, this.#calls.read(fd, this.#buffer, wanted, offset + total))
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
    if (old >= 0) this.#calls.close(old)
    numbers[slot] = ref.number
    collections[slot] = ref.collectionIndex
    fds[slot] = fresh
    return fresh
  }

  put(ref: ObjectRef, size: number, content: Content): number {
    const fd = this.#openToWrite(ref)
    try {
      if (this.#direct) this.#writeDirect(fd, size, content)
      else this.#writeBuffered(fd, size, content)
    } finally {
      this.#calls.close(fd)
    }
    return size
  }

  #writeBuffered(fd: number, size: number, content: Content): void {
    for (let at = 0; at < size; at += CHUNK_BYTES) {
      this.#writeAll(fd, content.slice(at, Math.min(CHUNK_BYTES, size - at)), at)
    }
  }

  /** O_DIRECT takes whole blocks only: the last one is written in full and then cut off. */
  #writeDirect(fd: number, size: number, content: Content): void {
    for (let at = 0; at < size; at += CHUNK_BYTES) {
      this.#writeAll(fd, content.slice(at, roundUp(Math.min(CHUNK_BYTES, size - at))), at)
    }
    if (size % PAGE_BYTES !== 0) this.#calls.truncate(fd, size)
  }

  #writeAll(fd: number, data: Buffer, position: number): void {
    const { length } = data
    let done = this.#calls.write(fd, data, position)
    while (done < length) done += this.#calls.write(fd, data.subarray(done), position + done)
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
    const calls = this.#calls
    const folder = this.#hold(ref, true)
    if (this.#expectsNew) {
      try {
        return calls.open(folder, ref.file, flags | constants.O_EXCL)
      } catch (error) {
        if (codeOf(error) !== 'EEXIST') throw error
      }
    }
    const fd = calls.open(folder, ref.file, flags)
    try {
      this.#expectsNew = emptyOwn(calls, fd) === 0
      return fd
    } catch (error) {
      this.#calls.close(fd)
      throw error
    }
  }

  stat(ref: ObjectRef): number {
    return this.#calls.sizeOf(this.#hold(ref, false), ref.file)
  }

  remove(ref: ObjectRef): number {
    this.#calls.remove(this.#hold(ref, false), ref.file)
    return 0
  }

  list(dir: string): number {
    let entries = 0
    for (const _entry of this.#entries(dir)) entries++
    return entries
  }

  #entries(dir: string): Iterable<Entry> {
    return this.#calls.entries(this.#folders.hold(this.#root + dir, false))
  }

  /** Links are left out: neither followed nor counted. */
  *walk(dir: string): Iterable<readonly string[]> {
    const folders = [dir]
    for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
      let batch: string[] = []
      for (const entry of this.#entries(folder)) {
        if (entry.kind === 'folder') folders.push(`${folder}${entry.name}/`)
        else if (entry.kind === 'file') batch.push(folder + entry.name)
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
      rmdirSync(this.#folders.hold(this.#root + dir.slice(0, cut), false).prefix + dir.slice(cut, -1))
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
    for (const fd of fds) if (fd >= 0) this.#calls.close(fd)
    fds.fill(-1)
    numbers.fill(-1)
  }
}

/** Returns the bytes that were there. A file with another name may be one of those that are not to be touched. */
function emptyOwn(calls: FileCalls, fd: number): number {
  const { nlink, size } = calls.lookAt(fd)
  if (nlink > 1) {
    throw new IoError('NOT_ALLOWED', 'has another name (a hard link), maybe where this node may not write: remove it')
  }
  if (size > 0) calls.truncate(fd, 0)
  return size
}

function roundUp(bytes: number): number {
  return Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES
}

function truncated(got: number, size: number): IoError {
  return new IoError('TRUNCATED', `ends after ${got} bytes, expected are ${size}`)
}
