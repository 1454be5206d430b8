/** Waiting for something, but not for ever. */

import { expect, it } from 'vitest'
import { atMost } from '../../src/cli/at-most.ts'

it('comes to what comes in time, be it a failure, and to "late" else', async () => {
  expect(await atMost(10_000, Promise.resolve(7))).toBe(7)
  await expect(atMost(10_000, Promise.reject(new Error('no luck')))).rejects.toThrow('no luck')
  const { promise, reject } = Promise.withResolvers<never>()
  expect(await atMost(1, promise)).toBe('late')
  // Unheard of, it would end this process.
  reject(new Error('of no interest any more'))
  await new Promise((resolve) => setImmediate(resolve))
})

it('leaves no timer behind', async () => {
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
  const before = timers()
  await atMost(60_000, Promise.resolve())
  await expect(atMost(60_000, Promise.reject(new Error('no luck')))).rejects.toThrow()
  expect(timers()).toBe(before)
})
