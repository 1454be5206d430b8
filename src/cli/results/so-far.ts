/** A plan's results while it runs, without files: what its result folder would hold. */

import type { Decision, PlanStatus, StageReport, StartDecision } from '../../barrier/mod.ts'
import { latenciesOf } from './latency-log.ts'
import type { Observation } from './observed.ts'
import { perfRowsOf } from './perf-log.ts'
import type { ResultFolder } from './read.ts'
import { PlanRecord } from './record.ts'
import { type RunSummary, summaryOf } from './summary.ts'

export interface PlanEnd {
  readonly status: PlanStatus | 'running'
  readonly reason: string
  readonly unilateral: boolean
}

export class ResultsSoFar {
  readonly #runId: string
  readonly #record: PlanRecord

  constructor(runId: string, start: StartDecision) {
    this.#runId = runId
    this.#record = new PlanRecord(start)
  }

  /** In the order of sequences. Reads the reports of all members: not for where somebody waits. */
  add(decision: Decision, unilateral: boolean, waitedMs: number): void {
    this.#record.add(decision, unilateral, waitedMs)
  }

  /** A report that no decision carried. */
  addUndelivered(report: StageReport): void {
    this.#record.addUndelivered(report)
  }

  summary(end: PlanEnd): RunSummary {
    return summaryOf(this.#record, this.#runId, end)
  }

  folder(end: PlanEnd, observed: readonly Observation[]): ResultFolder {
    const { lines, stages, start } = this.#record
    return {
      summary: this.summary(end),
      decisions: lines,
      observed,
      perf: perfRowsOf(stages),
      latencies: latenciesOf(stages),
      plan: start.spec.yaml,
    }
  }
}
