/** How many samples of a long stage an agent keeps. */

import { expect, it } from 'vitest'
import { samplesMax } from '../../src/io/samples.ts'

it.each([
  [1, 3600],
  [11, 3600],
  [12, 3332],
  [64, 624],
  [1000, 40],
  [4096, 8],
  [1_000_000, 2],
])('each of %i agents keeps up to %i: the results of all must fit into one message', (agents, samples) => {
  expect(samplesMax(agents)).toBe(samples)
})
