/** Waiting longer than a timer of the runtimes can (plans may have stages of months), and for a start. */

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { beginAt } from '../../src/io/begin.ts'
import { now, sleep } from '../../src/io/clock.ts'

/** Some 24.8 days. */
const TIMER_MS_MAX = 2 ** 31 - 1

describe('sleep', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it.each([1000, TIMER_MS_MAX, TIMER_MS_MAX + 1, 3 * TIMER_MS_MAX + 1000])(
    'of %i ms ends then, not before',
    async (ms) => {
      let isOver = false
      const slept = sleep(ms).then(() => {
        isOver = true
      })
      await vi.advanceTimersByTimeAsync(ms - 1)
      expect(isOver).toBe(false)
      await vi.advanceTimersByTimeAsync(1)
      await slept
      expect(vi.getTimerCount()).toBe(0)
    },
  )

  it('is ended by its signal, also in a later part', async () => {
    const cancel = new AbortController()
    const slept = sleep(3 * TIMER_MS_MAX, cancel.signal)
    await vi.advanceTimersByTimeAsync(2 * TIMER_MS_MAX)
    cancel.abort(new Error('enough'))
    await expect(slept).rejects.toThrow('enough')
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('the start of a stage', () => {
  it('is at its moment, not before, or at once when that is past', async () => {
    const { signal } = new AbortController()
    const at = now() + 20
    expect(await beginAt(at, signal)).toBeGreaterThanOrEqual(at)
    const before = now()
    expect(await beginAt(at - 1000, signal)).toBeGreaterThanOrEqual(before)
  })

  it('does not come to one that was cancelled', async () => {
    const cancel = new AbortController()
    const begun = beginAt(now() + 60_000, cancel.signal)
    cancel.abort(new Error('enough'))
    await expect(begun).rejects.toThrow('enough')
    await expect(beginAt(now(), cancel.signal)).rejects.toThrow('enough')
  })
})
