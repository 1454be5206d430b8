/**
 * The story of an agent. A plan is proposed: read it, bring the engine up, arm stage 1, and only then accept. It starts:
 * open the results. The members are released into a stage: run it, say ready, arm the next one while waiting. The plan
 * ends: close the results. Agreement happens elsewhere (src/barrier); here is only what one agent does about it.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Member, Output, PlanRef, PlanStatus, StageReport, StartDecision } from '../barrier/mod.ts'
import { type Containment, now, QUIET_AFTER_START_MS, type StageResult } from '../io/mod.ts'
import type { Mesh } from '../mesh/mod.ts'
import { ownAbout } from './about.ts'
import { atMost } from './at-most.ts'
import { EXIT_OF_STATUS } from './exit-codes.ts'
import { describeFailure } from './failure.ts'
import type { AgentProgress } from './feed.ts'
import type { HandedPlan, HandIn } from './hand-in.ts'
import type { Log } from './log.ts'
import { writeReport } from './report/mod.ts'
import { type Observation, observationOf, openResults, type PlanResults } from './results/mod.ts'
import { Rig } from './rig.ts'
import { toldReport } from './stage-report.ts'
import { failedStage, sumStage } from './stage-result.ts'

export interface AgentOptions {
  readonly mesh: Mesh
  readonly runId: string
  readonly containment: Containment
  /** For S3 targets that name no host; null: as the environment says. */
  readonly endpoint: string | null
  /** Folder in which result folders are made. */
  readonly out: string
  readonly log: Log
  readonly handIn: HandIn
  /** At the end of a plan: what no decision carried. */
  readonly onUndelivered: (plan: PlanRef, reports: readonly StageReport[]) => void
  readonly onProgress: (progress: AgentProgress) => void
  readonly onPlanFinished: (exit: number) => void
}

type Event<T extends Output['type']> = Extract<Output, { type: T }>

const PROGRESS_INTERVAL_MS = 1000

/** A stage is armed before the one before it is said to be ready, unless that takes longer than this. */
const ARM_AHEAD_MS = 3000
/** A start that is announced further ahead than this is computed anew so long before it, from the clock as known then. */
const REFINE_AHEAD_MS = 60

export interface Agent {
  /**
   * Ends the plan for this agent, whose peer has left the run: stops the stage, completes the results. Resolves to the
   * exit code of the plan, which is `exit` unless it ended otherwise meanwhile; null where there was none.
   */
  leave(exit: number): Promise<number | null>
}

/** Takes part in every plan that names this peer, one at a time. */
export function startAgent(options: AgentOptions): Agent {
  const { mesh } = options
  let proposed: Rig | null = null
  let work: PlanWork | null = null
  const rigFor = (start: StartDecision): Rig => {
    const { runId, containment, endpoint } = options
    return new Rig({ self: { peer: mesh.peerId, name: mesh.name }, runId, containment, endpoint, start })
  }
  /** The rig that was brought up for the plan, which has its start now, or none. */
  const takeProposed = (): Rig | null => {
    const rig = proposed
    proposed = null
    return rig
  }
  const withdraw = async (): Promise<void> => {
    await takeProposed()
      ?.close()
      .catch((error) => warn(options.log, 'The engine did not close as it should', error))
  }
  mesh.onProposed(async (start) => {
    proposed = rigFor(start)
    await proposed.ready()
  })
  mesh.onEvent((event) => {
    if (event.type === 'plan_withdrawn') void withdraw()
    if (event.type === 'plan_started') work = new PlanWork(options, takeProposed() ?? rigFor(event.decision))
    if (work === null) return
    if (event.type === 'run_stage') work.runStage(event)
    if (event.type === 'cancel_stage') work.cancelStage(event.reason)
    if (event.type === 'decided') work.record(event)
    if (event.type === 'plan_finished') void work.finish(event)
    else work.observe(observationOf(event, work.agent, now()))
  })
  return {
    leave: async (exit) => {
      await withdraw()
      return (await work?.leave(exit)) ?? null
    },
  }
}

interface PlanEnd {
  readonly status: PlanStatus
  readonly reason: string
  readonly unilateral: boolean
  /** What this peer holds of others that no decision carried. */
  readonly reports: readonly StageReport[]
  readonly exit: number
}

/** `startAt`: own clock, ms; `offsetMs`: leader's clock minus the own one, as used for it. */
type Start = Pick<Event<'run_stage'>, 'startAt' | 'offsetMs'>

