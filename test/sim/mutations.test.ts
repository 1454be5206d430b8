/** The lies told to the core: all fit it, and a few are hunted here. `npm run sim:mutations` hunts them all. */

import { expect, it } from 'vitest'
import { hunt, mutated } from './mutate.ts'
import { mutations } from './mutations.ts'

it.each(mutations)('fits the core: $name', (mutation) => {
  expect(mutated(mutation).length).toBeGreaterThan(0)
})

it.each([
  'a quorum is one too small',
  'a release is announced before a majority has accepted it',
  'going on alone is not said at the end',
  'an answer of a leader of other plans counts as a sign of life',
])('is found: %s', async (name) => {
  const mutation = mutations.find((one) => one.name === name)
  if (mutation === undefined) throw new Error(`no such mutation: ${name}`)
  const { by } = await hunt(mutation, 100, 1)
  expect(by).not.toBeNull()
})
