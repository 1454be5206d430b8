/** When figures do not show what was asked for, or the engine rather than the storage, the result says so. Pure. */

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
/** Share of all cores at which nothing is left for more operations. */
const CPU_FULL = 0.95

/** What must not be read as a plain success. `throttled`: repeated attempts that the storage was too busy for. */
export function engineWarnings(work: LaneWork, result: StageResult, throttled: number): string[] {
  const { stats, objects, measuring, repeated } = result
  const ops = stats.reduce((sum, { count }) => sum + count, 0)
  const errors = stats.reduce((sum, one) => sum + one.errors, 0)
  const warnings: string[] = []
  if (measuring.stalledMs > 0) {
    const seconds = (measuring.stalledMs / 1000).toFixed(1)
    warnings.push(`This agent stood still for ${seconds} s meanwhile: it was stopped, or had no CPU`)
  }
  if (repeated > 0) {
    const why = throttled > 0 ? `, ${throttled} of them because the storage was too busy` : ''
    warnings.push(`${repeated} attempts were repeated${why}: their operations took that much longer`)
  }
  if (work.type === 'prepare' && work.skipVerification && !work.forceOverwrite && objects.existed > 0) {
    warnings.push(`${objects.existed} objects were taken to exist without a look (skip_verification)`)
  }
  if (work.type === 'prepare' || work.type === 'cleanup') return warnings
  if (ops === 0 && errors > 0) warnings.push(`Every operation failed: ${result.errorSamples[0]?.message ?? ''}`)
  return [...warnings, ...rateWarnings(work.rate.opsPerSecond, ops + errors, result)]
}

function rateWarnings(rate: number | null, ops: number, { seconds, measuring: { lagMs } }: StageResult): string[] {
  if (rate === null || seconds < SECONDS_MIN || ops === 0) return []
  const reached = ops / seconds
  if (reached >= rate * RATE_SHARE_MIN) return []
  const lag = lagMs >= 1 ? `, operations started up to ${Math.round(lagMs)} ms late` : ''
  return [`The rate of ${rate} ops/s was not reached: ${Math.round(reached)} ops/s${lag}`]
}

/** What held complete figures back other than the storage. */
export function engineLimits(work: LaneWork, { seconds, stats, measuring }: StageResult): string[] {
  if (work.type === 'prepare' || work.type === 'cleanup' || work.rate.opsPerSecond !== null) return []
  const { busyShare, lanes, laneOpsMin } = measuring
  const ops = stats.reduce((sum, { count }) => sum + count, 0)
  const errors = stats.reduce((sum, one) => sum + one.errors, 0)
  if (seconds < SECONDS_MIN || ops === 0) return []
  const limits: string[] = []
  if (busyShare < BUSY_SHARE_MIN && errors === 0) {
    const percent = Math.round(busyShare * 100)
    limits.push(`The engine was the limit: lanes spent only ${percent} % of their time in operations`)
  }
  const mean = ops / lanes
  const sameWork = work.ops.every(({ concurrency }) => concurrency === null)
  if (sameWork && mean >= LANE_OPS_MIN && laneOpsMin < mean * LANE_SHARE_MIN) {
    limits.push(`Lanes were starved: one of ${lanes} did ${laneOpsMin} operations, the mean is ${Math.round(mean)}`)
  }
  return limits
}

/** `cpu.host`: all of the machine, others included. */
export function cpuLimits({ seconds, cpu }: StageResult): string[] {
  if (seconds < SECONDS_MIN || cpu.host === null || cpu.host < CPU_FULL) return []
  return ['All cores of the host were busy: figures may show the CPU as much as the storage']
}
