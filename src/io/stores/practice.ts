/**
 * Files for practice: every one of them is a device that has nothing but zeros and keeps nothing. No storage is touched.
 *
 * What is compiled here must fit what comes later, or it is thrown away with the first real operation: so all objects are of
 * the same shapes and call the same functions; one that must not be called is replaced in two ways, so that neither is
 * compiled for good.
 */

import { constants, openSync } from 'node:fs'
import { bestCalls, cLibrary } from './best-calls.ts'
import type { FileAccess, FileCalls, HeldFolder } from './calls.ts'
import { Folders } from './folders.ts'
import { type CLibrary, LibraryCalls } from './libc.ts'

const FOLDER = '/dev/'
const DEVICE = 'zero'
const { O_CREAT, O_EXCL, O_DIRECTORY, O_DIRECT = 0 } = constants
const STAND_IN = { name: DEVICE, flags: ~(O_CREAT | O_EXCL | O_DIRECTORY | O_DIRECT) } as const
/** Each is a descriptor more. */
const HELD_MAX = 8

/** To be used in turn. By the calls that real files are reached by; they throw a system error where there is no such device. */
export function practiceFiles(): readonly FileAccess[] {
  const library = cLibrary()
  const calls = library === null ? [byRuntime()] : keeping(library).map((each) => new LibraryCalls(each, STAND_IN))
  return calls.map((each) => ({
    folders: new Folders({ allow: [], allowExec: false }, HELD_MAX, true, hold),
    calls: each,
  }))
}

function hold(): HeldFolder {
  return { fd: openSync(FOLDER, constants.O_RDONLY), prefix: FOLDER }
}

/** The device stays as it is. */
function keeping(library: CLibrary): readonly CLibrary[] {
  const rest = { ...library, ftruncate: () => 0, getdents64: () => 0 }
  return [
    { ...rest, unlinkat: () => 0 },
    { ...rest, unlinkat: () => 0 },
  ]
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
