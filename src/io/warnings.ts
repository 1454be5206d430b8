/** When figures show the engine rather than the storage, the result says so. Pure. */

import type { LaneWork } from './lanes/jobs.ts'
import type { StageResult } from './types.ts'

/** Share of their time that lanes of a closed loop should spend in operations. */
const BUSY_SHARE_MIN = 0.8
/** A rate is reached when this share of it is. */
const RATE_SHARE_MIN = 0.95
/** A lane is starved below this share of the mean, in stages with enough operations to tell. */
const LANE_SHARE_MIN = 0.1
const LANE_OPS_MIN = 200
const SECONDS_MIN = 0.5

export interface LaneFacts {
  /** Operations of each lane. */
  readonly lanes: readonly number[]
  /** Share of the lanes' time in operations. */
  readonly busyShare: number
  /** Worst lag behind an intended start, ms. */
  readonly lagMs: number
  /** Of the repeated requests, those that the storage was too busy for. */
  readonly throttled: number
}

export function engineWarnings(work: LaneWork, result: StageResult, facts: LaneFacts): string[] {
  const { seconds, stats, objects } = result
  const ops = stats.reduce((sum, { count }) => sum + count, 0)
  const errors = stats.reduce((sum, one) => sum + one.errors, 0)
  const warnings: string[] = []
  if (result.repeated > 0) {
    const why = facts.throttled > 0 ? `, ${facts.throttled} of them because the storage was too busy` : ''
    warnings.push(`${result.repeated} requests were repeated${why}: their operations took that much longer`)
  }
  if (work.type === 'prepare') {
    if (work.skipVerification && !work.forceOverwrite && objects.existed > 0) {
      warnings.push(`${objects.existed} objects were taken to exist without a look (skip_verification)`)
    }
    return warnings
  }
  if (work.type === 'cleanup') return warnings
  if (ops === 0 && errors > 0) warnings.push(`Every operation failed: ${result.errorSamples[0]?.message ?? ''}`)
  if (seconds < SECONDS_MIN || ops === 0) return warnings
  const rate = work.rate.opsPerSecond
  if (rate !== null) {
    const reached = (ops + errors) / seconds
    if (reached < rate * RATE_SHARE_MIN) {
      const lag = facts.lagMs >= 1 ? `, operations started up to ${Math.round(facts.lagMs)} ms late` : ''
      warnings.push(`The rate of ${rate} ops/s was not reached: ${Math.round(reached)} ops/s${lag}`)
    }
    return warnings
  }
  if (facts.busyShare < BUSY_SHARE_MIN && errors === 0) {
    const percent = Math.round(facts.busyShare * 100)
    warnings.push(`The engine was the limit: lanes spent only ${percent} % of their time in operations`)
  }
  const mean = ops / facts.lanes.length
  const starved = facts.lanes.filter((own) => own < mean * LANE_SHARE_MIN).length
  const sameWork = work.ops.every(({ concurrency }) => concurrency === null)
  if (starved > 0 && sameWork && mean >= LANE_OPS_MIN) {
    warnings.push(`${starved} of ${facts.lanes.length} lanes were starved: they did less than a tenth of the mean`)
  }
  return warnings
}
