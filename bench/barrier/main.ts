/**
 * Barriers side by side: Paceline, a 3-member etcd barrier, a Redis counter barrier; N processes each on this host.
 *
 *   npm run bench:barrier -- [--members 3,8,16,32] [--blocks 8] [--rounds 15] [--only paceline,etcd,redis] [--json FILE]
 *
 * All members of all systems run at the same time, and the systems take turns: a block of rounds each. In a round every
 * member waits a random 0 to 20 ms, arrives, and notes when it was released and when it started to work.
 */

import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { type Block, blockOf, lineOf, ratioOf } from './figures.ts'
import { Fleet } from './fleet.ts'
import { startEtcd, startRedis } from './servers.ts'

const { values } = parseArgs({
  options: {
    members: { type: 'string', default: '3,8,16,32' },
    blocks: { type: 'string', default: '8' },
    rounds: { type: 'string', default: '15' },
    only: { type: 'string', default: 'paceline,etcd,redis' },
    json: { type: 'string' },
  },
})

/** Blocks at the beginning that warm up code and connections; not counted. */
const WARMUP_BLOCKS = 2

async function main(): Promise<void> {
  const wanted = values.only.split(',')
  const etcd = wanted.includes('etcd') ? await startEtcd() : undefined
  const redis = wanted.includes('redis') ? await startRedis() : undefined
  const environment = { paceline: {}, etcd: etcd?.environment, redis: redis?.environment }
  const systems = Object.entries(environment).filter(([system]) => wanted.includes(system))
  const all: { members: number; system: string; blocks: readonly Block[] }[] = []
  try {
    for (const members of values.members.split(',').map(Number)) {
      const present = systems.flatMap(([system, env]) => (env === undefined ? [] : [{ system, env }]))
      const measured = await measure(members, present)
      print(members, measured)
      for (const [system, blocks] of measured) all.push({ members, system, blocks })
    }
  } finally {
    await etcd?.stop()
    await redis?.stop()
  }
  if (values.json !== undefined) writeFileSync(values.json, JSON.stringify(all))
}

async function measure(
  members: number,
  systems: readonly { readonly system: string; readonly env: Readonly<Record<string, string>> }[],
): Promise<Map<string, Block[]>> {
  const [blocks, rounds] = [Number(values.blocks), 1 + Number(values.rounds)]
  const fleets: Fleet[] = []
  const measured = new Map<string, Block[]>()
  try {
    for (const { system, env } of systems) {
      const fleet = new Fleet(system)
      fleets.push(fleet)
      await fleet.start(members, (WARMUP_BLOCKS + blocks) * rounds, env)
    }
    for (let turn = 0; turn < WARMUP_BLOCKS + blocks; turn += 1) {
      for (const fleet of fleets) {
        const rows = await fleet.run(rounds)
        if (turn >= WARMUP_BLOCKS) measured.set(fleet.system, [...(measured.get(fleet.system) ?? []), blockOf(rows)])
      }
    }
  } finally {
    await Promise.all(fleets.map((fleet) => fleet.stop()))
  }
  return measured
}

function print(members: number, measured: ReadonlyMap<string, readonly Block[]>): void {
  const head = `N=${String(members).padEnd(3)} `
  for (const [system, blocks] of measured) console.log(`${head}${lineOf(system, blocks)}`)
  const own = measured.get('paceline')
  for (const [other, blocks] of measured) {
    if (own === undefined || other === 'paceline') continue
    const { middle, low, high } = ratioOf(own, blocks)
    const range = `(${low.toFixed(2)}-${high.toFixed(2)})`
    console.log(`${head}paceline / ${other}: release p50 ${middle.toFixed(2)} ${range}`)
  }
}

await main()
