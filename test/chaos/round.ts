/** One history played on real processes, to its end. */

import { setTimeout as sleep } from 'node:timers/promises'
import { Crew, type Process, type Submission } from './crew.ts'
import type { Evidence } from './evidence.ts'
import { type Act, describeStep, type History, type When, type Who } from './history.ts'
import { HELD, hold, letGo, makeFail, type PlanOptions, type Spot } from './plan.ts'

const MEET_MS = 120_000
/** A moment that does not come within this time is not waited for. */
const MOMENT_MS = 20_000
/** After the last fault, beside the plan's own time-outs: for elections, for work, for a busy machine. */
const PATIENCE_MS = 45_000
const HEAL_MS = 60_000
const ABORT_MS = 30_000
const INTERRUPTED = 130

/** Plays a history; `judge` gets what it left behind, and the folder with all its files before that is removed. */
export async function playRound(
  history: History,
  judge: (evidence: Evidence, folder: string) => Promise<void>,
): Promise<void> {
  await using crew = await Crew.create(history)
  // Nothing is left behind by a round that is cut short either.
  const stop = () => void crew[Symbol.asyncDispose]().then(() => process.exit(INTERRUPTED))
  const signals = ['SIGINT', 'SIGTERM'] as const
  for (const signal of signals) process.once(signal, stop)
  const hung = await new Round(crew).play()
  await judge(await crew.evidence(hung), crew.cluster.folder)
  for (const signal of signals) process.off(signal, stop)
}

class Round {
  readonly #crew: Crew
  readonly #history: History
  /** Who is held, or fails, by sequence. */
  readonly #spots: Spot[] = []
  #main: Submission | undefined
  /** Events seen when the last act was done. */
  #seen = 0

  constructor(crew: Crew) {
    this.#crew = crew
    this.#history = crew.history
  }

  /** Returns what should have ended by itself and did not. */
  async play(): Promise<string[]> {
    const { peers, plan, steps } = this.#history
    await this.#crew.cluster.met(
      peers.map(({ name }) => name),
      MEET_MS,
    )
    await this.#place()
    this.#main = await this.#crew.submit(plan, peers.length)
    this.#crew.note(`plan ${this.#main.mark} handed in`)
    for (const step of steps) {
      if (!(await this.#reach(step.when))) {
        this.#crew.note(`not done, its moment never came: ${describeStep(step)}`)
        continue
      }
      if (step.delayMs > 0) await sleep(step.delayMs)
      this.#seen = this.#crew.cluster.events.length
      this.#crew.note(describeStep(step))
      await this.#act(step.act, step.pick)
    }
    return await this.#end()
  }

  async #place(): Promise<void> {
    const { folder } = this.#crew.cluster
    for (const [list, put] of [
      [this.#history.holds, hold],
      [this.#history.fails, makeFail],
    ] as const) {
      for (const { sequence, who, pick } of list) {
        for (const { name } of this.#resolve(who, pick)) {
          const spot = { folder, mark: 'm1', sequence, peer: name }
          await put(spot)
          if (put === hold) this.#spots.push(spot)
        }
      }
    }
  }

  /** Resolves to false where the plan ends first, or the moment does not come. */
  async #reach(when: When): Promise<boolean> {
    if (when.kind === 'submitted' || when.kind === 'at once') return true
    const come = () => this.#hasCome(when)
    await this.#crew.cluster.until('a moment', () => come() || this.#isOver(), MOMENT_MS).catch(() => {})
    return come()
  }

  #hasCome(when: When): boolean {
    const { cluster } = this.#crew
    const since = cluster.events.slice(this.#seen)
    switch (when.kind) {
      case 'lost':
      case 'elected':
        return since.some(({ event }) => event === `leader.${when.kind}`)
      case 'started':
      case 'released': {
        const event = when.kind === 'started' ? 'stage.started' : 'barrier.released'
        return cluster.of(event).some(({ sequence }) => sequence === when.sequence)
      }
      case 'waiting':
        // Too late for that, but not for the act.
        return (
          this.#allWait(when.sequence) || cluster.of('barrier.released').some((one) => one.sequence === when.sequence)
        )
      default:
        return true
    }
  }

  #allWait(sequence: number): boolean {
    const held = this.#spots.filter((spot) => spot.sequence === sequence).map(({ peer }) => peer)
    const free = this.#crew.able().filter(({ name }) => !held.includes(name))
    const waits = (process: Process) =>
      this.#crew.eventsOf(process).some((event) => event.event === 'barrier.waiting' && event.sequence === sequence)
    const part = free.filter((process) => this.#crew.eventsOf(process).some(({ event }) => event === 'plan.accepted'))
    return part.length > 0 && part.length === free.length && part.every(waits)
  }

