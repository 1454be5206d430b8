/** A validated plan. */

import type { StageSpec, Wanted } from '../../barrier/mod.ts'
import type { StageWork } from '../../io/mod.ts'

/** What one named agent does differently (`distributed.agents[]`). */
export interface AgentOverride {
  readonly name: string
  readonly target: string | null
  readonly concurrency: number | null
  readonly endpoints: readonly string[] | null
  readonly endpointStrategy: 'round_robin' | 'least_connections' | null
}

export interface PlanStage {
  /** Position in `order`, counted from 1: the sequence of the barrier it ends at. */
  readonly position: number
  readonly type: 'validation' | 'prepare' | 'execute' | 'hybrid' | 'cleanup' | 'custom'
  readonly name: string
  /** What the barrier core must know. */
  readonly spec: StageSpec
  /** An agent's own work that takes longer has failed; null: no limit. */
  readonly timeoutMs: number | null
  /** The work of an agent, with that agent's overrides applied. */
  readonly workFor: (agentName: string) => StageWork
  /** Expected seconds where known (durations), for "time left"; null otherwise. */
  readonly expectedSeconds: number | null
}

export interface Notice {
  /** What was read but will not be done, or is done differently; with file:line:column. */
  readonly message: string
}

export interface Plan {
  readonly yaml: string
  /** SHA-256 of the YAML text, hex. */
  readonly hash: string
  readonly stages: readonly PlanStage[]
  readonly wanted: Wanted
  readonly agentReadyTimeoutMs: number
  /** File name of the log of operations; null: they are not logged. */
  readonly opLog: string | null
  readonly notices: readonly Notice[]
}
