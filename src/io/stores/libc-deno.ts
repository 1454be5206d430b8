/** The C library as Deno calls it, where that is granted (`--allow-ffi`, or `-A`). */

import type { CLibrary } from './libc.ts'

/**
 * Numbers of 64 bits are handed over as BigInt: only so V8 calls the library by itself, without a way through Deno, which takes
 * 0.2 us.
 */
const SYMBOLS = {
  openat: { parameters: ['i32', 'buffer', 'i32', 'u32'], result: 'i32' },
  close: { parameters: ['i32'], result: 'i32' },
  read: { parameters: ['i32', 'buffer', 'usize'], result: 'i32' },
  pread: { parameters: ['i32', 'buffer', 'usize', 'i64'], result: 'i32' },
  pwrite: { parameters: ['i32', 'buffer', 'usize', 'i64'], result: 'i32' },
  ftruncate: { parameters: ['i32', 'i64'], result: 'i32' },
  statx: { parameters: ['i32', 'buffer', 'i32', 'u32', 'buffer'], result: 'i32' },
  unlinkat: { parameters: ['i32', 'buffer', 'i32'], result: 'i32' },
  getdents64: { parameters: ['i32', 'buffer', 'usize'], result: 'i32' },
  syscall: { parameters: ['i64', 'i64', 'buffer', 'i64', 'i64'], result: 'i32' },
  __errno_location: { parameters: [], result: 'pointer' },
} as const

type Same = 'openat' | 'close' | 'statx' | 'unlinkat'

interface Symbols extends Pick<CLibrary, Same> {
  read(fd: number, buffer: Uint8Array, length: bigint): number
  pread(fd: number, buffer: Uint8Array, length: bigint, position: bigint): number
  pwrite(fd: number, buffer: Uint8Array, length: bigint, position: bigint): number
  ftruncate(fd: number, bytes: bigint): number
  getdents64(folder: number, into: Uint8Array, length: bigint): number
  syscall(number: bigint, id: bigint, structure: Uint8Array, first: bigint, second: bigint): number
  __errno_location(): object
}

const CLOCK_SYMBOLS = { clock_gettime: { parameters: ['i32', 'buffer'], result: 'i32' } } as const
const CLOCK_MONOTONIC = 1
/** Looks at both clocks: the first ones are slow. */
const LOOKS = 50

interface ClockSymbols {
  clock_gettime(clock: number, into: Uint8Array): number
}

declare const Deno:
  | {
      dlopen(file: string, symbols: typeof SYMBOLS): { readonly symbols: Symbols }
      dlopen(file: string, symbols: typeof CLOCK_SYMBOLS): { readonly symbols: ClockSymbols }
      readonly permissions: { querySync(what: { readonly name: 'ffi' }): { readonly state: string } }
      readonly UnsafePointerView: new (pointer: object) => { getInt32(): number }
    }
  | undefined

/** Null where it may not be called. Throws where there is no such library. */
export function openOnDeno(file: string): CLibrary | null {
  // Asked first: a call that is not granted makes Deno ask its user.
  if (Deno?.permissions.querySync({ name: 'ffi' }).state !== 'granted') return null
  const { symbols } = Deno.dlopen(file, SYMBOLS)
  // Of this thread.
  const errno = new Deno.UnsafePointerView(symbols.__errno_location())
  return {
    openat: symbols.openat,
    close: symbols.close,
    read: (fd, buffer, length) => symbols.read(fd, buffer, asLength(length)),
    pread: (fd, buffer, length, position) => symbols.pread(fd, buffer, asLength(length), asOffset(position)),
    pwrite: (fd, buffer, length, position) => symbols.pwrite(fd, buffer, asLength(length), asOffset(position)),
    ftruncate: (fd, bytes) => symbols.ftruncate(fd, BigInt(bytes)),
    statx: symbols.statx,
    unlinkat: symbols.unlinkat,
    getdents64: (folder, into, length) => symbols.getdents64(folder, into, asLength(length)),
    syscall: (number, id, structure, first, second) =>
      symbols.syscall(BigInt(number), BigInt(id), structure, BigInt(first), BigInt(second)),
    errno: () => errno.getInt32(),
  }
}

/** A clock like `performance.now()` in half its time, null where the library may not be called. */
export function clockOnDeno(file: string): { now(): number } | null {
  if (Deno?.permissions.querySync({ name: 'ffi' }).state !== 'granted') return null
  const { clock_gettime: read } = Deno.dlopen(file, CLOCK_SYMBOLS).symbols
  // `struct timespec`: seconds and nanoseconds, 64 bits each, of which the lower halves are enough.
  const words = new Uint32Array(4)
  const time = new Uint8Array(words.buffer)
  const sinceBoot = (): number => {
    read(CLOCK_MONOTONIC, time)
    return (words[0] as number) * 1000 + (words[2] as number) / 1e6
  }
  // Both count the same seconds; the narrowest look at both tells how far they are apart.
  let [width, apart] = [Number.POSITIVE_INFINITY, 0]
  for (let i = 0; i < LOOKS; i++) {
    const [before, at, after] = [performance.now(), sinceBoot(), performance.now()]
    if (after - before < width) [width, apart] = [after - before, (before + after) / 2 - at]
  }
  return { now: () => sinceBoot() + apart }
}

const offsets = new BigInt64Array(1)
const offsetWords = new Uint32Array(offsets.buffer)

/** `BigInt(position)`, made without an object. */
function asOffset(position: number): bigint {
  offsetWords[0] = position
  offsetWords[1] = position / 2 ** 32
  return offsets[0] as bigint
}

let lastLength = 0
let lastBytes = 0n

/** The same again and again. */
function asLength(length: number): bigint {
  if (length !== lastLength) {
    lastLength = length
    lastBytes = BigInt(length)
  }
  return lastBytes
}
