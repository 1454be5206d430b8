/** Following one plan for people: hand it in, show how it goes, write the results, say how it ended. */

import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { barrierLimits, type PeerId, type PlanStatus, type StageReport } from '../barrier/mod.ts'
import type { Mesh } from '../mesh/mod.ts'
import type { NodeDocument } from './client-protocol.ts'
import { Collector, stoppedBy } from './collect.ts'
import { PacelineError } from './errors.ts'
import { EXIT_INTERRUPTED, EXIT_OF_STATUS } from './exit-codes.ts'
import { describeFailure } from './failure.ts'
import { type FollowEnd, followPlan } from './follow.ts'
import type { Plan } from './plan/mod.ts'
import {
  newPlanView,
  type PlanView,
  withDecision,
  withDigest,
  withEnd,
  withLeader,
  withLeaderless,
  withProgress,
} from './progress.ts'
import { writeReport } from './report/mod.ts'
import { openResults, type PlanResults, ResultsSoFar, type RunSummary, rewindResults } from './results/mod.ts'
import type { StopSignals } from './signals.ts'
import { type ProgressDisplay, showProgress, wantsColor } from './terminal/mod.ts'

export interface SessionOptions {
  readonly mesh: Mesh
  readonly runId: string
  readonly plan: Plan
  readonly agents: number | null
  readonly detach: boolean
  /** Folder for a result folder; null: none is written. */
  readonly out: string | null
  /** No progress: only one document at the end is wanted. */
  readonly quiet: boolean
  /** The first aborts the plan in order, the second ends the session at once. */
  readonly signals: StopSignals
  /** Whether the first signal ends the session at once as long as the plan was not accepted (the peers are its own). */
  readonly quitBeforeStart: boolean
  readonly onStarted: () => void
}

type DecisionDocument = Extract<NodeDocument, { type: 'decision' }>

export interface SessionEnd {
  readonly status: PlanStatus | 'accepted' | 'rejected' | 'lost' | 'interrupted'
  readonly plan: number
  readonly reason: string
  readonly unilateral: boolean
  readonly exit: number
  /** Null when none was asked for, or could be written. */
  readonly results: PlanResults | null
  readonly summary: RunSummary | null
}

export async function followSession(options: SessionOptions): Promise<SessionEnd> {
  const session = new Session(options)
  return await session.run()
}

class Session {
  readonly #options: SessionOptions
  readonly #display: ProgressDisplay
  #view: PlanView
  #results: PlanResults | null = null
  /** In place of a result folder, where none is asked for. */
  #soFar: ResultsSoFar | null = null
  #decisions: DecisionDocument[] = []
  readonly #submission = randomUUID()
  readonly #collector: Collector
  /** What no decision carried, as its agents told it. */
  #undelivered: StageReport[] = []
  /** Number of the plan; 0 until it is accepted. */
  #accepted = 0
  #written: Promise<void> = Promise.resolve()
  #isUnwritten = false

  constructor(options: SessionOptions) {
    this.#options = options
    this.#collector = new Collector(options.mesh, this.#submission, (report) => this.#keep(report))
    const stages = options.plan.stages.map(({ name, type, expectedSeconds }) => ({ name, type, expectedSeconds }))
    this.#view = newPlanView(options.runId, stages, Date.now())
    const isTerminal = process.stderr.isTTY === true && process.env.TERM !== 'dumb'
    const mode = options.quiet ? 'silent' : isTerminal ? 'live' : 'plain'
    this.#display = showProgress(process.stderr, this.#view, { mode, color: wantsColor(isTerminal, process.env) })
  }

  async run(): Promise<SessionEnd> {
    const { mesh, plan, agents, detach, signals } = this.#options
    const abort = new AbortController()
    void signals.first.then(() => {
      this.#display.print('aborting the plan; press Ctrl-C again to quit at once')
      abort.abort('interrupted by hand')
    })
    const following = followPlan({
      mesh,
      plan: { yaml: plan.yaml, agents, submission: this.#submission },
      detach,
      abortPlan: abort.signal,
      onDocument: (document, from) => this.#take(document, from.peerId),
      onOverruled: (sequence) => this.#goBack(sequence),
    })
    try {
      const ended = following.then((end) => this.#collector.done().then(() => end))
      const end = await Promise.race([ended, signals.second, this.#earlyQuit()])
      if (typeof end === 'string') return this.#interrupted()
      await this.#written
      const closed = await this.#close(end)
      return abort.signal.aborted && closed.exit !== 0 ? { ...closed, exit: EXIT_INTERRUPTED } : closed
    } finally {
      this.#display.close()
    }
  }

  #earlyQuit(): Promise<string> {
    return new Promise((resolve) => {
      void this.#options.signals.first.then((signal) => {
        if (this.#options.quitBeforeStart && this.#view.plan === 0) resolve(signal)
      })
    })
  }

  #interrupted(): SessionEnd {
    return {
      plan: this.#accepted,
      status: 'interrupted',
      reason: 'quit by hand',
      unilateral: false,
      exit: EXIT_INTERRUPTED,
      results: this.#results,
      summary: null,
    }
  }

  #take(document: NodeDocument, from: PeerId): void {
    const now = Date.now()
    switch (document.type) {
      case 'outcome':
        if (document.outcome.status === 'accepted') {
          this.#options.onStarted()
          this.#accepted = document.outcome.plan.number
          this.#display.print(`plan ${document.outcome.plan.number} of ${this.#options.runId} accepted`)
        }
        return
      case 'decision':
        this.#decisions.push(document)
        for (const peer of stoppedBy(document.decision)) this.#collector.ask(peer)
        this.#show(withDecision(this.#view, document.decision, document.unilateral, now))
        this.#write(document)
        return
      case 'digest':
        return this.#show(withDigest(this.#view, document.digest))
      case 'progress':
        return this.#show(withProgress(this.#view, document.peer, document.sequence, document.progress))
      case 'leader':
        return this.#show(withLeader(this.#view, document.name))
      case 'alive':
        return this.#show(withLeaderless(this.#view, document.leaderless))
      case 'finished':
        // It may be gone by the time the others have said how the plan ended.
        if (document.status === 'quorum_lost') this.#collector.ask(from)
        return
      case 'observed':
        this.#written = this.#written.then(() => this.#results?.observe(document.observation))
        return
      default:
        return
    }
  }

