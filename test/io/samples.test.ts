/** How many samples of a long stage an agent keeps. */

import { expect, it } from 'vitest'
import { samplesMax } from '../../src/io/samples.ts'

it.each([
  [1, 3600],
  [27, 3600],
  [28, 3570],
  [64, 1562],
  [1000, 100],
  [4096, 24],
  [1_000_000, 2],
])('each of %i agents keeps up to %i: the results of all must fit into one message', (agents, samples) => {
  expect(samplesMax(agents)).toBe(samples)
})