  /** Nobody works on a plan any more, and the first one was begun or given up. */
  #isOver(): boolean {
    return this.#main?.program.end !== null && this.#crew.able().every((process) => this.#isIdle(process))
  }

  #isIdle(process: Process): boolean {
    const events = this.#crew.eventsOf(process)
    const count = (name: string) => events.filter(({ event }) => event === name).length
    if (count('plan.accepted') > count('run.finished')) return false
    return !(this.#history.once && count('run.finished') > 0)
  }

  async #act(act: Act, pick: number): Promise<void> {
    const crew = this.#crew
    switch (act.kind) {
      case 'kill':
        return crew.kill(this.#resolve(act.who, pick))
      case 'leave':
        return crew.tellToLeave(this.#resolve(act.who, pick))
      case 'pause':
        return crew.pause(this.#resolve(act.who, pick), act.forMs)
      case 'cut':
        return crew.cut(this.#namesOf(act.who, pick), act.way, act.forMs)
      case 'split':
        return crew.split(this.#half(act.leaderWith), act.forMs)
      case 'restart': {
        const gone = crew.processes.filter(({ name, troubles }) => {
          const again = crew.able().some((other) => other.name === name)
          return troubles.some(({ kind }) => kind === 'killed') && !again
        })
        for (const name of new Set(gone.map((process) => process.name))) await crew.start(name)
        return
      }
      case 'let go':
        return await this.#letGo()
      case 'submit':
        await crew.submit(this.#history.plan, Math.max(1, crew.able().length))
        return
      case 'abort':
        void this.#abort()
        return
      case 'interrupt':
      case 'kill the submitter': {
        if (this.#main !== undefined) crew.signalClient(this.#main, act.kind === 'interrupt' ? 'SIGINT' : 'SIGKILL')
        return
      }
    }
  }

  async #abort(): Promise<void> {
    const { code } = await this.#crew.abort()
    this.#crew.note(`abort ended with ${code}`)
  }

  async #letGo(): Promise<void> {
    for (const spot of this.#spots) await letGo(spot)
  }

  #namesOf(who: Who, pick: number): string[] {
    return this.#resolve(who, pick).map(({ name }) => name)
  }

  /** The processes that are meant, of those that can do anything; nobody where nobody fits. */
  #resolve(who: Who, pick: number): Process[] {
    const able = this.#crew.able()
    const leader = this.#leader()
    const others = able.filter((process) => process !== leader)
    const choose = (list: readonly Process[]) => list[Math.floor(pick * list.length)]
    const some = (count: number) => {
      const from = Math.floor(pick * able.length)
      return [...able.slice(from), ...able.slice(0, from)].slice(0, count)
    }
    switch (who) {
      case 'leader':
        return leader === undefined ? [] : [leader]
      case 'other':
        return [choose(others)].filter((process) => process !== undefined)
      case 'held': {
        const held = new Set(this.#spots.map(({ peer }) => peer))
        return [choose(able.filter(({ name }) => held.has(name)))].filter((process) => process !== undefined)
      }
      case 'few':
        return some(Math.max(1, Math.ceil(able.length / 2) - 1))
      case 'most':
        return some(Math.floor(able.length / 2) + 1)
      case 'all':
        return able
    }
  }

  #leader(): Process | undefined {
    const able = this.#crew.able()
    const pids = new Set(able.map(({ program }) => program.process.pid))
    const elected = this.#crew.cluster.of('leader.elected').filter(({ pid }) => pids.has(pid))
    const newest = elected.reduce((best, one) => (Number(one.term) >= Number(best?.term ?? 0) ? one : best), elected[0])
    return able.find(({ name }) => name === newest?.leader)
  }

  /** A minority, with the leader in it or not. */
  #half(leaderWith: 'few' | 'most'): string[] {
    const names = this.#crew.able().map(({ name }) => name)
    const leader = this.#leader()?.name
    const others = names.filter((name) => name !== leader)
    const count = Math.max(1, Math.ceil(names.length / 2) - 1)
    return leader !== undefined && leaderWith === 'few'
      ? [leader, ...others.slice(0, count - 1)]
      : others.slice(0, count)
  }

  async #end(): Promise<string[]> {
    const { cluster } = this.#crew
    await this.#letGo()
    await cluster.until('all is undone', () => !this.#crew.troubled, MOMENT_MS).catch(() => {})
    while (this.#crew.troubled) await sleep(50)
    const bound = PATIENCE_MS + this.#history.plan.barrierTimeoutMs * HELD.length
    await cluster.until('all have ended', () => this.#isSettled(), bound).catch(() => {})
    const hung = this.#unsettled()
    if (hung.length === 0 && !this.#history.once) hung.push(...(await this.#onceMore()))
    return [...hung, ...(await this.#sendHome())]
  }

  #isSettled(): boolean {
    return this.#unsettled().length === 0
  }

  #unsettled(): string[] {
    const clients = this.#crew.submissions
      .filter(({ program }) => program.end === null)
      .map(({ mark }) => `the submitter of ${mark}`)
    const peers = this.#crew.able().filter((process) => !this.#isIdle(process))
    return [...clients, ...peers.map(({ id }) => id)]
  }

  /** After all that, whoever lives goes through one more plan, together. */
  async #onceMore(): Promise<string[]> {
    const able = this.#crew.able()
    if (able.length === 0) return []
    const { cluster } = this.#crew
    const oneLeads = () => {
      const leaders = able.map((process) => {
        const own = this.#crew.eventsOf(process).filter(({ event }) => event === 'leader.elected')
        return own.at(-1)?.leader
      })
      return new Set(leaders).size === 1 && able.some(({ name }) => name === leaders[0])
    }
    this.#crew.note('one more plan for all who live')
    await cluster.until('one leads them all', oneLeads, HEAL_MS).catch(() => {})
    if (!oneLeads()) return ['the mesh: there is no one leader again']
    const calm: PlanOptions = { ...this.#history.plan, policy: 'all_or_nothing', barrierTimeoutMs: 30_000 }
    await this.#crew.submit(calm, able.length, true)
    await cluster.until('the last plan has ended', () => this.#isSettled(), PATIENCE_MS + ABORT_MS).catch(() => {})
    return this.#unsettled()
  }

  /** Peers that stay leave when they are told to. */
  async #sendHome(): Promise<string[]> {
    const left = this.#crew.able()
    const gone = ({ program }: Process) => program.end !== null
    this.#crew.tellToLeave(left)
    await this.#crew.cluster.until('all have left', () => left.every(gone), 15_000).catch(() => {})
    return left.filter((process) => !gone(process)).map(({ id }) => `${id}, after SIGTERM`)
  }
}
