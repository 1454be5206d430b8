/** Messages of a barrier grow with its members, not with their square. `npm run sim:scale` goes up to a thousand. */

import { expect, it } from 'vitest'
import { costOf, excess } from './scale.ts'

it.each([10, 50, 250])('a barrier of %i members takes at most six messages for each', (count) => {
  const cost = costOf(count)
  expect(excess(cost)).toBeUndefined()
  expect(cost.messages / count).toBeGreaterThan(4)
})
