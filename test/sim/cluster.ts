/**
 * Many cores on one virtual clock. It does what the mesh does in production: carries outputs out, reports connections,
 * fires timers (late), runs stages. It knows nothing of the protocol's rules.
 */

import {
  BarrierCore,
  type Input,
  type Member,
  type Output,
  type PlanSpec,
  showInput,
  showOutput,
} from '../../src/barrier/mod.ts'
import { Bandwidth } from './bandwidth.ts'
import { Clock } from './clock.ts'
import { Links } from './links.ts'
import { Network } from './network.ts'
import type { Prng } from './prng.ts'
import type { ClusterOptions, Proc, Watcher } from './proc.ts'
import { Queue } from './queue.ts'
import { Stages } from './stages.ts'

/** More steps of one peer within one simulated second than any plan needs. */
const STEPS_PER_SECOND_MAX = 20_000

export class Cluster {
  readonly network: Network
  readonly procs: Proc[] = []
  readonly watchers: Watcher[] = []
  now = 0
  /** Messages handed to the network, by type. */
  readonly sent = new Map<string, number>()
  readonly #bandwidth: Bandwidth | null
  readonly #links: Links
  readonly #stages: Stages
  readonly #options: ClusterOptions
  readonly #prng: Prng
  readonly #queue = new Queue()
  readonly #boots = new Map<string, number>()
  readonly #clocks = new Map<string, Clock>()
  #secondStart = 0

  constructor(options: ClusterOptions) {
    this.#options = options
    this.#prng = options.prng
    this.network = new Network(options.prng.fork())
    this.#links = new Links(this, options.prng, options.meetMs ?? 50)
    this.#stages = new Stages(this, options)
    this.#bandwidth = options.charsPerMs === undefined ? null : new Bandwidth(options.charsPerMs)
  }

  get hosts(): readonly string[] {
    return this.#options.hosts
  }

  // --- time ---

  at(time: number, run: () => void): void {
    this.#queue.push(Math.max(time, this.now), run)
  }

  after(delayMs: number, run: () => void): void {
    this.#queue.push(this.now + delayMs, run)
  }

  /** Lets time pass until `end`, or until `done`. True when it was done. */
  run(end: number, done?: () => boolean): boolean {
    if (done?.() === true) return true
    for (let due = this.#queue.peek(); due !== undefined && due.at <= end; due = this.#queue.peek()) {
      this.#queue.pop()
      this.now = due.at
      if (this.now - this.#secondStart >= 1000) this.#newSecond()
      due.run()
      if (done?.() === true) return true
    }
    this.now = Math.max(this.now, end)
    return done?.() ?? false
  }

  #newSecond(): void {
    this.#secondStart = this.now
    for (const proc of this.procs) proc.steps = 0
  }

  // --- processes ---

