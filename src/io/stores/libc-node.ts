/**
 * The C library as Node calls it: by koffi. Its ready-made binaries are optional dependencies by themselves: the package that
 * usually chooses among them for a system takes every thread a MiB and some milliseconds, and npm warns of its install script.
 */

import { createRequire } from 'node:module'
import process from 'node:process'
import type { CLibrary } from './libc.ts'

interface Koffi {
  load(file: string): { func(signature: string): (...values: readonly (number | Uint8Array)[]) => number }
  errno(): number
}

/** Throws where koffi is not there, as for other CPUs than x64 and arm64, or may not be loaded, or there is no such library. */
export function openOnNode(file: string): CLibrary {
  const koffi: Koffi = createRequire(import.meta.url)(`@koromix/koffi-linux-${process.arch}`)
  const library = koffi.load(file)
  // Numbers of 64 bits are plain ones: exact as far as files are large.
  return {
    openat: library.func('int openat(int, void *, int, uint32_t)'),
    close: library.func('int close(int)'),
    read: library.func('int read(int, void *, int64_t)'),
    pread: library.func('int pread(int, void *, int64_t, int64_t)'),
    pwrite: library.func('int pwrite(int, void *, int64_t, int64_t)'),
    ftruncate: library.func('int ftruncate(int, int64_t)'),
    statx: library.func('int statx(int, void *, int, uint32_t, void *)'),
    unlinkat: library.func('int unlinkat(int, void *, int)'),
    getdents64: library.func('int getdents64(int, void *, int64_t)'),
    syscall: library.func('int64_t syscall(int64_t, int64_t, void *, int64_t, int64_t)'),
    errno: () => koffi.errno(),
  }
}
