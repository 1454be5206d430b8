/** Plans for tests: short to write down, with the defaults of the design. */

import type { BarrierSpec, PlanSpec, Policy } from '../../src/barrier/mod.ts'

export function barrierSpec(policy: Policy, changes: Partial<BarrierSpec> = {}): BarrierSpec {
  return {
    policy,
    heartbeatIntervalMs: 1000,
    missedThreshold: 3,
    queryTimeoutMs: 1000,
    queryRetries: 2,
    barrierTimeoutMs: 60_000,
    stragglerGraceMs: 10_000,
    ...changes,
  }
}

export function planOf(options: {
  readonly submission: string
  readonly stages: number
  readonly barrier: BarrierSpec
  readonly agents?: number
}): PlanSpec {
  const { submission, stages, barrier, agents } = options
  return {
    submission,
    hash: submission,
    yaml: submission,
    stages: Array.from({ length: stages }, (_, index) => ({
      barrierName: `stage-${index + 1}-s${index + 1}`,
      name: `s${index + 1}`,
      optional: false,
      barrier,
    })),
    wanted: agents === undefined ? { kind: 'all' } : { kind: 'count', count: agents },
    agentReadyTimeoutMs: 30_000,
  }
}
