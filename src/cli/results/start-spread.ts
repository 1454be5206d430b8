/** How far apart the members of a barrier began the stage that it ends. */

import type { Decision } from '../../barrier/mod.ts'
import { decodeReport } from '../stage-report.ts'

interface Began {
  /** Own clock, ms, and what makes the leader's of it. */
  readonly startedAt: number
  readonly offsetMs: number
}

/**
 * Between the first and the last, by the clock of the leader, by which all of them start, ms to the microsecond; null for
 * fewer than two.
 */
export function startSpread(agents: readonly Began[]): number | null {
  const starts = agents.map(({ startedAt, offsetMs }) => startedAt + offsetMs)
  return starts.length < 2 ? null : Math.round((Math.max(...starts) - Math.min(...starts)) * 1000) / 1000
}

/** Reports are read once: a decision never changes. */
const known = new WeakMap<Decision, number | null>()

/** Null where fewer than two members have reported that they began it. */
export function startSpreadOf(decision: Decision): number | null {
  const before = known.get(decision)
  if (before !== undefined) return before
  const spread = decision.kind === 'start' ? null : startSpread(decision.reports.flatMap(beganIn(decision.sequence)))
  known.set(decision, spread)
  return spread
}

function beganIn(stage: number): (report: { readonly sequence: number; readonly payload: string }) => Began[] {
  return ({ sequence, payload }) => {
    if (sequence !== stage) return []
    try {
      const { result, offsetMs } = decodeReport(payload)
      return [{ startedAt: result.startedAt, offsetMs }]
    } catch {
      // What is no report is said where the results are written.
      return []
    }
  }
}
