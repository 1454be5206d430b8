/** One input of one decoder, the same for the same seed and number. */

import { Prng } from '../sim/prng.ts'
import type { Target } from './targets.ts'

/** What went wrong and how to see it again, or null. */
export function tryInput(target: Target, seed: number, at: number): string | null {
  try {
    target.attempt(new Prng(seed * 1_000_003 + at))
    return null
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    const command = `npm run fuzz -- --seed ${seed} --only ${target.name} --at ${at}`
    return `${target.name}: ${why}\n${target.last().slice(0, 4000)}\nagain: ${command}`
  }
}
