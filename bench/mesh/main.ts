/**
 * Many peers on this machine: how long until all are connected to all, until a small plan is over, and the CPU time that
 * this took.
 *
 *   npm run bench:mesh -- [--peers 64] [--runtime node]
 */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { costOf, Nodes, root, runtimes } from '../nodes.ts'
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

const peers = Number(values.peers)
await using nodes = new Nodes()
const began = performance.now()
const secondsSince = (): string => ((performance.now() - began) / 1000).toFixed(1)

nodes.start(peers, runtimes[values.runtime] ?? [], ['--allow', 'null://'])
await nodes.until('all listen', () => nodes.count('node.listening') >= peers, MEET_MS)
console.log(`${peers} peers on ${os.availableParallelism()} cores: all listen after ${secondsSince()} s`)
await nodes.until('all have met', () => nodes.count('peer.joined') >= peers * (peers - 1), MEET_MS)
const costs = nodes.children.map(costOf)
const cpu = costs.map(({ cpuMs }) => cpuMs / 1000)
console.log(
  `all ${peers * (peers - 1)} links are up after ${secondsSince()} s; CPU time ${sum(cpu).toFixed(1)} s, a peer ` +
    `${median(cpu).toFixed(2)} s; memory of a peer ${median(costs.map((one) => one.residentMiB)).toFixed(0)} MiB`,
)
const refused = nodes.events.filter(({ event }) => event === 'message.rejected')
if (refused.length > 0) console.log(`refused: ${refused.length}, the first: ${JSON.stringify(refused[0])}`)

const plan = path.join(nodes.folder, 'plan.yaml')
writeFileSync(plan, PLAN)
const submitted = performance.now()
const args = [
  'submit',
  plan,
  '--run-id',
  nodes.runId,
  '--agents',
  `${peers}`,
  '--out',
  path.join(nodes.folder, 'submit'),
]
const submit = spawn(process.execPath, [path.join(root, 'bin/paceline.js'), ...args], {
  stdio: ['ignore', 'inherit', 'inherit'],
})
const [code] = await once(submit, 'exit')
console.log(`the plan ended with exit code ${code} after ${((performance.now() - submitted) / 1000).toFixed(1)} s`)
