/** One seed, one history, two acts: in the first all may go wrong and nothing may break; in the second all is mended. */

import { InvariantError, type Output, type PlanSpec } from '../../src/barrier/mod.ts'
import { Checker } from './checker.ts'
import { Cluster } from './cluster.ts'
import { SimFailure } from './failure.ts'
import { IncarnationRule } from './incarnations.ts'
import { fairWeather } from './network.ts'
import { PatienceRule } from './patience.ts'
import type { Prng } from './prng.ts'
import type { Proc } from './proc.ts'
import { checkProgress } from './progress.ts'
import { PromiseRule } from './promises.ts'
import { makeScenario, planSpec, type Scenario, stageCourse, type Trigger, type Trouble } from './scenario.ts'
import { SteadyRule } from './steady.ts'
import { SubmissionRule } from './submissions.ts'

export interface HistoryOptions {
  readonly trace?: (line: string) => void
  readonly members?: number
}

export interface History {
  readonly counts: ReadonlyMap<string, number>
  readonly simulatedMs: number
}

/** Lives through one history. Throws SimFailure. */
export function runHistory(seed: number, options: HistoryOptions = {}): History {
  const act = new Performance(makeScenario(seed, options.members), options.trace ?? null)
  try {
    return act.play()
  } catch (error) {
    if (error instanceof SimFailure) throw error
    const text =
      error instanceof InvariantError ? error.message : error instanceof Error ? (error.stack ?? '') : String(error)
    throw new SimFailure('crash', text)
  }
}

class Performance {
  readonly #scenario: Scenario
  readonly #prng: Prng
  readonly #cluster: Cluster
  readonly #checker: Checker
  readonly #steady: SteadyRule
  readonly #outcomes = new Map<Proc, Set<string>>()
  #lastPlan = false
  #armed: { trigger: Trigger; left: number }[]

