/** What goes into the core and what comes out of it. Data only. */

import type { Decision, ReadyStatus, StageReport, StartDecision } from './decisions.ts'
import type { Message, MessageType, ReadinessDigest, SubmitOutcome } from './messages.ts'
import type { Ballot, Member, PeerId, PlanRef, PlanSpec } from './plans.ts'

/** What the driver tells the core. Every input carries the time (own clock, ms) and a die in [0, 1). */
export type Input =
  | { readonly type: 'tick' }
  | { readonly type: 'message'; readonly from: PeerId; readonly incarnation: string; readonly message: Message }
  /** A peer of this run is connected and has said who it is. */
  | { readonly type: 'peer_up'; readonly member: Member }
  /** The last connection to it closed. */
  | { readonly type: 'peer_down'; readonly peer: PeerId }
  /** A try to reach it (output `probe`) was refused by its host: nothing listens there, or another incarnation does. */
  | { readonly type: 'unreachable'; readonly peer: PeerId }
  /** This peer's own plan submission, or one handed to it by a client. */
  | { readonly type: 'submit'; readonly spec: PlanSpec }
  | { readonly type: 'abort'; readonly reason: string }
  /** This peer finished the stage of `sequence`. */
  | {
      readonly type: 'ready'
      readonly plan: PlanRef
      readonly sequence: number
      readonly status: ReadyStatus
      readonly payload: string
    }
  /** This peer is ready for the plan of a `plan_proposed`. */
  | { readonly type: 'armed'; readonly plan: PlanRef }
  /** Leave the run in order. */
  | { readonly type: 'leave' }

export type RejectReason =
  | 'stale_term'
  | 'stale_plan'
  | 'stale_sequence'
  | 'stale_digest'
  | 'stale_incarnation'
  | 'stranger'
  | 'not_member'
  | 'not_leader'
  | 'duplicate'
  | 'no_plan'
  | 'conflict'
  | 'malformed'

export type PlanStatus = 'completed' | 'aborted' | 'quorum_lost' | 'excluded'

/** What the driver must do, in the order given. `send` to a peer that is not connected may be dropped. */
export type Output =
  | { readonly type: 'send'; readonly to: PeerId; readonly message: Message }
  | { readonly type: 'broadcast'; readonly message: Message }
  /** Try to (re)connect; report `peer_up` or `unreachable`, or nothing when it stays unknown. */
  | { readonly type: 'probe'; readonly peer: PeerId }
  /**
   * A plan may begin: get ready for its first stage, then feed `armed`. `plan_started` or `plan_withdrawn` follows, perhaps
   * before. Nothing of the plan may be done yet.
   */
  | { readonly type: 'plan_proposed'; readonly decision: StartDecision; readonly plan: PlanRef }
  /** The start will not be decided here: what was got ready for the plan is let go. */
  | { readonly type: 'plan_withdrawn'; readonly plan: PlanRef }
  /** The plan begins; who learns of it late was not proposed it. A `run_stage` for sequence 1 follows. */
  | { readonly type: 'plan_started'; readonly decision: StartDecision; readonly plan: PlanRef }
  /**
   * Start the stage that ends at `sequence` at `startAt` (own clock, ms; in the past: at once). `offsetMs` is the
   * leader's clock minus the own one as used for it.
   */
  | {
      readonly type: 'run_stage'
      readonly plan: PlanRef
      readonly sequence: number
      readonly startAt: number
      readonly offsetMs: number
      readonly members: readonly Member[]
    }
  /** Stop the running stage of this sequence: the plan ended for this peer. Follows before `plan_finished`. */
  | { readonly type: 'cancel_stage'; readonly plan: PlanRef; readonly sequence: number; readonly reason: string }
  /** Record it (decisions.jsonl, results). `unilateral` is no decision of the members but this peer's own way on. */
  | { readonly type: 'decided'; readonly decision: Decision; readonly unilateral: boolean; readonly waitedMs: number }
  | {
      readonly type: 'plan_finished'
      readonly plan: PlanRef
      readonly status: PlanStatus
      readonly reason: string
      readonly unilateral: boolean
      /** What this peer holds and no decision carried: its own report, and of others those that it gathered as a leader. */
      readonly reports: readonly StageReport[]
    }
  | { readonly type: 'submit_outcome'; readonly submission: string; readonly outcome: SubmitOutcome }
  | { readonly type: 'leader_elected'; readonly ballot: Ballot; readonly name: string }
  | { readonly type: 'leader_lost'; readonly ballot: Ballot; readonly name: string; readonly reason: string }
  | { readonly type: 'waiting'; readonly plan: PlanRef; readonly sequence: number }
  | { readonly type: 'progress'; readonly digest: ReadinessDigest }
  /** A message changed nothing. Counted, and logged as `message.rejected`. */
  | {
      readonly type: 'rejected'
      readonly reason: RejectReason
      readonly from: PeerId
      readonly message: MessageType
      readonly expected: string
      readonly got: string
    }
  /** After `leave`: nothing is left to do, the driver may stop. */
  | { readonly type: 'left' }

/** Why a member is missing: it left the run or the plan, is another incarnation, does not answer, or is not connected. */
export type AbsenceReason = 'left' | 'left the plan' | 'restarted' | 'dead' | 'not connected'

/** A peer in a plan whose members have no leader: an election has yet to come to its end, or a majority is missing. */
export interface Leaderless {
  readonly plan: PlanRef
  readonly sinceMs: number
  readonly members: number
  /** Members that do not answer this peer. */
  readonly missing: readonly { readonly name: string; readonly reason: AbsenceReason }[]
  /** When it stops waiting, ms from now; null while it is still at work. */
  readonly givesUpInMs: number | null
  /** What it does then. */
  readonly next: 'quorum_lost' | 'unilateral'
}

/** What `status` shows of a peer's core. */
export interface CoreStatus {
  readonly self: Member
  readonly role: 'leader' | 'candidate' | 'follower'
  readonly term: number
  readonly leader: { readonly peer: PeerId; readonly name: string } | null
  readonly plan: PlanRef | null
  readonly sequence: number
  readonly stage: string | null
  readonly members: readonly Member[]
  readonly ready: readonly PeerId[]
  readonly unilateral: boolean
  /** Null where there is a leader, or no barrier to come to. */
  readonly leaderless: Leaderless | null
  readonly peers: readonly {
    readonly member: Member
    readonly connected: boolean
    readonly lastHeardMs: number
  }[]
  /** Leader's clock minus own, ms, and the round trip it was measured with; null before the first measurement. */
  readonly clock: { readonly offsetMs: number; readonly roundTripMs: number } | null
  readonly rejected: Readonly<Record<string, number>>
}
