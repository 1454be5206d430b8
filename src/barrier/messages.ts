/** What peers say to each other. Data only. */

import type { AcceptedNote, Decision, ReadyNote, ReadyStatus } from './decisions.ts'
import type { Ballot, PeerId, PlanRef, PlanSpec } from './plans.ts'

/** Who is ready at the open sequence, as the leader sees it. `digestSequence` rises with each one of a ballot. */
export interface ReadinessDigest {
  readonly plan: PlanRef
  readonly sequence: number
  readonly digestSequence: number
  readonly ready: readonly PeerId[]
  readonly failed: readonly PeerId[]
  readonly waiting: readonly PeerId[]
  readonly dead: readonly PeerId[]
}

/** A clock as a peer has measured it. */
export interface ClockNote {
  readonly peer: PeerId
  /** That peer's clock minus the sender's, ms, and by how much this may be off. */
  readonly offsetMs: number
  readonly errorMs: number
}

/** Everything peers say to each other about agreement. The mesh adds sender, incarnation and run. */
export type Message =
  /** Member to leader, each heartbeat interval. `sentAt` is t1 of the four timestamps. */
  | {
      readonly type: 'ping'
      readonly sentAt: number
      readonly term: number
      readonly plan: PlanRef | null
      /** Open sequence of the sender, 0 when idle. */
      readonly sequence: number
      /** Highest number of a plan that began, as far as the sender has heard. */
      readonly planMax: number
    }
  | {
      readonly type: 'pong'
      readonly ballot: Ballot
      readonly pingSentAt: number
      readonly receivedAt: number
      readonly sentAt: number
      readonly plan: PlanRef | null
      readonly sequence: number
      readonly planMax: number
      /** The leader holds the receiver's ready for `sequence`, or needs it no more; else the receiver sends it again. */
      readonly readyKnown: boolean
      /** Earlier sequences of which the leader holds the receiver's late report, not yet carried by a decision. */
      readonly lateKnown: readonly number[]
    }
  /** Leader to all by gossip, each heartbeat interval and when readiness changed (coalesced). */
  | {
      readonly type: 'heartbeat'
      readonly ballot: Ballot
      readonly plan: PlanRef | null
      readonly sequence: number
      readonly planMax: number
      readonly digest: ReadinessDigest | null
      /** To new followers: by a clock that they have measured too, such as that of the leader before, they know this one. */
      readonly clock: ClockNote | null
    }
  | {
      readonly type: 'prevote'
      readonly ballot: Ballot
      readonly plan: PlanRef | null
      readonly sequence: number
    }
  | {
      readonly type: 'prevote_reply'
      readonly ballot: Ballot
      readonly granted: boolean
      readonly leader: Ballot | null
      readonly promised: Ballot
      /** So many decisions of the candidate's plan the sender could give it. */
      readonly known: number
    }
  /** `inFull`: the promise should carry the value that was accepted, which its sender lacks. */
  | {
      readonly type: 'vote'
      readonly ballot: Ballot
      readonly plan: PlanRef | null
      readonly sequence: number
      readonly inFull: boolean
    }
  | {
      readonly type: 'promise'
      readonly ballot: Ballot
      readonly plan: PlanRef | null
      readonly sequence: number
      readonly accepted: AcceptedNote | null
      /** The sender's own ready for its open sequence, so that a new leader starts warm. */
      readonly ready: ReadyNote | null
      readonly planMax: number
    }
  /** Answer to anything of an older ballot: what the sender has promised. */
  | { readonly type: 'reject'; readonly ballot: Ballot; readonly promised: Ballot }
  | { readonly type: 'propose'; readonly ballot: Ballot; readonly decision: Decision }
  /**
   * A proposal without its value, which is the one proposed at `ballot`, or at `origin` before: a sequence has one value a
   * ballot. Who has neither asks with `catchup`.
   */
  | {
      readonly type: 'remind'
      readonly ballot: Ballot
      readonly plan: PlanRef
      readonly sequence: number
      readonly origin: Ballot
    }
  | { readonly type: 'accept'; readonly ballot: Ballot; readonly plan: PlanRef; readonly sequence: number }
  /** The sender takes no part (any more) in this plan: it is busy, or the start is stale. */
  | {
      readonly type: 'refuse'
      readonly ballot: Ballot
      readonly plan: PlanRef
      readonly reason: string
      /** It had accepted the start before, which may therefore have been chosen. */
      readonly accepted: boolean
      readonly planMax: number
    }
  /**
   * The value is the one proposed at `ballot`; who does not have it asks with `catchup`. `startAt` is no part of the
   * value: where that start has passed (members got ready slowly, a leader carried it over) it says when the next stage
   * starts, in the same clock; null: as the value says.
   */
  | {
      readonly type: 'decided'
      readonly ballot: Ballot
      readonly plan: PlanRef
      readonly sequence: number
      readonly startAt: number | null
    }
  | { readonly type: 'catchup'; readonly plan: PlanRef; readonly sequence: number }
  /** A decided value in full, answer to `catchup`. `startAt` as in `decided`, where the sender still knows it. */
  | { readonly type: 'decision'; readonly decision: Decision; readonly startAt: number | null }
  | {
      readonly type: 'ready'
      readonly plan: PlanRef
      readonly sequence: number
      readonly status: ReadyStatus
      readonly payload: string
      /** How long the sender has been waiting already, ms. */
      readonly waitedMs: number
    }
  | { readonly type: 'query'; readonly nonce: number; readonly plan: PlanRef | null }
  | { readonly type: 'answer'; readonly nonce: number; readonly plan: PlanRef | null; readonly sequence: number }
  | { readonly type: 'leave' }
  /** The leader leaves or was excluded: the receiver should stand for election at once. */
  | { readonly type: 'handover'; readonly ballot: Ballot }
  | { readonly type: 'submit'; readonly spec: PlanSpec }
  | { readonly type: 'submit_reply'; readonly submission: string; readonly outcome: SubmitOutcome }
  | { readonly type: 'abort_request'; readonly plan: PlanRef; readonly reason: string }

export type MessageType = Message['type']

export type SubmitOutcome =
  | { readonly status: 'accepted'; readonly plan: PlanRef }
  | { readonly status: 'busy'; readonly plan: PlanRef | null; readonly detail: string }
  /** The wanted peers did not come in time, or the plan cannot start. */
  | { readonly status: 'refused'; readonly detail: string }
