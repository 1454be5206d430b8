/** What a page that follows a run is told between the reports: small, and as often as once a second. Data only. */

import type { Mark, OpenStage, Span, StageSeries } from './types.ts'

export interface RunNow {
  readonly run: string
  /** The node that is looked at. */
  readonly node: string
  readonly version: string
  readonly peers: readonly PeerNow[]
  /** Null while nobody leads. */
  readonly leader: string | null
  readonly term: number
  /** Null before the first plan, and while none is open. */
  readonly plan: PlanNow | null
}

export interface PeerNow {
  readonly name: string
  readonly runtime: string
  readonly version: string
  readonly connected: boolean
}

/** The open stage of the plan in the report that was sent last. Times as there. */
export interface PlanNow {
  readonly plan: number
  readonly seconds: number
  readonly open: OpenStage
  readonly lanes: readonly LaneNow[]
  readonly series: StageSeries | null
}

/** What the open stage adds to an agent's lane. */
export interface LaneNow {
  readonly name: string
  readonly spans: readonly Span[]
  readonly marks: readonly Mark[]
}