/** One that was stopped before its start has nothing to tell. */
function hasBegun({ startedAt, endedAt }: StageResult): boolean {
  return endedAt > startedAt
}

/** One plan on one agent. */
class PlanWork {
  readonly agent: string
  readonly #options: AgentOptions
  readonly #start: StartDecision
  readonly #handed: HandedPlan
  readonly #rig: Rig
  readonly #results: Promise<PlanResults | null>
  #running: { readonly cancel: AbortController; readonly done: Promise<void> } | null = null
  /** Its report of the last stage that it worked in, until a decision carries it. */
  #own: StageReport | null = null
  /** Resolves to the exit code. */
  #finished: Promise<number> | null = null
  /** Nothing that can wait is done until then; own clock, ms. */
  #quietUntil = 0
  /** Decisions are written one after another. */
  #recorded: Promise<void> = Promise.resolve()

  constructor(options: AgentOptions, rig: Rig) {
    this.#options = options
    this.#rig = rig
    this.#start = rig.start
    this.agent = rig.agent
    this.#handed = options.handIn.begin(rig.start.spec.submission)
    this.#results = this.#open()
    void rig.logOperations((name) => this.#opLogFile(name))
  }

  /** Null where results are not written either. */
  async #opLogFile(name: string): Promise<string | null> {
    try {
      return (await (await this.#results)?.opLogFile(this.agent, name)) ?? null
    } catch (error) {
      this.#warn('Operations are not logged here', error)
      return null
    }
  }

  async #open(): Promise<PlanResults | null> {
    try {
      return await openResults({ out: this.#options.out, runId: this.#options.runId, start: this.#start })
    } catch (error) {
      this.#warn('Results are not written here', error)
      return null
    }
  }

  runStage({ plan, sequence, startAt, offsetMs, members }: Event<'run_stage'>): void {
    const { log, mesh } = this.#options
    const stage = this.#stageName(sequence)
    this.#quietUntil = startAt + QUIET_AFTER_START_MS
    const cancel = new AbortController()
    const run = async (): Promise<void> => {
      const start = await this.#refined({ startAt, offsetMs }, cancel.signal)
      const measured = await this.#work(sequence, start, members, cancel.signal)
      const { ops, bytes, errors } = sumStage(measured)
      const told = toldReport({ result: measured, offsetMs: start.offsetMs, about: ownAbout() })
      const { result, payload } = told
      if (told.whole !== null) await this.#keepWhole(sequence, told.whole)
      const failure = result.status === 'ok' ? {} : { reason: result.reason, code: result.code }
      const { status, seconds } = result
      log({
        event: 'stage.finished',
        plan: plan.number,
        sequence,
        stage,
        status,
        ops,
        bytes,
        errors,
        seconds,
        ...failure,
      })
      if (hasBegun(result)) this.#own = { peer: mesh.peerId, name: this.agent, sequence, status, payload }
      // Cancelled means that the plan is over for this agent: nobody waits for it.
      if (cancel.signal.aborted) return
      // Whoever is ready can start at once: else the last one to be ready would start late.
      if (status === 'ok') await this.#armAhead(sequence + 1, members)
      mesh.ready(plan, sequence, status, payload)
      if (status !== 'ok') void this.#armAhead(sequence + 1, members)
    }
    this.#running = { cancel, done: run() }
  }

  async #keepWhole(sequence: number, report: string): Promise<void> {
    try {
      await (await this.#results)?.keepWhole(this.agent, sequence, report)
    } catch (error) {
      this.#warn('A result that is too large for others could not be written', error)
    }
  }

  async #armAhead(sequence: number, members: readonly Member[]): Promise<void> {
    if (sequence > this.#start.spec.stages.length) return
    await atMost(ARM_AHEAD_MS, this.#rig.arm(sequence, members)).catch(() => {})
  }

  /** The first start is announced long ahead, by a clock that is only then being measured. */
  async #refined(start: Start, signal: AbortSignal): Promise<Start> {
    const { startAt, offsetMs } = start
    const left = startAt - REFINE_AHEAD_MS - now()
    if (left <= 0) return start
    await sleep(left, undefined, { signal }).catch(() => {})
    const { clock, leader } = this.#options.mesh.status()
    if (clock === null || leader?.peer !== this.#start.ballot.peer) return start
    return { startAt: startAt + offsetMs - clock.offsetMs, offsetMs: clock.offsetMs }
  }

  async #work(
    sequence: number,
    { startAt, offsetMs }: Start,
    members: readonly Member[],
    signal: AbortSignal,
  ): Promise<StageResult> {
    const { log } = this.#options
    try {
      const armed = await this.#rig.arm(sequence, members)
      const stage = this.#stageName(sequence)
      return await armed.run({
        startAt,
        signal,
        onStarted: (at) =>
          log({ event: 'stage.started', plan: this.#start.plan.number, sequence, stage, at, offsetMs }),
        onProgress: this.#progressOf(sequence),
      })
    } catch (error) {
      return failedStage(error, now())
    }
  }

  #progressOf(sequence: number): (progress: AgentProgress['progress']) => void {
    const { uid } = this.#start.plan
    let last = Number.NEGATIVE_INFINITY
    return (progress) => {
      const at = now()
      if (at - last < PROGRESS_INTERVAL_MS) return
      last = at
      this.#options.onProgress({ uid, sequence, progress })
    }
  }

  cancelStage(reason: string): void {
    this.#running?.cancel.abort(new Error(reason))
  }

  record({ decision, unilateral, waitedMs }: Event<'decided'>): void {
    if (decision.plan.uid !== this.#start.plan.uid) return
    const { peerId } = this.#options.mesh
    const isOwn = ({ peer, sequence }: StageReport) => peer === peerId && sequence === this.#own?.sequence
    if (decision.kind !== 'start' && decision.reports.some(isOwn)) this.#own = null
    this.#recorded = this.#recorded.then(async () => {
      // The release into the next stage is told of right after the decision.
      await sleep(Math.max(0, this.#quietUntil - now()))
      try {
        await (await this.#results)?.recordDecision(decision, { unilateral, waitedMs })
      } catch (error) {
        this.#warn(`Decision ${decision.sequence} could not be written`, error)
      }
    })
  }

  observe(observation: Observation | null): void {
    if (observation === null || this.#finished !== null) return
    void this.#results.then((results) => results?.observe(observation))
  }

  async leave(exit: number): Promise<number> {
    const reason = 'this peer left the run'
    this.cancelStage(reason)
    return await this.#end({ status: 'excluded', reason, unilateral: false, reports: [], exit })
  }

  async finish({ plan, status, reason, unilateral, reports }: Event<'plan_finished'>): Promise<void> {
    if (plan.uid !== this.#start.plan.uid) return
    await this.#end({ status, reason, unilateral, reports, exit: EXIT_OF_STATUS[status] })
  }

  /** The first end counts. Resolves when results are written and the engine is down. */
  async #end(end: PlanEnd): Promise<number> {
    this.#finished ??= this.#close(end)
    return await this.#finished
  }

  async #close({ status, reason, unilateral, reports, exit }: PlanEnd): Promise<number> {
    await this.#running?.done
    const undelivered = this.#undelivered(reports)
    // A plan that completed has the results that its decisions have: nobody asks for more.
    this.#handed.end(status === 'completed' ? [] : undelivered)
    if (undelivered.length > 0) this.#options.onUndelivered(this.#start.plan, undelivered)
    await this.#recorded
    const results = await this.#results
    try {
      for (const report of undelivered) results?.addUndelivered(report)
      await results?.finish({ status, reason, unilateral })
      if (results !== null) await writeReport(results.dir)
    } catch (error) {
      this.#warn('The results could not be completed', error)
    }
    await this.#rig.close().catch((error) => this.#warn('The engine did not close as it should', error))
    const plan = this.#start.plan.number
    this.#options.log({ event: 'run.finished', plan, status, exit, reason, unilateral, results: results?.dir ?? '' })
    this.#options.onPlanFinished(exit)
    return exit
  }

  /** `held`: by the core, which knows nothing of a stage that it had stopped. */
  #undelivered(held: readonly StageReport[]): readonly StageReport[] {
    const own = this.#own
    if (own === null) return held
    return [own, ...held.filter(({ peer, sequence }) => peer !== own.peer || sequence !== own.sequence)]
  }

  #stageName(sequence: number): string {
    return this.#start.spec.stages[sequence - 1]?.name ?? `stage ${sequence}`
  }

  #warn(what: string, error: unknown): void {
    warn(this.#options.log, what, error)
  }
}

function warn(log: Log, what: string, error: unknown): void {
  const { code, message } = describeFailure(error)
  log({ event: 'node.warning', code, message: `${what}: ${message}` })
}
