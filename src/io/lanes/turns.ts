/**
 * How long the turns of this thread on the processor are. Linux (6.12 and later) lets a thread ask for short ones, which is
 * served sooner when it wakes up, and gets no more time in all: what waits for a start should not wait for the turn of
 * another thread to end. See sched_setattr(2), `sched_runtime` of SCHED_OTHER.
 */

import process from 'node:process'
import { cLibrary } from '../stores/best-calls.ts'

/** `sched_setattr` and `sched_getattr`: the C library has had no functions for them for long. */
const CALLS: Readonly<Record<string, { readonly set: number; readonly get: number }>> = {
  x64: { set: 314, get: 315 },
  arm64: { set: 274, get: 275 },
}

/** `struct sched_attr`, and positions in it, in bytes. */
const ATTRIBUTES_BYTES = 56
const POLICY = 4
const RUNTIME = 24
const SCHED_OTHER = 0

/** The shortest that Linux gives, ns. Zero: the usual length. */
const SHORTEST_NS = 100_000n
const USUAL_NS = 0n

/** Returns what makes them usual again. Does nothing where it is not possible: it is a matter of fractions of a millisecond. */
export function shortenTurns(): () => void {
  return askFor(SHORTEST_NS) ? () => void askFor(USUAL_NS) : () => {}
}

function askFor(runtimeNs: bigint): boolean {
  const library = cLibrary()
  const calls = CALLS[process.arch]
  if (library === null || calls === undefined) return false
  const attributes = new Uint8Array(ATTRIBUTES_BYTES)
  const view = new DataView(attributes.buffer)
  const [thisThread, noFlags] = [0, 0]
  if (library.syscall(calls.get, thisThread, attributes, ATTRIBUTES_BYTES, noFlags) < 0) return false
  // Whoever started this process with another policy knows better.
  if (view.getUint32(POLICY, true) !== SCHED_OTHER) return false
  view.setBigUint64(RUNTIME, runtimeNs, true)
  return library.syscall(calls.set, thisThread, attributes, noFlags, noFlags) >= 0
}
