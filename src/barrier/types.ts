/** Data of the barrier core: what goes in, what comes out, what peers say to each other. No behaviour here. */

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
