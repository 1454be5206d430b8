/** Who takes part in what: peers, ballots, and plans with their barriers as they were submitted. Data only. */

/** A libp2p peer ID in its text form. Opaque to the core. */
export type PeerId = string

/** One running `paceline node`. `incarnation` is new at each start; `name` is for people. */
export interface Member {
  readonly peer: PeerId
  readonly name: string
  readonly incarnation: string
}

export type Policy = 'all_or_nothing' | 'majority' | 'best_effort'

/** An election's number and its candidate: no two leaders ever share a ballot. Ordered by term, then peer. */
export interface Ballot {
  readonly term: number
  readonly peer: PeerId
}

/** `number` counts plans of a run for people; `uid` is unique even if two halves of a split mesh both start plan 1. */
export interface PlanRef {
  readonly number: number
  readonly uid: string
}

/** The barrier settings of one stage. Times in milliseconds. */
export interface BarrierSpec {
  readonly policy: Policy
  readonly heartbeatIntervalMs: number
  /** Heartbeats missed before a silent member is asked. */
  readonly missedThreshold: number
  readonly queryTimeoutMs: number
  readonly queryRetries: number
  /** `agent_barrier_timeout`, counted from the first ready. */
  readonly barrierTimeoutMs: number
  /** How long after a majority is ready the others are still waited for (policy `majority`). */
  readonly stragglerGraceMs: number
}

export interface StageSpec {
  /** Barrier name, `stage-<i>-<name>`. */
  readonly barrierName: string
  readonly name: string
  /** A failure of an optional stage counts as ready, and is marked degraded. */
  readonly optional: boolean
  readonly barrier: BarrierSpec
}

/** Who should take part: by name, by number, or everybody present. */
export type Wanted =
  | { readonly kind: 'names'; readonly names: readonly string[] }
  | { readonly kind: 'count'; readonly count: number }
  | { readonly kind: 'all' }

/** A submitted plan as far as the core must know it. `yaml` is opaque and travels with the start decision. */
export interface PlanSpec {
  /** Unique ID of the submission: handing the same one in twice starts one plan. */
  readonly submission: string
  readonly hash: string
  readonly yaml: string
  readonly stages: readonly StageSpec[]
  readonly wanted: Wanted
  /** How long to wait for the wanted peers. */
  readonly agentReadyTimeoutMs: number
}
