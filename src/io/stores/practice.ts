/**
 * Files for practice: every one of them is a device that has nothing but zeros and keeps nothing. No storage is touched.
 *
 * What is compiled here must fit what comes later, or it is thrown away with the first real operation: so all objects are of
 * the same shapes, and calls that must not be the real ones are made in two ways, neither of which is compiled for good.
 */

import { constants, openSync } from 'node:fs'
import { bestCalls, cLibrary } from './best-calls.ts'
import type { FileAccess, FileCalls, HeldFolder } from './calls.ts'
import { Folders } from './folders.ts'
import { type CLibrary, LibraryCalls } from './libc.ts'

const FOLDER = '/dev/'
const DEVICE = 'zero'
const DEVICE_BYTES = Buffer.from(`${DEVICE}\0`)
/** Each is a descriptor more. */
const HELD_MAX = 8

/** To be used in turn. By the calls that real files are reached by; they throw a system error where there is no such device. */
export function practiceFiles(): readonly FileAccess[] {
  const library = cLibrary()
  const one = library === null ? null : onDevice(library)
  const calls = one === null ? [byRuntime()] : [new LibraryCalls(one), new LibraryCalls(again(one))]
  return calls.map((each) => ({
    folders: new Folders({ allow: [], allowExec: false }, HELD_MAX, true, hold),
    calls: each,
  }))
}

function hold(): HeldFolder {
  return { fd: openSync(FOLDER, constants.O_RDONLY), prefix: FOLDER }
}

function onDevice(library: CLibrary): CLibrary {
  return {
    ...library,
    openat: (folder, _name, _flags, mode) => library.openat(folder, DEVICE_BYTES, constants.O_RDWR, mode),
    ftruncate: () => 0,
    statx: (folder, name, flags, mask, into) =>
      library.statx(folder, name[0] === 0 ? name : DEVICE_BYTES, flags, mask, into),
    // The device stays.
    unlinkat: () => 0,
    getdents64: () => 0,
  }
}

function again(one: CLibrary): CLibrary {
  return {
    ...one,
    openat: (folder, name, flags, mode) => one.openat(folder, name, flags, mode),
    statx: (folder, name, flags, mask, into) => one.statx(folder, name, flags, mask, into),
    unlinkat: (folder, name, flags) => one.unlinkat(folder, name, flags),
  }
}

function byRuntime(): FileCalls {
  const real = bestCalls(true)
  return {
    ...real,
    open: (folder) => real.open(folder, DEVICE, constants.O_RDWR),
    truncate: () => {},
    sizeOf: (folder) => real.sizeOf(folder, DEVICE),
    remove: () => {},
    entries: () => [],
  }
}
