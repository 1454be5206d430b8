/**
 * npm run hosts -- [--hosts 5] [--only "clean, IPv6"] [--runtimes node,deno]
 *
 * Runs the five-stage plan on hosts with network namespaces and addresses of their own, in a private mesh, on good and
 * on bad networks, and prints what it took. Ends with 0 where namespaces cannot be made, and says why.
 */

import console from 'node:console'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { hasDeno, type Runtime } from '../e2e/cluster.ts'
import { healings, runHealing } from './healing.ts'
import { whyNoNamespaces } from './netns.ts'
import { type Outcome, runVariant, variants } from './variants.ts'

const HOSTS_MAX = 64

interface Options {
  readonly hosts: number
  readonly chosen: readonly Case[]
  readonly runtimes: readonly Runtime[]
}

interface Case {
  readonly name: string
  /** What to print of it. */
  run(hosts: number, runtimes: readonly Runtime[]): Promise<string>
}

const cases: readonly Case[] = [
  ...variants.map((variant) => ({
    name: variant.name,
    run: async (hosts: number, runtimes: readonly Runtime[]) => row(await runVariant(variant, hosts, runtimes)),
  })),
  ...healings.map((healing) => ({
    name: healing.name,
    run: async (hosts: number, runtimes: readonly Runtime[]) =>
      `one mesh again ${((await runHealing(healing, hosts, runtimes)) / 1000).toFixed(1)} s after healing`,
  })),
]

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      hosts: { type: 'string', default: '5' },
      only: { type: 'string', multiple: true, default: [] },
      runtimes: { type: 'string', default: hasDeno ? 'node,deno' : 'node' },
    },
  })
  const hosts = Number(values.hosts)
  if (!Number.isInteger(hosts) || hosts < 2 || hosts > HOSTS_MAX) throw new Error(`--hosts: 2 to ${HOSTS_MAX}`)
  const names = cases.map(({ name }) => name)
  const unknown = values.only.find((name) => !names.includes(name))
  if (unknown !== undefined) throw new Error(`--only "${unknown}": one of ${names.join('; ')}`)
  const chosen = cases.filter(({ name }) => values.only.length === 0 || values.only.includes(name))
  const runtimes = values.runtimes.split(',').map((word): Runtime => {
    if (word !== 'node' && word !== 'deno') throw new Error(`--runtimes: node, deno, or both with a comma`)
    return word
  })
  return { hosts, chosen, runtimes }
}

function row({ metMs, spreadsMs, barriersMs }: Outcome): string {
  const list = (numbers: readonly number[]) => numbers.map((number) => number.toFixed(1).padStart(7)).join('')
  return `met ${(metMs / 1000).toFixed(1).padStart(5)} s | barriers${list(barriersMs)} | starts${list(spreadsMs)}`
}

async function main(): Promise<number> {
  const { hosts, chosen, runtimes } = readOptions()
  const reason = whyNoNamespaces()
  if (reason !== null) {
    console.log(`skipped: ${reason}`)
    return 0
  }
  console.log(`${hosts} hosts (${runtimes.join(', ')}), a private mesh, five stages, one slow peer.`)
  console.log('barriers: last ready to last released, ms; starts: first to last start of each stage, ms')
  let failures = 0
  for (const { name, run } of chosen) {
    try {
      console.log(`${name.padEnd(16)}${await run(hosts, runtimes)}`)
    } catch (error) {
      failures += 1
      console.log(`${name.padEnd(16)}FAILED: ${error instanceof Error ? error.message : error}`)
    }
  }
  return failures === 0 ? 0 : 1
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
process.exitCode = await main()
