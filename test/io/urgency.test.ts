/** Threads that wait for a start are served at once, and are usual ones when they work. */

import { execFileSync } from 'node:child_process'
import process from 'node:process'
import { expect, it } from 'vitest'
import { cLibrary } from '../../src/io/stores/best-calls.ts'
import { beUrgent, beUsual, takeShortTurns } from '../../src/io/urgency.ts'

const library = cLibrary()
/** `sched_getattr`. */
const GET = process.arch === 'arm64' ? 275 : 315

/** May this process ask to be served first? */
function isPrivileged(): boolean {
  try {
    execFileSync('chrt', ['--fifo', '1', 'true'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

interface Attributes {
  /** 0: usual, 1: first in, first out. */
  readonly policy: number
  readonly nice: number
  /** Of this thread, ns; zero where Linux has no such thing. */
  readonly turnNs: bigint
}

function attributes(): Attributes {
  const bytes = new Uint8Array(56)
  if (library !== null) library.syscall(GET, 0, bytes, bytes.length, 0)
  const view = new DataView(bytes.buffer)
  return { policy: view.getUint32(4, true), nice: view.getInt32(16, true), turnNs: view.getBigUint64(24, true) }
}

const USUAL = 0
const FIRST = 1

it.skipIf(attributes().turnNs === 0n)(
  'a thread that waits is served first, has short turns for its first operation, then is as before',
  () => {
    const before = attributes()
    beUrgent()
    const waiting = attributes()
    expect(waiting.policy === FIRST || waiting.turnNs === 100_000n).toBe(true)
    takeShortTurns()
    expect(attributes()).toEqual({ ...before, turnNs: 100_000n })
    beUsual()
    expect(attributes()).toEqual(before)
    takeShortTurns()
    expect(attributes()).toEqual(before)
  },
)

it.skipIf(!isPrivileged())('only while it waits', () => {
  beUrgent()
  const waiting = attributes()
  beUsual()
  expect([waiting.policy, attributes().policy]).toEqual([FIRST, USUAL])
})

it('nothing happens where Linux is not known well enough', () => {
  const before = attributes()
  const arch = Object.getOwnPropertyDescriptor(process, 'arch')
  Object.defineProperty(process, 'arch', { value: 'mips' })
  try {
    beUrgent()
    expect(attributes()).toEqual(before)
  } finally {
    if (arch !== undefined) Object.defineProperty(process, 'arch', arch)
  }
})
