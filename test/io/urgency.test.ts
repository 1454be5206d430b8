/** Threads that wait for a start are served at once, and are usual ones when they work. */

import process from 'node:process'
import { expect, it } from 'vitest'
import { makeUrgent } from '../../src/io/lanes/urgency.ts'
import { cLibrary } from '../../src/io/stores/best-calls.ts'

const library = cLibrary()
/** `sched_getattr`. */
const GET = process.arch === 'arm64' ? 275 : 315

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

it.skipIf(attributes().turnNs === 0n)('a thread that waits is served first or has short turns, then is as before', () => {
  const before = attributes()
  const makeUsual = makeUrgent()
  const { policy, turnNs } = attributes()
  expect(policy === 1 || turnNs === 100_000n).toBe(true)
  makeUsual()
  expect(attributes()).toEqual(before)
})

it('nothing happens where Linux is not known well enough', () => {
  const before = attributes()
  const arch = Object.getOwnPropertyDescriptor(process, 'arch')
  Object.defineProperty(process, 'arch', { value: 'mips' })
  try {
    makeUrgent()
    expect(attributes()).toEqual(before)
  } finally {
    if (arch !== undefined) Object.defineProperty(process, 'arch', arch)
  }
})