  #keep(report: StageReport): void {
    if (report.sequence >= 1 && report.sequence <= this.#view.stages.length) this.#undelivered.push(report)
  }

  #show(view: PlanView): void {
    this.#view = view
    this.#display.update(view)
  }

  /** What one peer decided alone after `sequence` does not count. */
  #goBack(sequence: number): void {
    this.#display.print(
      'the others are back, and have gone on together: what was shown of one peer alone does not count',
    )
    this.#decisions = this.#decisions.filter(({ decision }) => decision.sequence <= sequence)
    this.#undelivered = this.#undelivered.filter((report) => report.sequence <= sequence)
    const kept = [...this.#decisions]
    const now = Date.now()
    let view = newPlanView(this.#options.runId, this.#view.stages, now)
    for (const { decision, unilateral } of kept) view = withDecision(view, decision, unilateral, now)
    this.#show(view)
    const [start] = kept
    if (start?.decision.kind !== 'start') return
    const init = { out: this.#options.out ?? '', runId: this.#options.runId, start: start.decision }
    if (this.#soFar !== null) {
      this.#soFar = new ResultsSoFar(init.runId, init.start)
      for (const { decision, unilateral, waitedMs } of kept) this.#soFar.add(decision, unilateral, waitedMs)
    }
    this.#written = this.#written.then(async () => {
      try {
        if (this.#results !== null) this.#results = await rewindResults(this.#results.dir, init, kept)
      } catch (error) {
        this.#unwritten('results could not be written', error)
      }
    })
  }

  #write({ decision, unilateral, waitedMs }: DecisionDocument): void {
    const { out, runId } = this.#options
    if (out === null) {
      if (decision.kind === 'start') this.#soFar = new ResultsSoFar(runId, decision)
      this.#soFar?.add(decision, unilateral, waitedMs)
      return
    }
    // Agents on this host need it for their start.
    const isLast = decision.sequence >= this.#options.plan.stages.length
    const notBefore = isLast ? 0 : performance.now() + barrierLimits.startLeadMaxMs
    this.#written = this.#written.then(async () => {
      await sleep(Math.max(0, notBefore - performance.now()))
      try {
        if (decision.kind === 'start') this.#results = await openResults({ out, runId, start: decision })
        await this.#results?.recordDecision(decision, { unilateral, waitedMs })
      } catch (error) {
        this.#unwritten('results could not be written', error)
      }
    })
  }

  #unwritten(what: string, error: unknown): void {
    const message = `${what}: ${describeFailure(error).message}`
    if (this.#options.quiet) process.stderr.write(`paceline: ${message}\n`)
    else this.#display.print(message)
    this.#isUnwritten = true
  }

  async #close(end: FollowEnd): Promise<SessionEnd> {
    const plan = this.#accepted
    const { unilateral } = this.#view
    const nothing = { plan, unilateral, results: this.#results, summary: null }
    switch (end.kind) {
      case 'accepted':
        return { ...nothing, status: 'accepted', reason: '', exit: 0 }
      case 'rejected': {
        const { outcome } = end
        if (outcome.status !== 'busy') return { ...nothing, status: 'rejected', reason: outcome.detail, exit: 1 }
        const what = outcome.plan === null ? outcome.detail : `busy with plan ${outcome.plan.number}`
        const reason = `the run is ${what}; see "paceline status", and submit again once it has ended`
        return { ...nothing, status: 'rejected', reason, exit: 4 }
      }
      case 'error':
        throw new PacelineError(end.code, end.message, { exitCode: end.exit })
      case 'lost': {
        const reason = 'every peer was lost before the plan had ended'
        const summary = await this.#finish('quorum_lost', reason, unilateral)
        return { ...nothing, status: 'lost', reason, exit: 4, summary }
      }
      case 'finished': {
        const { status, reason, unilateral } = end
        this.#show(withEnd(this.#view, status, reason, unilateral))
        const summary = await this.#finish(status, reason, unilateral)
        // Who asked for results and has not got them was not served.
        const exit = Math.max(EXIT_OF_STATUS[status], this.#isUnwritten ? 1 : 0)
        return { plan, status, reason, unilateral, exit, results: this.#results, summary }
      }
    }
  }

  async #finish(status: PlanStatus, reason: string, unilateral: boolean): Promise<RunSummary | null> {
    for (const report of this.#undelivered) (this.#soFar ?? this.#results)?.addUndelivered(report)
    if (this.#soFar !== null) return this.#soFar.summary({ status, reason, unilateral })
    const results = this.#results
    if (results === null) return null
    const end = { status, reason, unilateral }
    try {
      await results.finish(end)
      await writeReport(results.dir)
    } catch (error) {
      this.#unwritten('results could not be completed', error)
    }
    return results.summary(end)
  }
}
