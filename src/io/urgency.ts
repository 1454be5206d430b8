/**
 * How soon this thread gets the processor when it wakes up. What waits for a start should not wait for the turn of another
 * thread to end. Linux lets a thread that may (CAP_SYS_NICE or RLIMIT_RTPRIO) be served before all usual ones; any thread may
 * ask for short turns (6.12 and later), which is served sooner, and gets no more time in all. See sched(7) for SCHED_FIFO,
 * sched_setattr(2) for `sched_runtime` of SCHED_OTHER.
 */

import process from 'node:process'
import { cLibrary } from './stores/best-calls.ts'

/** `sched_setattr` and `sched_getattr`: the C library has had no functions for them for long. */
const CALLS: Readonly<Record<string, { readonly set: number; readonly get: number }>> = {
  x64: { set: 314, get: 315 },
  arm64: { set: 274, get: 275 },
}

/** `struct sched_attr`, and positions in it, in bytes. */
const ATTRIBUTES_BYTES = 56
const POLICY = 4
const FLAGS = 8
const NICE = 16
const PRIORITY = 20
const RUNTIME = 24

const SCHED_OTHER = 0
const SCHED_FIFO = 1
/** Threads that this one starts are usual ones. */
const RESET_ON_FORK = 1n
/** Below every other thread of this kind. */
const LOWEST_PRIORITY = 1

/** The shortest turns that Linux gives, ns. Zero: the usual length. */
const SHORTEST_NS = 100_000n
const USUAL_NS = 0n

const THIS_THREAD = 0
const NO_FLAGS = 0

/** What this thread may be; null while it is a usual one, or where it cannot be another. */
let changes: { readonly toShortTurns: () => void; readonly toUsual: () => void } | null = null

/** Loads what the rest takes, some milliseconds. */
export function prepareUrgency(): void {
  cLibrary()
}

/** For a thread that is about to sleep. Does nothing where it is not possible: it is a matter of milliseconds. */
export function beUrgent(): void {
  const library = cLibrary()
  const calls = CALLS[process.arch]
  if (library === null || calls === undefined || changes !== null) return
  const usual = new Uint8Array(ATTRIBUTES_BYTES)
  if (library.syscall(calls.get, THIS_THREAD, usual, ATTRIBUTES_BYTES, NO_FLAGS) < 0) return
  const view = new DataView(usual.buffer)
  // Whoever started this process with another policy knows better.
  if (view.getUint32(POLICY, true) !== SCHED_OTHER) return
  view.setBigUint64(RUNTIME, USUAL_NS, true)
  const short = withShortTurns(usual)
  const ask = (attributes: Uint8Array): boolean =>
    library.syscall(calls.set, THIS_THREAD, attributes, NO_FLAGS, NO_FLAGS) >= 0
  if (ask(servedFirst(usual))) changes = { toShortTurns: () => void ask(short), toUsual: () => void ask(usual) }
  else if (ask(short)) changes = { toShortTurns: () => undefined, toUsual: () => void ask(usual) }
}

/** Before the first operation, which may be long: a usual thread at this point would let others of the processor go first. */
export function takeShortTurns(): void {
  changes?.toShortTurns()
}

export function beUsual(): void {
  changes?.toUsual()
  changes = null
}

function servedFirst(usual: Uint8Array): Uint8Array {
  const attributes = usual.slice()
  const view = new DataView(attributes.buffer)
  view.setUint32(POLICY, SCHED_FIFO, true)
  view.setBigUint64(FLAGS, RESET_ON_FORK, true)
  view.setInt32(NICE, 0, true)
  view.setUint32(PRIORITY, LOWEST_PRIORITY, true)
  return attributes
}

function withShortTurns(usual: Uint8Array): Uint8Array {
  const attributes = usual.slice()
  new DataView(attributes.buffer).setBigUint64(RUNTIME, SHORTEST_NS, true)
  return attributes
}