  constructor(scenario: Scenario, trace: ((line: string) => void) | null) {
    this.#scenario = scenario
    this.#prng = scenario.chance
    const courses = scenario.chance.fork()
    this.#cluster = new Cluster({
      prng: scenario.chance.fork(),
      hosts: scenario.hosts,
      trace,
      clockOffsetMs: scenario.clockOffsetMs,
      clockDrift: scenario.clockDrift,
      copyMessages: scenario.copyMessages,
      armMs: ({ host }) => scenario.armMs.get(host) ?? 0,
      stage: (proc, plan, sequence) => {
        const stage = this.#checker.books.plans.get(plan.uid)?.stages[sequence - 1]
        if (stage === undefined) throw new SimFailure('correctness', `a stage that is not in the plan: ${sequence}`)
        if (this.#lastPlan) return { durationMs: 100, status: 'ok' }
        return stageCourse(scenario, courses, proc.host, stage)
      },
    })
    const cluster = this.#cluster
    this.#checker = new Checker({ now: () => cluster.now, calm: scenario.calm, clocksJump: scenario.clocksJump })
    this.#armed = scenario.triggers.map((trigger) => ({ trigger, left: trigger.skip }))
    this.#steady = new SteadyRule(cluster, this.#checker)
    cluster.watchers.push(
      this.#checker,
      new IncarnationRule(),
      new PromiseRule(),
      new PatienceRule(cluster, this.#checker.books),
      new SubmissionRule(this.#checker.books),
      {
        booted: () => undefined,
        fed: () => undefined,
        carried: (proc, output) => this.#onOutput(proc, output),
      },
    )
    if (scenario.lightWeather && !scenario.clocksJump) cluster.watchers.push(this.#steady)
    cluster.network.weather = { ...scenario.weather }
  }

  play(): History {
    const { healAt, calm } = this.#scenario
    this.#plan()
    this.#cluster.run(healAt)
    this.#heal()
    this.#mustEnd()
    this.#mustWorkAgain()
    if (calm) this.#mustBePerfect()
    this.#checker.tally.add('histories')
    return { counts: this.#checker.tally.counts, simulatedMs: this.#cluster.now }
  }

  #plan(): void {
    const { hosts, lateHosts, submits, aborts, troubles } = this.#scenario
    const cluster = this.#cluster
    for (const host of hosts) cluster.at(lateHosts.get(host) ?? this.#prng.between(0, 50), () => cluster.boot(host))
    for (const { at, spec, copies } of submits) {
      cluster.at(at, () => {
        for (const proc of this.#prng.shuffled(cluster.live()).slice(0, copies)) this.#submit(proc, spec)
      })
    }
    for (const [index, { at }] of aborts.entries()) {
      cluster.at(at, () => {
        const live = cluster.live()
        if (live.length > 0) cluster.abort(this.#prng.pick(live), `abort ${index}`)
      })
    }
    for (const { at, trouble, victim, lastsMs } of troubles) {
      cluster.at(at, () => {
        for (const proc of this.#victims(victim)) this.#strike(proc, trouble, lastsMs)
      })
    }
  }

  #submit(proc: Proc, spec: PlanSpec): void {
    const asked = this.#submitted.get(proc) ?? new Set()
    asked.add(spec.submission)
    this.#submitted.set(proc, asked)
    this.#cluster.submit(proc, spec)
  }

  #victims(which: 'leader' | 'anyone' | 'several'): Proc[] {
    const live = this.#cluster.live()
    if (live.length === 0) return []
    if (which === 'leader') return this.#cluster.leaders().slice(0, 1)
    return this.#prng.shuffled(live).slice(0, which === 'anyone' ? 1 : this.#prng.int(1, live.length))
  }

  #strike(proc: Proc, trouble: Trouble, lastsMs: number): void {
    const cluster = this.#cluster
    if (proc.state === 'gone' || cluster.now >= this.#scenario.healAt) return
    this.#checker.tally.add(`trouble ${trouble}`)
    if (trouble !== 'snap') this.#steady.disturbed(proc.host, trouble === 'leave' ? 0 : lastsMs)
    switch (trouble) {
      case 'crash':
      case 'power':
        return cluster.crash(proc, trouble === 'crash' ? 'kill' : 'power')
      case 'restart':
        cluster.crash(proc, this.#prng.chance(0.8) ? 'kill' : 'power')
        this.#rebootAfter(proc.host, lastsMs)
        return
      case 'pause':
        cluster.pause(proc)
        cluster.after(lastsMs, () => cluster.resume(proc))
        return
      case 'leave':
        return cluster.leave(proc)
      case 'jump':
        return proc.clock.jump(cluster.now, this.#prng.pick([50, 2000, 100_000]))
      default:
        this.#cut(proc, trouble, lastsMs)
        cluster.after(lastsMs, () => cluster.heal())
    }
  }

  /** At the latest soon after the healing: act two has a known cast. */
  #rebootAfter(host: string, delayMs: number): void {
    const cluster = this.#cluster
    const latest = this.#scenario.healAt + this.#prng.between(0, 3000)
    cluster.at(Math.min(cluster.now + delayMs, latest), () => {
      if (cluster.procOn(host) === undefined) cluster.boot(host, this.#scenario.sameIds)
    })
  }

  #cut(proc: Proc, trouble: 'isolate' | 'deafen' | 'mute' | 'split' | 'snap', lastsMs: number): void {
    const { hosts, cutMode } = this.#scenario
    const side = trouble === 'split' ? new Set(hosts.filter(() => this.#prng.chance(0.5))) : new Set([proc.host])
    const only = trouble === 'snap' ? this.#prng.pick(hosts) : null
    for (const a of side) {
      for (const b of hosts) {
        if (side.has(b) || (only !== null && only !== b)) continue
        this.#steady.cut(a, b, lastsMs)
        if (trouble !== 'deafen') this.#cluster.cut(a, b, cutMode)
        if (trouble !== 'mute') this.#cluster.cut(b, a, cutMode)
      }
    }
  }

  #onOutput(proc: Proc, output: Output): void {
    if (output.type === 'submit_outcome') {
      const told = this.#outcomes.get(proc) ?? new Set()
      told.add(output.submission)
      this.#outcomes.set(proc, told)
    }
    if (this.#armed.length === 0) return
    for (const entry of this.#armed) {
      if (!matches(entry.trigger, output)) continue
      if (entry.left > 0) entry.left -= 1
      else this.#pull(entry.trigger, proc, output)
    }
    this.#armed = this.#armed.filter(({ trigger, left }) => left >= 0 && !this.#pulled.has(trigger))
  }

  readonly #pulled = new Set<Trigger>()

  #pull(trigger: Trigger, proc: Proc, output: Output): void {
    if (this.#pulled.has(trigger)) return
    this.#pulled.add(trigger)
    const strike = () => {
      for (const victim of this.#victimsOf(trigger, proc, output)) {
        this.#strike(victim, trigger.trouble, trigger.lastsMs)
      }
    }
    if (trigger.delayMs === 0 && (trigger.trouble === 'crash' || trigger.trouble === 'restart')) strike()
    else this.#cluster.after(trigger.delayMs, strike)
  }

  #victimsOf(trigger: Trigger, proc: Proc, output: Output): readonly Proc[] {
    const live = this.#cluster.live()
    switch (trigger.victim) {
      case 'sender':
        return [proc]
      case 'leader':
        return this.#cluster.leaders().slice(0, 1)
      case 'receiver':
        return this.#receiver(proc, output) ?? this.#oneOf(live)
      case 'anyone':
        return this.#oneOf(live)
      case 'others':
        return live.filter((other) => other !== proc && this.#prng.chance(0.7))
    }
  }

  #receiver(proc: Proc, output: Output): readonly Proc[] | undefined {
    if (output.type !== 'send') return undefined
    const receiver = proc.links.get(output.to)
    return receiver === undefined ? [] : [receiver]
  }

  #oneOf(live: readonly Proc[]): readonly Proc[] {
    return live.length === 0 ? [] : [this.#prng.pick(live)]
  }

  // --- act two ---

  #heal(): void {
    const cluster = this.#cluster
    cluster.network.weather = { ...fairWeather }
    cluster.heal()
    for (const proc of cluster.live()) cluster.resume(proc)
    this.#checker.books.healedAt = cluster.now
  }

  /** Every plan ends for every peer that lives, and every submission is answered. */
  #mustEnd(): void {
    const cluster = this.#cluster
    const { submits } = this.#scenario
    let boundMs = 60_000
    for (const { spec } of submits) {
      boundMs += spec.agentReadyTimeoutMs + 5000
      // Slow stages, each followed by a full timeout, and time for a successor to be elected.
      for (const { barrier } of spec.stages) boundMs += 2000 + 4 * barrier.barrierTimeoutMs + 10_000
    }
    const end = cluster.now + boundMs
    const idle = () =>
      cluster.live().every((proc) => this.#nothingLeft(proc) && this.#statusIdle(proc) && this.#answered(proc))
    let calm = false
    while (!calm && cluster.now < end) {
      cluster.run(Math.min(end, cluster.now + 250))
      checkProgress(cluster, this.#checker)
      calm = idle()
    }
    if (!calm) this.#fail(`not at rest ${boundMs / 1000} s after the healing`)
  }

  #nothingLeft(proc: Proc): boolean {
    return this.#checker.planOf(proc) === null && this.#checker.proposedTo(proc) === null
  }

  #statusIdle(proc: Proc): boolean {
    return this.#cluster.statusOf(proc).plan === null
  }

  #answered(proc: Proc): boolean {
    const told = this.#outcomes.get(proc)
    for (const submission of this.#submitted.get(proc) ?? []) if (told?.has(submission) !== true) return false
    return true
  }

  readonly #submitted = new Map<Proc, Set<string>>()

  /** A last plan with everybody: whatever happened before, the mesh works. */
  #mustWorkAgain(): void {
    const cluster = this.#cluster
    // What was still on its way has arrived by then, doubled and late as it may be.
    cluster.run(cluster.now + 12_000)
    this.#mustEnd()
    const live = cluster.live()
    if (live.length === 0) return
    const barrier = {
      policy: 'all_or_nothing',
      heartbeatIntervalMs: 1000,
      missedThreshold: 3,
      queryTimeoutMs: 1000,
      queryRetries: 2,
      barrierTimeoutMs: 600_000,
      stragglerGraceMs: 10_000,
    } as const
    const wanted = { kind: 'count', count: live.length } as const
    const spec = planSpec(this.#prng, `s${this.#scenario.seed}-last`, wanted, barrier, 2)
    const last = {
      ...spec,
      agentReadyTimeoutMs: 30_000,
      stages: spec.stages.map((stage) => ({ ...stage, optional: true })),
    }
    const submitter = this.#prng.pick(live)
    this.#lastPlan = true
    this.#submit(submitter, last)
    const finished = () =>
      live.every((proc) =>
        [...this.#checker.books.plans.values()].some(
          (plan) => plan.ended.get(proc) === 'completed' && plan.stages === this.#stagesOf(last.submission),
        ),
      )
    if (!cluster.run(cluster.now + 90_000, finished)) this.#fail('a plan after the healing does not complete')
  }

  #stagesOf(submission: string): unknown {
    for (const plan of this.#checker.books.plans.values()) {
      const start = plan.chosen.get(0)?.decision
      if (start?.kind === 'start' && start.spec.submission === submission) return plan.stages
    }
    return undefined
  }

  #mustBePerfect(): void {
    for (const plan of this.#checker.books.plans.values()) {
      for (const status of plan.ended.values()) {
        if (status !== 'completed') this.#fail(`a peer ended ${status} although nothing was disturbed`)
      }
    }
  }

  #fail(what: string): never {
    const lines = this.#cluster.live().map((proc) => {
      const { role, leader, plan, sequence, stage } = this.#cluster.statusOf(proc)
      const at = plan === null ? 'idle' : `${plan.uid}#${sequence} stage ${stage}`
      return `${proc.member.peer}: ${role} of ${leader?.peer ?? 'nobody'}, ${at}, answered ${this.#answered(proc)}`
    })
    throw new SimFailure('liveness', `${what} at ${this.#cluster.now.toFixed(0)} ms\n  ${lines.join('\n  ')}`)
  }
}

function matches(trigger: Trigger, output: Output): boolean {
  const type = output.type === 'send' ? `send ${output.message.type}` : output.type
  if (type !== trigger.on) return false
  if (trigger.where === 'any') return true
  const about = output.type === 'send' ? output.message : output
  const sequence = 'sequence' in about ? about.sequence : 'decision' in about ? about.decision.sequence : undefined
  return sequence === undefined || (trigger.where === 'start' ? sequence === 0 : sequence > 0)
}
