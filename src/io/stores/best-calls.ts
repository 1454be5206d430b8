/** Which system calls a thread's file stores are made of. */

import process from 'node:process'
import { type FileCalls, runtimeCalls } from './calls.ts'
import { type CLibrary, LibraryCalls } from './libc.ts'
import { clockOnDeno, openOnDeno } from './libc-deno.ts'
import { openOnNode } from './libc-node.ts'

const LIBRARY = 'libc.so.6'

let knownLibrary: CLibrary | null | undefined
let knownCalls: FileCalls | undefined

/** The C library's where that is possible and folders are held; else the runtime's, which do the same. */
export function bestCalls(canHoldFolders: boolean): FileCalls {
  if (!canHoldFolders) return runtimeCalls
  const library = cLibrary()
  knownCalls ??= library === null ? runtimeCalls : new LibraryCalls(library)
  return knownCalls
}

/** This thread's, null where it cannot be called. */
export function cLibrary(): CLibrary | null {
  if (knownLibrary === undefined) knownLibrary = process.platform === 'linux' ? openLibrary() : null
  return knownLibrary
}

function openLibrary(): CLibrary | null {
  try {
    return 'Deno' in globalThis ? openOnDeno(LIBRARY) : openOnNode(LIBRARY)
  } catch {
    // Another C library, or nothing to call it with.
    return null
  }
}

/** Like `performance`, for those who look often: on Deno its own takes twice as long. */
export function bestClock(): { now(): number } {
  if (!('Deno' in globalThis) || process.platform !== 'linux') return performance
  try {
    return clockOnDeno(LIBRARY) ?? performance
  } catch {
    return performance
  }
}
