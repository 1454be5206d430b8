/** What a run leaves behind. */

import type { Decision, PlanStatus, StageReport, StartDecision } from '../../barrier/mod.ts'
import type { Observation } from './observed.ts'
import type { RunSummary } from './summary.ts'

export interface ResultsInit {
  /** Folder in which the result folder is made. */
  readonly out: string
  readonly runId: string
  readonly start: StartDecision
}

/** `running`: its end is not known, as when this peer was killed. */
export interface ResultsEnd {
  readonly status: PlanStatus | 'running'
  readonly reason: string
  readonly unilateral: boolean
}

/** The result folder of one plan. Every call leaves either the old files or the new ones, whatever happens. */
export interface PlanResults {
  readonly dir: string
  /** In the order of sequences. Throws ResultsError when the folder cannot be written. */
  recordDecision(decision: Decision, how: { readonly unilateral: boolean; readonly waitedMs: number }): Promise<void>
  /** A report that no decision carried so far: written at the end, unless one did. Of others than members it is ignored. */
  addUndelivered(report: StageReport): void
  /** Where an agent's log of operations is to be written: its folder is there, the file is not. */
  opLogFile(agent: string, name: string): Promise<string>
  /** A report that is too large for others to have it: text of `encodeReport`. */
  keepWhole(agent: string, sequence: number, report: string): Promise<void>
  /** Written with the next decision, or at the end. */
  observe(observation: Observation): void
  /** Throws ResultsError where the folder cannot be written; `summary` has the figures all the same. */
  finish(end: ResultsEnd): Promise<RunSummary>
  summary(end: ResultsEnd): RunSummary
}
