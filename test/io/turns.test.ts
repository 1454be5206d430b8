/** Short turns on the processor, for threads that wait for a start. */

import process from 'node:process'
import { expect, it } from 'vitest'
import { shortenTurns } from '../../src/io/lanes/turns.ts'
import { cLibrary } from '../../src/io/stores/best-calls.ts'

const library = cLibrary()
/** `sched_getattr`. */
const GET = process.arch === 'arm64' ? 275 : 315

/** Of this thread, ns; zero where Linux has no such thing. */
function turnNs(): bigint {
  const attributes = new Uint8Array(56)
  if (library === null || library.syscall(GET, 0, attributes, attributes.length, 0) < 0) return 0n
  return new DataView(attributes.buffer).getBigUint64(24, true)
}

it.skipIf(turnNs() === 0n)('turns are short while a thread waits, and as they were afterwards', () => {
  const before = turnNs()
  const makeUsual = shortenTurns()
  expect(turnNs()).toBe(100_000n)
  makeUsual()
  expect(turnNs()).toBe(before)
})

it('nothing happens where turns cannot be chosen', () => {
  const arch = Object.getOwnPropertyDescriptor(process, 'arch')
  Object.defineProperty(process, 'arch', { value: 'mips' })
  try {
    shortenTurns()()
  } finally {
    if (arch !== undefined) Object.defineProperty(process, 'arch', arch)
  }
  expect(turnNs()).not.toBe(100_000n)
})
