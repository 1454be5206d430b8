/**
 * What a node costs that has nothing to do: three joined peers for a while, on each runtime.
 *
 *   npm run bench:idle -- [--seconds 30] [--peers 3] [--runtimes node,deno]
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { costOf, Nodes, runtimes } from '../nodes.ts'
import { median } from '../statistics.ts'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '30' },
    peers: { type: 'string', default: '3' },
    runtimes: { type: 'string', default: 'node,deno' },
  },
})

const MEET_MS = 60_000
/** After the peers have met: the election, the first pings, garbage of the start. */
const SETTLE_MS = 10_000

for (const runtime of values.runtimes.split(',')) await measure(runtime, runtimes[runtime] ?? [])

async function measure(runtime: string, command: readonly string[]): Promise<void> {
  const peers = Number(values.peers)
  const seconds = Number(values.seconds)
  await using nodes = new Nodes()
  nodes.start(peers, command)
  await nodes.until('all peers have met', () => nodes.count('peer.joined') >= peers * (peers - 1), MEET_MS)
  await sleep(SETTLE_MS)
  const before = nodes.children.map(costOf)
  await sleep(seconds * 1000)
  const after = nodes.children.map(costOf)
  const shares = after.map(({ cpuMs }, at) => (cpuMs - (before[at]?.cpuMs ?? 0)) / (seconds * 10))
  const wakeups = after.map((cost, at) => (cost.wakeups - (before[at]?.wakeups ?? 0)) / seconds)
  const memory = after.map(({ residentMiB }) => residentMiB)
  console.log(
    `${runtime.padEnd(5)} ${peers} peers, ${seconds} s: CPU median ${median(shares).toFixed(2)} %, highest ` +
      `${Math.max(...shares).toFixed(2)} % of a core; memory median ${median(memory).toFixed(0)} MiB, highest ` +
      `${Math.max(...memory).toFixed(0)} MiB; wake-ups of the main thread ${median(wakeups).toFixed(1)} a second`,
  )
}
