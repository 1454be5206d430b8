/**
 * The system calls of file stores by the C library of Linux. A name is opened in its held folder by one `openat`, without the
 * way through `/proc/self/fd`, and a call costs next to nothing.
 */

import { constants } from 'node:fs'
import { getSystemErrorMap } from 'node:util'
import type { Entry, FileCalls, HeldFolder } from './calls.ts'

/**
 * Its functions, by whatever the runtime calls them with. `ssize_t` is read as 32 bits: no call moves as much as 2 GiB.
 * `openat` has no more arguments than are named here, and takes them as any other function does.
 */
export interface CLibrary {
  openat(folder: number, name: Uint8Array, flags: number, mode: number): number
  close(fd: number): number
  read(fd: number, buffer: Uint8Array, length: number): number
  pread(fd: number, buffer: Uint8Array, length: number, position: number): number
  pwrite(fd: number, buffer: Uint8Array, length: number, position: number): number
  ftruncate(fd: number, bytes: number): number
  statx(folder: number, name: Uint8Array, flags: number, mask: number, into: Uint8Array): number
  unlinkat(folder: number, name: Uint8Array, flags: number): number
  getdents64(folder: number, into: Uint8Array, length: number): number
  /** Calls of the system that have a number only; all that are needed take an identifier, a structure and two numbers. */
  syscall(number: number, id: number, structure: Uint8Array, first: number, second: number): number
  /** Of the last call on this thread. */
  errno(): number
}

const O_CLOEXEC = 0o2000000
const MODE = 0o666
const AT_SYMLINK_NOFOLLOW = 0x100
const AT_EMPTY_PATH = 0x1000
const STATX_TYPE_NLINK_AND_SIZE = 0x205
/** Positions in `struct statx`, in words of 4 bytes. */
const NLINK = 4
const MODE_LOW = 7
const SIZE_LOW = 10
const SIZE_HIGH = 11
const STATX_BYTES = 256
/** Positions in `struct linux_dirent64`, in bytes, and the types there are; some file systems do not tell them. */
const DIRENT = { LENGTH: 16, TYPE: 18, NAME: 19 } as const
const DIRENT_KINDS = { 0: 'unknown', 4: 'folder', 8: 'file' } as const
const DIRENTS_BYTES = 64 * 1024
/** Of a mode, and those of them that are told apart. */
const TYPE_MASK = 0o170000
const TYPE_FOLDER = 0o040000
const TYPE_FILE = 0o100000
/** Longer ones do not exist. */
const NAME_BYTES_MAX = 255
const SLASH = 47
const INTERRUPTED = 'EINTR'

/** For practice: one file stands in for all. */
export interface StandIn {
  readonly name: string
  /** Those of the flags to open files with that it takes. */
  readonly flags: number
}

const ALL_FLAGS = -1

export class LibraryCalls implements FileCalls {
  readonly #c: Omit<CLibrary, 'syscall'>
  readonly #name = new Uint8Array(NAME_BYTES_MAX + 1)
  readonly #empty = new Uint8Array(1)
  readonly #stat = new Uint8Array(STATX_BYTES)
  readonly #statWords = new Uint32Array(this.#stat.buffer)

  /** What stands for every name, as the system wants it. */
  readonly #onlyName: Uint8Array | null
  readonly #flags: number

