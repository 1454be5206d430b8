/**
 * npm run chaos -- [--minutes 5] [--seed 1] [--rounds N] [--kind "split, paused"] [--runtimes node,deno] [--logs DIR] [--verbose]
 *
 * Plays one history a seed on real processes, from `--seed` on, until the time is over, and checks what each left
 * behind. Ends with 1 after the first that broke a rule; its timeline and files are kept, and the command that plays
 * it again is printed.
 */

import console from 'node:console'
import { cp, mkdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { hasDeno, type Runtime } from '../e2e/cluster.ts'
import { whyNoNamespaces } from '../hosts/netns.ts'
import { check } from './check.ts'
import type { Evidence, Violation } from './evidence.ts'
import { describeHistory, type History, historyOf, type Kind, kinds } from './history.ts'
import { playRound } from './round.ts'
import { timelineOf } from './timeline.ts'
import { isOverloaded } from './troubles.ts'

interface Options {
  readonly minutes: number
  readonly seed: number
  readonly rounds: number
  readonly chosen: readonly Kind[]
  readonly runtimes: readonly Runtime[]
  readonly logs: string
  readonly verbose: boolean
}

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '5' },
      seed: { type: 'string', default: '1' },
      rounds: { type: 'string', default: 'Infinity' },
      kind: { type: 'string', multiple: true, default: [] },
      runtimes: { type: 'string', default: hasDeno ? 'node,deno' : 'node' },
      logs: { type: 'string', default: path.join(tmpdir(), `paceline-chaos-${process.pid}`) },
      verbose: { type: 'boolean', default: false },
    },
  })
  const [minutes, seed, rounds] = [Number(values.minutes), Number(values.seed), Number(values.rounds)]
  if (!(minutes > 0)) throw new Error(`--minutes "${values.minutes}": must be more than 0`)
  if (!Number.isSafeInteger(seed)) throw new Error(`--seed "${values.seed}": must be a whole number`)
  if (!(rounds >= 1)) throw new Error(`--rounds "${values.rounds}": must be 1 or more`)
  const unknown = values.kind.find((name) => !kinds.some((kind) => kind === name))
  if (unknown !== undefined) throw new Error(`--kind "${unknown}": one of ${kinds.join('; ')}`)
  const chosen = kinds.filter((kind) => values.kind.length === 0 || values.kind.includes(kind))
  const runtimes = values.runtimes.split(',').map((word): Runtime => {
    if (word !== 'node' && word !== 'deno') throw new Error('--runtimes: node, deno, or both with a comma')
    return word
  })
  return { minutes, seed, rounds, chosen, runtimes, logs: values.logs, verbose: values.verbose }
}

/** Keeps everything that helps to find out why, and prints how to play it again. */
async function keepFailure(
  options: Options,
  history: History,
  evidence: Evidence,
  broken: readonly Violation[],
  folder: string,
): Promise<void> {
  const kept = path.join(options.logs, `seed-${history.seed}`)
  await mkdir(kept, { recursive: true })
  await cp(folder, path.join(kept, 'files'), { recursive: true })
  const timeline = timelineOf(evidence)
  const verdict = broken.map(({ rule, text }) => `${rule}: ${text}`).join('\n')
  await writeFile(path.join(kept, 'timeline.txt'), `${describeHistory(history)}\n${verdict}\n\n${timeline}\n`)
  for (const { id, events } of evidence.peers) {
    const lines = events.map((event) => `${JSON.stringify(event)}\n`).join('')
    await writeFile(path.join(kept, `${id}.jsonl`), lines)
  }
  console.log(`${timeline}\n\n${describeHistory(history)}\n${verdict}\n`)
  console.log(`kept in ${kept}; again: npm run chaos -- --seed ${history.seed} --rounds 1`)
}

async function main(): Promise<number> {
  const options = readOptions()
  const reason = whyNoNamespaces()
  if (reason !== null) console.log(`without cuts, splits and disturbed networks: ${reason}`)
  const limits = { runtimes: options.runtimes, hosts: reason === null }
  const until = performance.now() + options.minutes * 60_000
  const played = new Map<Kind, number>()
  let failed = false
  let overloaded = 0
  for (let seed = options.seed, round = 0; round < options.rounds && performance.now() < until && !failed; seed += 1) {
    const history = historyOf(seed, limits)
    if (!options.chosen.includes(history.kind)) continue
    round += 1
    const began = performance.now()
    await playRound(history, async (evidence, folder) => {
      const broken = check(evidence)
      failed = broken.length > 0
      const seconds = ((performance.now() - began) / 1000).toFixed(1)
      const ends = evidence.clients.map(({ end }) => end?.code ?? end?.signal ?? 'hangs').join(',')
      const setup = `${history.peers.length} peers, ${history.plan.policy}`
      console.log(
        `${seed}  ${history.kind}: ${setup}, submitters ended with ${ends}; ${seconds} s${failed ? '  BROKEN' : ''}`,
      )
      if (isOverloaded(evidence)) overloaded += 1
      if (options.verbose && !failed) console.log(`${describeHistory(history)}\n${timelineOf(evidence)}`)
      if (failed) await keepFailure(options, history, evidence, broken, folder)
    })
    played.set(history.kind, (played.get(history.kind) ?? 0) + 1)
  }
  const tally = [...played].map(([kind, count]) => `${count} ${kind}`).join('; ')
  console.log(`${[...played.values()].reduce((sum, count) => sum + count, 0)} histories: ${tally}`)
  if (overloaded > 0)
    console.log(`${overloaded} of them without enough processor time: judged for safety, not for timing`)
  return failed ? 1 : 0
}

process.exitCode = await main()