  /** Starts the host's peer; a new peer ID each time, or (`sameId`) only a new incarnation. */
  boot(host: string, sameId = false): Proc {
    const number = (this.#boots.get(host) ?? 0) + 1
    this.#boots.set(host, number)
    const clock = this.#clockOf(host)
    const peer = number === 1 || sameId ? host : `${host}${number}`
    const member: Member = { peer, name: host, incarnation: `${number}` }
    const core = new BarrierCore({ self: member, now: clock.at(this.now), dice: this.#prng.next() })
    const proc: Proc = {
      host,
      member,
      core,
      clock,
      state: 'up',
      ending: null,
      links: new Map(),
      backlog: [],
      timerAt: null,
      timerNumber: 0,
      stage: null,
      steps: 0,
    }
    this.procs.push(proc)
    for (const watcher of this.watchers) watcher.booted(proc)
    this.#trace(proc, '*', `boot incarnation ${number}`)
    this.feed(proc, { type: 'tick' })
    this.#links.reconnectSoon(this.#prng.between(1, 100))
    return proc
  }

  crash(proc: Proc, ending: 'kill' | 'power'): void {
    if (proc.state === 'gone') return
    this.#trace(proc, '*', ending)
    this.#end(proc, ending)
  }

  pause(proc: Proc): void {
    if (proc.state !== 'up') return
    proc.state = 'paused'
    this.#trace(proc, '*', 'pause')
    // A connection monitor gives up on a peer that is silent for long.
    if (this.#prng.chance(0.5)) {
      const until = this.#prng.between(5000, 20_000)
      this.after(until, () => {
        if (proc.state === 'paused') this.#links.breakAll(proc)
      })
    }
  }

  resume(proc: Proc): void {
    if (proc.state !== 'paused') return
    proc.state = 'up'
    this.#trace(proc, '*', 'resume')
    const backlog = proc.backlog.splice(0)
    // Timers or messages first: either is possible.
    if (this.#prng.chance(0.5)) this.feed(proc, { type: 'tick' })
    for (const work of backlog) work()
    if (this.#isUp(proc)) this.feed(proc, { type: 'tick' })
    this.#links.reconnectSoon(this.#prng.between(1, 1000))
  }

  live(): Proc[] {
    return this.procs.filter((proc) => proc.state !== 'gone')
  }

  procOn(host: string): Proc | undefined {
    return this.procs.find((proc) => proc.host === host && proc.state !== 'gone')
  }

  /** Those that believe that they lead, the newest term first. */
  leaders(): Proc[] {
    const leading = this.live().filter((proc) => this.statusOf(proc).role === 'leader')
    return leading.sort((a, b) => this.statusOf(b).term - this.statusOf(a).term)
  }

  statusOf(proc: Proc): ReturnType<BarrierCore['status']> {
    return proc.core.status(proc.clock.at(this.now))
  }

  // --- what people do ---

  submit(proc: Proc, spec: PlanSpec): void {
    this.arrive(proc, { type: 'submit', spec })
  }

  abort(proc: Proc, reason: string): void {
    this.arrive(proc, { type: 'abort', reason })
  }

  leave(proc: Proc): void {
    this.arrive(proc, { type: 'leave' })
  }

  // --- the network ---

  cut(from: string, to: string, mode: 'drop' | 'hold'): void {
    this.network.cut(from, to, mode)
    this.#trace(null, '*', `cut ${from}>${to} (${mode})`)
    this.after(this.#prng.between(2000, 20_000), () => {
      if (this.network.connects(from, to)) return
      for (const [a, b] of [
        [from, to],
        [to, from],
      ] as const) {
        const proc = this.procOn(a)
        for (const other of proc?.links.values() ?? [])
          if (other.host === b && proc) this.#links.disconnected(proc, other)
      }
    })
  }

  heal(): void {
    this.#trace(null, '*', 'heal')
    for (const deliver of this.network.heal()) this.after(this.#prng.between(0.1, 50), deliver)
    this.#links.reconnectSoon(this.#prng.between(1, 1000))
  }

  /** Gives an input to a peer now, or when it goes on after its pause. */
  arrive(proc: Proc, input: Input): void {
    if (proc.state === 'paused') proc.backlog.push(() => this.arrive(proc, input))
    else this.feed(proc, input)
  }

  feed(proc: Proc, input: Input): void {
    if (proc.state !== 'up') return
    proc.steps += 1
    if (proc.steps > STEPS_PER_SECOND_MAX) throw new Error(`${proc.member.peer} does not come to rest`)
    for (const watcher of this.watchers) watcher.fed(proc, input)
    if (input.type !== 'tick') this.#trace(proc, '<', input)
    const outputs = proc.core.step(input, proc.clock.at(this.now), this.#prng.next())
    for (const output of outputs) {
      // A crash may come between two outputs of one step.
      if (!this.#isUp(proc)) return
      this.#trace(proc, '>', output)
      this.#carry(proc, output)
      for (const watcher of this.watchers) watcher.carried(proc, output)
      if (output.type === 'left') this.#end(proc, 'left')
    }
    this.#arm(proc)
  }

  #isUp(proc: Proc): boolean {
    return proc.state === 'up'
  }

  #carry(proc: Proc, output: Output): void {
    switch (output.type) {
      case 'send': {
        const target = proc.links.get(output.to)
        this.#count(output.message.type)
        if (target !== undefined) this.#transmit(proc, target, output.message)
        return
      }
      case 'broadcast':
        this.#count(`gossip ${output.message.type}`)
        this.#gossip(proc, output.message)
        return
      case 'probe':
        this.#links.probe(proc, output.peer)
        return
      case 'plan_proposed':
        this.#stages.getReady(proc, output.plan)
        return
      case 'run_stage':
        this.#stages.run(proc, output)
        return
      case 'cancel_stage':
      case 'plan_finished':
        proc.stage = null
        return
      default:
        return
    }
  }

  #count(type: string): void {
    this.sent.set(type, (this.sent.get(type) ?? 0) + 1)
  }

  #transmit(proc: Proc, target: Proc, message: Extract<Input, { type: 'message' }>['message']): void {
    const { peer: from, incarnation } = proc.member
    const copy = this.#options.copyMessages ? (JSON.parse(JSON.stringify(message)) as typeof message) : message
    const deliver = () => {
      if (target.state === 'gone') this.#resetBy(target, proc)
      else this.arrive(target, { type: 'message', from, incarnation, message: copy })
    }
    if (!this.network.passes(proc.host, target.host)) {
      this.network.hold(proc.host, target.host, deliver)
      return
    }
    const at = this.#bandwidth?.arrival(this.now, proc.host, target.host, message) ?? this.now
    for (const delay of this.network.fates()) this.at(at + delay, deliver)
  }

  /** A host that lives answers for its dead process: the connection is closed. */
  #resetBy(target: Proc, sender: Proc): void {
    if (target.ending === 'power') return
    this.after(this.network.delay(), () => this.#links.disconnected(sender, target))
  }

  /** Gossip reaches everybody that is reachable, over one other peer where the direct way is cut. */
  #gossip(proc: Proc, message: Extract<Output, { type: 'broadcast' }>['message']): void {
    const { peer: from, incarnation } = proc.member
    for (const target of this.procs) {
      if (target === proc || target.state === 'gone') continue
      const direct = this.network.passes(proc.host, target.host)
      if (!direct && !this.#links.relayed(proc, target)) continue
      for (const delay of this.network.fates()) {
        this.after(direct ? delay : delay * 2, () =>
          this.arrive(target, { type: 'message', from, incarnation, message }),
        )
      }
    }
  }

  #end(proc: Proc, ending: 'kill' | 'power' | 'left'): void {
    proc.state = 'gone'
    proc.ending = ending
    proc.stage = null
    proc.backlog.length = 0
    for (const other of this.procs) {
      if (other === proc || other.links.get(proc.member.peer) !== proc) continue
      if (ending === 'power') {
        this.after(this.#prng.between(5000, 20_000), () => this.#links.disconnected(other, proc))
      } else if (this.network.passes(proc.host, other.host)) {
        const lag = ending === 'left' ? 2 : 0
        this.after(lag + this.network.delay(), () => this.#links.disconnected(other, proc))
      } else {
        this.after(this.#prng.between(2000, 20_000), () => this.#links.disconnected(other, proc))
      }
    }
  }

  // --- timers and stages ---

  #arm(proc: Proc): void {
    const own = proc.core.nextWakeAt()
    if (own === null || proc.state !== 'up') return
    // Timers have a resolution of one millisecond, and are late rather than early.
    const at = Math.max(this.now + 0.05, proc.clock.when(own) + 0.01 + this.#prng.next())
    if (proc.timerAt !== null && proc.timerAt <= at && proc.timerAt > this.now) return
    proc.timerAt = at
    proc.timerNumber += 1
    const number = proc.timerNumber
    this.#queue.push(at, () => this.#fire(proc, number))
  }

  #fire(proc: Proc, number: number): void {
    if (proc.timerNumber !== number) return
    proc.timerAt = null
    if (proc.state !== 'up') return
    const own = proc.core.nextWakeAt()
    if (own !== null && own <= proc.clock.at(this.now)) this.feed(proc, { type: 'tick' })
    else this.#arm(proc)
  }

  #clockOf(host: string): Clock {
    const known = this.#clocks.get(host)
    if (known !== undefined) return known
    const { clockOffsetMs, clockDrift } = this.#options
    // Far from 0, so that a time taken for a duration shows.
    const offset = 1_000_000 + this.#prng.between(-clockOffsetMs, clockOffsetMs)
    const clock = new Clock(offset, 1 + this.#prng.between(-clockDrift, clockDrift))
    this.#clocks.set(host, clock)
    return clock
  }

  #trace(proc: Proc | null, mark: '<' | '>' | '*', what: Input | Output | string): void {
    const { trace } = this.#options
    if (trace === null) return
    const text = typeof what === 'string' ? what : mark === '<' ? showInput(what as Input) : showOutput(what as Output)
    trace(`${this.now.toFixed(2).padStart(10)} ${(proc?.member.peer ?? '-').padEnd(4)} ${mark} ${text}`)
  }
}