  constructor(c: CLibrary, standIn: StandIn | null = null) {
    this.#onlyName = standIn === null ? null : new TextEncoder().encode(`${standIn.name}\0`)
    this.#flags = standIn?.flags ?? ALL_FLAGS
    // Of one shape, whoever made it: V8 compiles for shapes.
    this.#c = {
      openat: c.openat,
      close: c.close,
      read: c.read,
      pread: c.pread,
      pwrite: c.pwrite,
      ftruncate: c.ftruncate,
      statx: c.statx,
      unlinkat: c.unlinkat,
      getdents64: c.getdents64,
      errno: c.errno,
    }
  }

  open(folder: HeldFolder, name: string, flags: number): number {
    const text = this.#encode(name)
    for (;;) {
      const fd = this.#c.openat(folder.fd, text, (flags & this.#flags) | O_CLOEXEC, MODE)
      if (fd >= 0) return fd
      this.#fail('open', folder.prefix + name)
    }
  }

  close(fd: number): void {
    // Network file systems tell here what they could not write. The descriptor is closed even if it was interrupted.
    if (this.#c.close(fd) < 0) this.#fail('close')
  }

  read(fd: number, buffer: Buffer, length: number, position: number | null): number {
    for (;;) {
      const got = position === null ? this.#c.read(fd, buffer, length) : this.#c.pread(fd, buffer, length, position)
      if (got >= 0) return got
      this.#fail('read')
    }
  }

  write(fd: number, data: Buffer, position: number): number {
    for (;;) {
      const written = this.#c.pwrite(fd, data, data.length, position)
      if (written >= 0) return written
      this.#fail('write')
    }
  }

  truncate(fd: number, bytes: number): void {
    while (this.#c.ftruncate(fd, bytes) < 0) this.#fail('ftruncate')
  }

  lookAt(fd: number): { size: number; nlink: number } {
    this.#statx(fd, this.#empty, AT_EMPTY_PATH, '')
    return { size: this.#statSize(), nlink: this.#statWords[NLINK] ?? 0 }
  }

  sizeOf(folder: HeldFolder, name: string): number {
    this.#statx(folder.fd, this.#encode(name), AT_SYMLINK_NOFOLLOW, folder.prefix + name)
    return this.#statSize()
  }

  remove(folder: HeldFolder, name: string): void {
    const text = this.#encode(name)
    while (this.#c.unlinkat(folder.fd, text, 0) < 0) this.#fail('unlink', folder.prefix + name)
  }

  *entries(folder: HeldFolder): Iterable<Entry> {
    const { O_RDONLY, O_DIRECTORY } = constants
    const fd = this.open(folder, '.', O_RDONLY | O_DIRECTORY)
    const buffer = Buffer.alloc(DIRENTS_BYTES)
    try {
      for (let end = this.#dirents(fd, buffer); end > 0; end = this.#dirents(fd, buffer)) {
        for (let at = 0; at < end; at += buffer.readUInt16LE(at + DIRENT.LENGTH)) {
          const start = at + DIRENT.NAME
          const name = buffer.toString('utf8', start, buffer.indexOf(0, start))
          const kind = DIRENT_KINDS[buffer[at + DIRENT.TYPE] as keyof typeof DIRENT_KINDS] ?? 'other'
          if (name !== '.' && name !== '..')
            yield { name, kind: kind === 'unknown' ? this.#kindOf(folder, name) : kind }
        }
      }
    } finally {
      this.close(fd)
    }
  }

  #dirents(fd: number, into: Buffer): number {
    for (;;) {
      const got = this.#c.getdents64(fd, into, into.length)
      if (got >= 0) return got
      this.#fail('scandir')
    }
  }

  #kindOf(folder: HeldFolder, name: string): Entry['kind'] {
    this.#statx(folder.fd, this.#encode(name), AT_SYMLINK_NOFOLLOW, folder.prefix + name)
    const type = (this.#statWords[MODE_LOW] ?? 0) & TYPE_MASK
    return type === TYPE_FILE ? 'file' : type === TYPE_FOLDER ? 'folder' : 'other'
  }

  #statx(fd: number, name: Uint8Array, flags: number, path: string): void {
    while (this.#c.statx(fd, name, flags, STATX_TYPE_NLINK_AND_SIZE, this.#stat) < 0) this.#fail('stat', path)
  }

  #statSize(): number {
    return (this.#statWords[SIZE_LOW] as number) + (this.#statWords[SIZE_HIGH] as number) * 2 ** 32
  }

  /** As the system wants it, until the next call. A path would leave the folder that is held: it is refused. */
  #encode(name: string): Uint8Array {
    const bytes = this.#name
    const { length } = name
    if (length > NAME_BYTES_MAX) throw failedCall('ENAMETOOLONG', 'file name too long', 'open', name)
    for (let i = 0; i < length; i++) {
      const unit = name.charCodeAt(i)
      if (unit === 0 || unit === SLASH) throw failedCall('EINVAL', 'not a name', 'open', name)
      if (unit > 0x7f) return this.#encodeUtf8(name)
      bytes[i] = unit
    }
    bytes[length] = 0
    return this.#onlyName ?? bytes
  }

  #encodeUtf8(name: string): Uint8Array {
    const bytes = new TextEncoder().encode(name)
    if (bytes.length > NAME_BYTES_MAX) throw failedCall('ENAMETOOLONG', 'file name too long', 'open', name)
    if (bytes.includes(0) || bytes.includes(SLASH)) throw failedCall('EINVAL', 'not a name', 'open', name)
    this.#name.set(bytes)
    this.#name[bytes.length] = 0
    return this.#onlyName ?? this.#name
  }

  /** Throws what the last call failed with; returns if it was only interrupted. */
  #fail(call: string, path = ''): void {
    const errno = this.#c.errno()
    const [code, message] = getSystemErrorMap().get(-errno) ?? [`E${errno}`, 'unknown error']
    if (code !== INTERRUPTED) throw failedCall(code, message, call, path)
  }
}

function failedCall(code: string, message: string, call: string, path: string): Error {
  const where = path === '' ? '' : ` '${path}'`
  return Object.assign(new Error(`${code}: ${message}, ${call}${where}`), { code, syscall: call })
}
