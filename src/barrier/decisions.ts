/** What members report, and what is decided about it. Data only. */

import type { Ballot, Member, PeerId, PlanRef, PlanSpec, Policy } from './plans.ts'

export type ExclusionReason = 'dead' | 'failed' | 'straggler' | 'left'

export interface Exclusion {
  readonly peer: PeerId
  readonly name: string
  readonly reason: ExclusionReason
}

export type ReadyStatus = 'ok' | 'failed'

/** A member's statement that it finished the stage of `sequence`. */
export interface ReadyNote {
  readonly sequence: number
  readonly status: ReadyStatus
  readonly payload: string
  /** How long the member has been waiting already, ms. */
  readonly waitedMs: number
}

/** One member's result of one stage inside a decision. `payload` is opaque text (at most `limits.payloadCharsMax`). */
export interface StageReport {
  readonly peer: PeerId
  readonly name: string
  /** The stage that the report is about: the decision's own sequence, or an earlier one (a straggler's late report). */
  readonly sequence: number
  readonly status: ReadyStatus
  readonly payload: string
}

interface DecisionBase {
  readonly plan: PlanRef
  readonly sequence: number
  /** Ballot and name of the leader that first proposed this decision. */
  readonly ballot: Ballot
  readonly leader: string
}

/** Sequence 0: fixes the plan and its roster. */
export interface StartDecision extends DecisionBase {
  readonly kind: 'start'
  readonly spec: PlanSpec
  readonly members: readonly Member[]
  /** When stage 1 starts, in the clock of `ballot.peer`, ms; see `decided` for a later announcement. */
  readonly startAt: number
  /** How long a member may take to get ready for the plan before it accepts, ms. */
  readonly armMs: number
}

export interface ReleaseDecision extends DecisionBase {
  readonly kind: 'release'
  readonly policy: Policy
  /** Members of the next sequence. */
  readonly members: readonly Member[]
  /** Members whose ready this release counts. A superset of `members` for `all_or_nothing` and `majority`. */
  readonly ready: readonly PeerId[]
  readonly excluded: readonly Exclusion[]
  readonly reports: readonly StageReport[]
  /** From the first ready to the proposal, ms. */
  readonly waitedMs: number
  /** When the next stage starts, in the clock of `ballot.peer`, ms; see `decided` for a later announcement. */
  readonly startAt: number
}

export interface AbortDecision extends DecisionBase {
  readonly kind: 'abort'
  readonly policy: Policy
  readonly members: readonly Member[]
  readonly reason: string
  readonly excluded: readonly Exclusion[]
  readonly reports: readonly StageReport[]
}

export type Decision = StartDecision | ReleaseDecision | AbortDecision

export interface Accepted {
  readonly ballot: Ballot
  readonly decision: Decision
}

/** What a voter has accepted. `decision` is null where the vote did not ask for it: it may be large. */
export interface AcceptedNote {
  readonly ballot: Ballot
  readonly decision: Decision | null
}
