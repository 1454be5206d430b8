/**
 * What a node costs that has nothing to do: three joined peers for a while, on each runtime.
 *
 *   npm run bench:idle -- [--seconds 30] [--peers 3] [--runtimes node,deno]
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Cluster, launcher, type Runtime } from '../../test/e2e/cluster.ts'
import { costOf } from '../cost.ts'
import { median } from '../statistics.ts'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '30' },
    peers: { type: 'string', default: '3' },
    runtimes: { type: 'string', default: 'node,deno' },
  },
})

const MEET_MS = 60_000
/** After the peers have met: the election, the first pings, and the collection of what the start left (spare-memory.ts). */
const SETTLE_MS = 15_000

// The cluster ends its peers as this process exits.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
for (const runtime of values.runtimes.split(',')) {
  if (runtime !== 'node' && runtime !== 'deno') throw new Error('--runtimes: node, deno, or both with a comma')
  await measure(runtime)
}

async function measure(runtime: Runtime): Promise<void> {
  const peers = Number(values.peers)
  const seconds = Number(values.seconds)
  await using cluster = await Cluster.create()
  const nodes = Array.from({ length: peers }, (_, at) => {
    return cluster.start(`p${at + 1}`, { runtime, script: launcher, mdns: true })
  })
  const costs = () => nodes.map((node) => costOf(node.process))
  await cluster.met(undefined, MEET_MS)
  await sleep(SETTLE_MS)
  const before = costs()
  await sleep(seconds * 1000)
  const after = costs()
  const shares = after.map(({ cpuMs }, at) => (cpuMs - (before[at]?.cpuMs ?? 0)) / (seconds * 10))
  const wakeups = after.map((cost, at) => (cost.wakeups - (before[at]?.wakeups ?? 0)) / seconds)
  const memory = after.map(({ residentMiB }) => residentMiB)
  console.log(
    `${runtime.padEnd(5)} ${peers} peers, ${seconds} s: CPU median ${median(shares).toFixed(2)} %, highest ` +
      `${Math.max(...shares).toFixed(2)} % of a core; memory median ${median(memory).toFixed(0)} MiB, highest ` +
      `${Math.max(...memory).toFixed(0)} MiB; wake-ups of the main thread ${median(wakeups).toFixed(1)} a second`,
  )
}
