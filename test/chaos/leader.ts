/**
 * npm run chaos:leader -- [--agents 5] [--times 50] [--runtimes node,deno] [--fault kill|pause]
 *
 * All agents but the leader wait at a barrier (policy majority); then the leader is killed, or paused. Measured is the
 * time from the signal to the last release, as the agents logged it. Ends with 1 where it is over budget.
 */

import console from 'node:console'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { Cluster, hasDeno, type LoggedEvent, type Program, type Runtime } from '../e2e/cluster.ts'
import { now } from './crew.ts'
import { hold, letGo, planYaml } from './plan.ts'

const HELD_AT = 3
const HEARTBEAT_MS = 1000
const MISSED = 3

type Fault = 'kill' | 'pause'

/** Of the times from the signal to the last release, ms. */
const budgets: Readonly<Record<Fault, { readonly median: number; readonly p99: number }>> = {
  kill: { median: 100, p99: 500 },
  pause: { median: HEARTBEAT_MS * MISSED + 1000, p99: HEARTBEAT_MS * MISSED + 1000 },
}

interface Options {
  readonly agents: number
  readonly times: number
  readonly runtimes: readonly Runtime[]
  readonly fault: Fault
}

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      agents: { type: 'string', default: '5' },
      times: { type: 'string', default: '50' },
      runtimes: { type: 'string', default: hasDeno ? 'node,deno' : 'node' },
      fault: { type: 'string', default: 'kill' },
    },
  })
  const [agents, times, { fault }] = [Number(values.agents), Number(values.times), values]
  if (!Number.isInteger(agents) || agents < 3 || agents > 64) throw new Error('--agents: 3 to 64')
  if (!Number.isInteger(times) || times < 1) throw new Error('--times: 1 or more')
  if (fault !== 'kill' && fault !== 'pause') throw new Error('--fault: kill or pause')
  const runtimes = values.runtimes.split(',').map((word): Runtime => {
    if (word !== 'node' && word !== 'deno') throw new Error('--runtimes: node, deno, or both with a comma')
    return word
  })
  return { agents, times, runtimes, fault }
}

/** Peers that stay from plan to plan; a leader that was killed is started again under its name. */
class Takeovers {
  readonly #cluster: Cluster
  readonly #options: Options
  readonly #names: readonly string[]

  constructor(cluster: Cluster, options: Options) {
    this.#cluster = cluster
    this.#options = options
    this.#names = Array.from({ length: options.agents }, (_, at) => `p${at + 1}`)
  }

  async open(): Promise<void> {
    for (const name of this.#names) this.#start(name)
    await this.#cluster.met()
  }

  async measure(round: number): Promise<number> {
    const cluster = this.#cluster
    const leader = cluster.leader()
    const spot = { folder: cluster.folder, mark: `m${round}`, sequence: HELD_AT, peer: leader }
    await hold(spot)
    const seen = cluster.events.length
    const submit = await this.#submit(spot.mark)
    const others = this.#names.filter((name) => name !== leader)
    const said = (event: string): LoggedEvent[] =>
      cluster.events.slice(seen).filter((one) => one.event === event && one.sequence === HELD_AT && one.peer !== leader)
    const allSaid = (event: string) => new Set(said(event).map(({ peer }) => peer)).size === others.length
    await cluster.until('all others wait', () => allSaid('barrier.waiting'))
    const at = now()
    cluster.peers.get(leader)?.kill(this.#options.fault === 'kill' ? 'SIGKILL' : 'SIGSTOP')
    await cluster.until('all others are released', () => allSaid('barrier.released'))
    const last = Math.max(...said('barrier.released').map(({ time }) => time))
    await letGo(spot)
    await this.#recover(leader, submit)
    return last - at
  }

  async #recover(leader: string, submit: Program): Promise<void> {
    if (this.#options.fault === 'pause') this.#cluster.peers.get(leader)?.kill('SIGCONT')
    const { code } = await submit.ended
    if (code !== 0) throw new Error(`The submitter ended with ${code}: ${submit.stderr}\n${this.#cluster.timeline()}`)
    if (this.#options.fault === 'kill') this.#start(leader)
  }

  #start(name: string): void {
    const { runtimes } = this.#options
    this.#cluster.start(name, { runtime: runtimes[this.#names.indexOf(name) % runtimes.length] ?? 'node' })
  }

  async #submit(mark: string): Promise<Program> {
    const { folder, runId } = this.#cluster
    const file = path.join(folder, `${mark}.yaml`)
    const times = { barrierTimeoutMs: 60_000, stragglerGraceMs: 60_000, heartbeatMs: HEARTBEAT_MS }
    await writeFile(file, planYaml(folder, mark, { policy: 'majority', ...times }))
    const agents = String(this.#options.agents)
    return this.#cluster.command(['submit', file, '--run-id', runId, '--agents', agents, '--no-mdns'])
  }
}

function describe(times: readonly number[]): string {
  const sorted = [...times].sort((a, b) => a - b)
  const share = (part: number) => `${(sorted[Math.ceil(part * sorted.length) - 1] ?? 0).toFixed(1)} ms`
  const all = sorted.map((time) => time.toFixed(0)).join(' ')
  return `median ${share(0.5)}, p90 ${share(0.9)}, p99 ${share(0.99)}, max ${share(1)}\nall: ${all}`
}

async function main(): Promise<number> {
  const options = readOptions()
  const { agents, runtimes, fault } = options
  console.log(`${agents} agents (${runtimes.join(', ')}); the leader: ${fault}, while all others wait`)
  await using cluster = await Cluster.create()
  const takeovers = new Takeovers(cluster, options)
  await takeovers.open()
  const times: number[] = []
  for (let round = 1; round <= options.times; round += 1) times.push(await takeovers.measure(round))
  const budget = budgets[fault]
  const sorted = [...times].sort((a, b) => a - b)
  const [median = 0, p99 = 0] = [0.5, 0.99].map((part) => sorted[Math.ceil(part * sorted.length) - 1])
  console.log(`signal to last release, ${times.length} times: ${describe(times)}`)
  console.log(`budget: median ${budget.median} ms, p99 ${budget.p99} ms`)
  return median <= budget.median && p99 <= budget.p99 ? 0 : 1
}

// The cluster ends its peers as this process exits.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
process.exitCode = await main()
