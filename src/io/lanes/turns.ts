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

const THIS_THREAD = 0
const NO_FLAGS = 0

/**
 * Returns what makes them usual again, which takes some microseconds. Does nothing where it is not possible: it is a matter of
 * fractions of a millisecond.
 */
export function shortenTurns(): () => void {
  const nothing = (): void => {}
  const library = cLibrary()
  const calls = CALLS[process.arch]
  if (library === null || calls === undefined) return nothing
  const usual = new Uint8Array(ATTRIBUTES_BYTES)
  if (library.syscall(calls.get, THIS_THREAD, usual, ATTRIBUTES_BYTES, NO_FLAGS) < 0) return nothing
  const view = new DataView(usual.buffer)
  // Whoever started this process with another policy knows better.
  if (view.getUint32(POLICY, true) !== SCHED_OTHER) return nothing
  view.setBigUint64(RUNTIME, USUAL_NS, true)
  const short = usual.slice()
  new DataView(short.buffer).setBigUint64(RUNTIME, SHORTEST_NS, true)
  const ask = (attributes: Uint8Array): boolean =>
    library.syscall(calls.set, THIS_THREAD, attributes, NO_FLAGS, NO_FLAGS) >= 0
  return ask(short) ? () => void ask(usual) : nothing
}
