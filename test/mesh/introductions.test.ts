/** Who is told of whom, once peers have come. */

import { expect, it, vi } from 'vitest'
import { Introductions, type Linked } from '../../src/mesh/introductions.ts'

async function toldOf(linked: readonly Linked[]): Promise<Record<string, string[]>> {
  vi.useFakeTimers()
  try {
    const told: Record<string, string[]> = {}
    const introductions = new Introductions({
      linked: () => linked,
      introduce: (to, peers) => {
        told[to] = peers.map(({ peer }) => peer)
      },
    })
    introductions.soon()
    await vi.runAllTimersAsync()
    return told
  } finally {
    vi.useRealTimers()
  }
}

it('peers of this host are made known to others, not to each other', async () => {
  const seen = (peer: string, isNear: boolean, isAgent = true): Linked => ({
    peer,
    addrs: ['/ip4/127.0.0.1'],
    isNear,
    isAgent,
  })
  const told = await toldOf([seen('a', true), seen('b', true), seen('far', false), seen('client', false, false)])
  expect(told).toEqual({ a: ['far'], b: ['far'], far: ['a', 'b'], client: ['a', 'b', 'far'] })
})
