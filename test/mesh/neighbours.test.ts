/** Which peers of one host are linked before there is something to say to them. */

import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { limits } from '../../src/mesh/limits.ts'
import { Neighbours } from '../../src/mesh/neighbours.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

function world(count: number) {
  const peers = Array.from({ length: count }, (_, at) => ({ peer: `p${String(at).padStart(2, '0')}`, present: true }))
  const linked: string[] = []
  const neighbours = new Neighbours<(typeof peers)[number]>({
    list: () => peers.toReversed(),
    link: (one) => {
      one.present = false
      linked.push(one.peer)
    },
  })
  return { neighbours, linked }
}

it('few are all linked, once nobody has come for a while', () => {
  const { neighbours, linked } = world(limits.neighboursMax - 1)
  neighbours.came()
  vi.advanceTimersByTime(limits.settledMs - 1)
  neighbours.came()
  vi.advanceTimersByTime(limits.settledMs - 1)
  expect(linked).toEqual([])
  vi.advanceTimersByTime(1)
  expect(linked).toHaveLength(limits.neighboursMax - 1)
})

it('of many only the first in line are, one a look, and none while others still come', () => {
  const { neighbours, linked } = world(limits.neighboursMax)
  neighbours.came()
  vi.advanceTimersByTime(10 * limits.settledMs)
  for (let at = 1; at < limits.settledLooks; at += 1) neighbours.look()
  neighbours.came()
  for (let at = 1; at < limits.settledLooks; at += 1) neighbours.look()
  expect(linked).toEqual([])
  neighbours.look()
  expect(linked).toEqual(['p00'])
  for (let at = 0; at < 10; at += 1) neighbours.look()
  expect(linked).toEqual(['p00', 'p01', 'p02'])
})
