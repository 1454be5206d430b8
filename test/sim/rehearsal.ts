/** A cluster for hand-written scenarios: everything goes as planned, except what the test breaks. */

import type { Output, PlanSpec } from '../../src/barrier/mod.ts'
import { Checker } from './checker.ts'
import { Cluster } from './cluster.ts'
import { IncarnationRule } from './incarnations.ts'
import { Prng } from './prng.ts'
import type { Proc } from './proc.ts'
import { PromiseRule } from './promises.ts'
import { hostName } from './scenario.ts'
import { SteadyRule } from './steady.ts'

const LOOK_MS = 5

export interface Seen {
  readonly at: number
  readonly host: string
  readonly output: Output
}

export interface RehearsalOptions {
  readonly count: number
  readonly seed?: number
  readonly stageMs?: (host: string, sequence: number) => number
  /** Of each member's results, and what a host can send and receive in a millisecond. */
  readonly chars?: number
  readonly charsPerMs?: number
  readonly armMs?: (host: string) => number
}

export class Rehearsal {
  readonly cluster: Cluster
  readonly checker: Checker
  /** What peers did, messages apart. */
  readonly seen: Seen[] = []
  readonly #steady: SteadyRule

  /** All run their stages for `stageMs`, or as long as it says by host. */
  constructor(options: RehearsalOptions) {
    const { count, seed = 1, stageMs = () => 100, chars = 0, charsPerMs, armMs } = options
    this.cluster = new Cluster({
      prng: new Prng(seed),
      hosts: Array.from({ length: count }, (_, index) => hostName(index)),
      stage: (proc, _plan, sequence) => ({ durationMs: stageMs(proc.host, sequence), status: 'ok', chars }),
      trace: null,
      clockOffsetMs: 1000,
      clockDrift: 0,
      copyMessages: false,
      ...(charsPerMs === undefined ? {} : { charsPerMs }),
      ...(armMs === undefined ? {} : { armMs: ({ host }) => armMs(host) }),
    })
    const { cluster } = this
    this.checker = new Checker({ now: () => cluster.now, calm: false, clocksJump: false })
    this.#steady = new SteadyRule(cluster, this.checker)
    // A leader that cannot get a word through is no healthy one.
    if (charsPerMs === undefined) cluster.watchers.push(this.#steady)
    cluster.watchers.push(this.checker, new IncarnationRule(), new PromiseRule(), {
      booted: () => undefined,
      fed: () => undefined,
      carried: ({ host }, output) => {
        if (output.type !== 'send' && output.type !== 'broadcast') this.seen.push({ at: cluster.now, host, output })
      },
    })
  }

  /** All peers are up, one of them leads, and all run the first stage of the plan. Returns the leader. */
  start(spec: PlanSpec): Proc {
    const { cluster } = this
    for (const host of cluster.hosts) cluster.boot(host)
    this.until(10_000, () => this.elections().length > 0)
    // Peers that found each other late may still elect another one.
    cluster.run(cluster.now + 3000)
    const [first] = cluster.live()
    if (first === undefined) throw new Error('nobody is there')
    cluster.submit(first, spec)
    this.until(10_000, () => cluster.live().every(({ stage }) => stage?.sequence === 1))
    return this.leader()
  }

  leader(): Proc {
    const [leader] = this.cluster.leaders()
    if (leader === undefined) throw new Error('nobody leads')
    return leader
  }

  others(proc: Proc): Proc[] {
    return this.cluster.live().filter((other) => other !== proc)
  }

  /** Lets time pass until it is so, looked at every few ms; throws when it takes longer than `ms`. */
  until(ms: number, done: () => boolean): void {
    const end = this.cluster.now + ms
    while (!done()) {
      if (this.cluster.now >= end) throw new Error(`it does not come to that within ${ms} ms`)
      this.cluster.run(Math.min(end, this.cluster.now + LOOK_MS))
    }
  }

  /** What `from` says to `to` is lost from now on. */
  cut(from: readonly Proc[], to: readonly Proc[]): void {
    for (const a of from) {
      for (const b of to) {
        if (a === b) continue
        this.cluster.network.cut(a.host, b.host, 'drop')
        this.#steady.cut(a.host, b.host, 0)
      }
    }
  }

  /** Peers by how their plan ended. */
  endings(): Record<string, string> {
    const ends: Record<string, string> = {}
    for (const { host, output } of this.seen) {
      if (output.type === 'plan_finished') ends[host] = output.status
    }
    return ends
  }

  elections(): Seen[] {
    return this.seen.filter(({ host, output }) => output.type === 'leader_elected' && output.ballot.peer === host)
  }
}
