/** Which system calls a thread's file stores are made of. */

import process from 'node:process'
import { type FileCalls, runtimeCalls } from './calls.ts'
import { LibraryCalls } from './libc.ts'
import { openOnDeno } from './libc-deno.ts'
import { openOnNode } from './libc-node.ts'

const LIBRARY = 'libc.so.6'

let known: FileCalls | null = null

/** The C library's where that is possible and folders are held, on Linux; else the runtime's, which do the same. */
export function bestCalls(canHoldFolders: boolean): FileCalls {
  if (!canHoldFolders || process.platform !== 'linux') return runtimeCalls
  known ??= libraryCalls() ?? runtimeCalls
  return known
}

function libraryCalls(): FileCalls | null {
  try {
    const library = 'Deno' in globalThis ? openOnDeno(LIBRARY) : openOnNode(LIBRARY)
    return library === null ? null : new LibraryCalls(library)
  } catch {
    // Another C library, or nothing to call it with.
    return null
  }
}
