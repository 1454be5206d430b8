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
import { Cluster, hasDeno, type LoggedEvent, launcher, type Program, type Runtime } from '../e2e/cluster.ts'
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

/** What all others have seen, ms after the signal. */
interface Takeover {
  readonly firstLost: number
  readonly lastLost: number
  readonly elected: number
  readonly firstReleased: number
  readonly lastReleased: number
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

  async measure(round: number): Promise<Takeover> {
    const cluster = this.#cluster
    const leader = cluster.leader()
    const spot = { folder: cluster.folder, mark: `m${round}`, sequence: HELD_AT, peer: leader }
    await hold(spot)
    const seen = cluster.events.length
    const submit = await this.#submit(spot.mark)
    const others = this.#names.filter((name) => name !== leader)
    const byOthers = (event: string): LoggedEvent[] =>
      cluster.events.slice(seen).filter((one) => one.event === event && one.peer !== leader)
    const said = (event: string): LoggedEvent[] => byOthers(event).filter(({ sequence }) => sequence === HELD_AT)
    const allSaid = (event: string) => new Set(said(event).map(({ peer }) => peer)).size === others.length
    await cluster.until('all others wait', () => allSaid('barrier.waiting'))
    const at = now()
    cluster.peers.get(leader)?.kill(this.#options.fault === 'kill' ? 'SIGKILL' : 'SIGSTOP')
    await cluster.until('all others are released', () => allSaid('barrier.released'))
    const after = (events: readonly LoggedEvent[]) => events.map(({ time }) => time - at).filter((ms) => ms > 0)
    const lost = after(byOthers('leader.lost'))
    const released = after(said('barrier.released'))
    const elected = byOthers('leader.elected').filter(({ peer, leader: name }) => peer === name)
    await letGo(spot)
    await this.#recover(leader, submit)
    return {
      firstLost: Math.min(...lost),
      lastLost: Math.max(...lost),
      elected: Math.max(...after(elected)),
      firstReleased: Math.min(...released),
      lastReleased: Math.max(...released),
    }
  }

  async #recover(leader: string, submit: Program): Promise<void> {
    if (this.#options.fault === 'pause') this.#cluster.peers.get(leader)?.kill('SIGCONT')
    const { code } = await submit.ended
    if (code !== 0) throw new Error(`The submitter ended with ${code}: ${submit.stderr}\n${this.#cluster.timeline()}`)
    if (this.#options.fault === 'kill') this.#start(leader)
  }

  #start(name: string): void {
    const { runtimes } = this.#options
    const runtime = runtimes[this.#names.indexOf(name) % runtimes.length] ?? 'node'
    // As users start them.
    this.#cluster.start(name, runtime === 'node' ? { runtime, script: launcher } : { runtime })
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

function share(times: readonly number[], part: number): number {
  const sorted = [...times].sort((a, b) => a - b)
  return sorted[Math.ceil(part * sorted.length) - 1] ?? 0
}

function describe(times: readonly number[]): string {
  const [median, p90, p99, max] = [0.5, 0.9, 0.99, 1].map((part) => share(times, part).toFixed(1))
  const all = times.toSorted((a, b) => a - b).map((time) => time.toFixed(0))
  return `median ${median} ms, p90 ${p90} ms, p99 ${p99} ms, max ${max} ms\nall: ${all.join(' ')}`
}

/** Medians: what came when. */
function describeCourse(takeovers: readonly Takeover[]): string {
  const median = (what: keyof Takeover) =>
    share(
      takeovers.map((one) => one[what]),
      0.5,
    ).toFixed(1)
  return (
    `medians: the loss is seen by the first ${median('firstLost')} ms, by the last ${median('lastLost')} ms; ` +
    `a leader ${median('elected')} ms; the first release ${median('firstReleased')} ms`
  )
}

async function main(): Promise<number> {
  const options = readOptions()
  const { agents, runtimes, fault } = options
  console.log(`${agents} agents (${runtimes.join(', ')}); the leader: ${fault}, while all others wait`)
  await using cluster = await Cluster.create()
  const takeovers = new Takeovers(cluster, options)
  await takeovers.open()
  const measured: Takeover[] = []
  for (let round = 1; round <= options.times; round += 1) measured.push(await takeovers.measure(round))
  const times = measured.map(({ lastReleased }) => lastReleased)
  const budget = budgets[fault]
  console.log(`signal to last release, ${times.length} times: ${describe(times)}`)
  console.log(describeCourse(measured))
  console.log(`budget: median ${budget.median} ms, p99 ${budget.p99} ms`)
  return share(times, 0.5) <= budget.median && share(times, 0.99) <= budget.p99 ? 0 : 1
}

// The cluster ends its peers as this process exits.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
process.exitCode = await main()
