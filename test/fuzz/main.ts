/**
 * npm run fuzz -- [--minutes 10] [--seed N] [--only messages,plans] [--at I]
 *
 * Tries mutated samples on every decoder of what comes from outside. A failure prints the input and the command that
 * tries just it again, and ends with 1. `--at I` tries that one input.
 */

import console from 'node:console'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { tryInput } from './attempt.ts'
import { targets } from './targets.ts'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    only: { type: 'string' },
    at: { type: 'string' },
  },
})

function main(): number {
  const seed = Number(values.seed)
  const only = values.only?.split(',')
  const chosen = targets.filter(({ name }) => only === undefined || only.includes(name))
  if (chosen.length === 0) throw new Error(`--only: some of ${targets.map(({ name }) => name).join(', ')}`)
  console.log(`seed ${seed}: ${chosen.map(({ name }) => name).join(', ')}`)
  const deadline = performance.now() + Number(values.minutes) * 60_000
  let at = values.at === undefined ? 0 : Number(values.at)
  do {
    for (const target of chosen) {
      const failure = tryInput(target, seed, at)
      if (failure !== null) {
        console.log(failure)
        return 1
      }
    }
    at += 1
  } while (values.at === undefined && performance.now() < deadline)
  console.log(`${at} inputs for each of ${chosen.length} decoders: nothing found`)
  return 0
}

process.exitCode = main()
