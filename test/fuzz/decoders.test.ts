/** A short share of `npm run fuzz`, with a seed of its own. */

import { describe, expect, it } from 'vitest'
import { tryInput } from './attempt.ts'
import { targets } from './targets.ts'

const SEED = 20_261
const INPUTS = 1000

describe('mutated samples', () => {
  it.each(targets.map((target) => [target.name, target] as const))('%s', (_, target) => {
    for (let at = 0; at < INPUTS; at += 1) expect(tryInput(target, SEED, at)).toBeNull()
  })
})
