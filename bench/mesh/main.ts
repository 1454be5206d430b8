/**
 * Many peers on this machine: how long until all know all, until a small plan is over, and the CPU time that this took.
 *
 *   npm run bench:mesh -- [--peers 64] [--runtime node]
 */

import os from 'node:os'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { Cluster, launcher } from '../../test/e2e/cluster.ts'
import { costOf } from '../cost.ts'
import { median, sum } from '../statistics.ts'

const { values } = parseArgs({
  options: { peers: { type: 'string', default: '64' }, runtime: { type: 'string', default: 'node' } },
})

const MEET_MS = 180_000
const PLAN = `
target: null://bench/
concurrency: 1
distributed:
  stages:
    - { name: check, order: 1, type: validation }
    - { name: read, order: 2, type: execute, duration: 1s }
workload:
  - { op: get, path: "*", weight: 1 }
`

const { runtime } = values
if (runtime !== 'node' && runtime !== 'deno') throw new Error('--runtime: node or deno')
const peers = Number(values.peers)
const options = { runtime, script: launcher, mdns: true } as const
// The cluster ends its peers as this process exits.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
await using cluster = await Cluster.create()
const count = (event: string): number => cluster.of(event).length
const began = performance.now()
const secondsSince = (from: number): string => ((performance.now() - from) / 1000).toFixed(1)

const nodes = Array.from({ length: peers }, (_, at) => cluster.start(`p${at + 1}`, options))
await cluster.until('all listen', () => count('node.listening') >= peers, MEET_MS)
console.log(`${peers} peers on ${os.availableParallelism()} cores: all listen after ${secondsSince(began)} s`)
await cluster.until('all have met', () => count('peer.joined') >= peers * (peers - 1), MEET_MS)
const costs = nodes.map((node) => costOf(node.process))
const cpu = costs.map(({ cpuMs }) => cpuMs / 1000)
console.log(
  `each knows the ${peers - 1} others after ${secondsSince(began)} s; CPU time ${sum(cpu).toFixed(1)} s, a peer ` +
    `${median(cpu).toFixed(2)} s; memory of a peer ${median(costs.map((one) => one.residentMiB)).toFixed(0)} MiB`,
)
const [refused] = cluster.of('message.rejected')
if (refused !== undefined) {
  console.log(`refused: ${count('message.rejected')}, the first: ${JSON.stringify(refused)}`)
}
const names = cluster.living()
await cluster.until(
  'all have a leader',
  () => names.every((name) => cluster.of('leader.elected', name).length > 0),
  MEET_MS,
)
const terms = cluster.of('leader.elected').map(({ term }) => Number(term))
console.log(`all have a leader after ${secondsSince(began)} s; highest term ${Math.max(...terms)}`)

const submitted = performance.now()
const submit = await cluster.submit(PLAN, ['--agents', `${peers}`], options)
const { code } = await submit.ended
console.log(`the plan ended with exit code ${code} after ${secondsSince(submitted)} s`)
if (code !== 0) console.log(submit.stderr)
process.exitCode = code === 0 ? 0 : 1
