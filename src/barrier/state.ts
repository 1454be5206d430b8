/** Everything one peer's core knows. Changed only by the modules of this folder, inside one step. */

import { NO_BALLOT } from './ballot.ts'
import type { Accepted, Decision, ReadyStatus } from './decisions.ts'
import type { PlanStatus } from './interface.ts'
import { limits } from './limits.ts'
import type { Message, ReadinessDigest, SubmitOutcome } from './messages.ts'
import type { OffsetSample } from './offset.ts'
import type { Ballot, Member, PeerId, PlanRef, PlanSpec } from './plans.ts'

export interface PeerState {
  member: Member
  connected: boolean
  lastHeardAt: number
  /** `left`: it said that it leaves the run. */
  verdict: 'alive' | 'dead' | 'left'
  /** Being asked whether it lives. `attempts` counts those made; the next step is due at `deadlineAt`. */
  query: { nonce: number; attempts: number; deadlineAt: number } | null
  /** The first pings to it since it was last heard, a query timeout apart: at most `queryRetries`. */
  pings: { count: number; lastAt: number }
  /** The plan it last said it takes part in; null when idle. */
  plan: PlanRef | null
  /** To its clock, the best first. */
  offsets: readonly OffsetSample[]
}

/** A ready as held by this peer: its own, or what the leader collects (and the leader's own, which all hold). */
export interface HeldReport {
  readonly status: ReadyStatus
  readonly payload: string
  /** Own clock, when the member became ready. */
  readonly readyAt: number
}

/** The plan that this peer takes part in: from the proposal of its start to its end. */
export interface PlanState {
  readonly ref: PlanRef
  readonly spec: PlanSpec
  readonly roster: readonly Member[]
  /** Decided values; index = sequence. */
  decisions: Decision[]
  openSequence: number
  /** Members of the open sequence. */
  members: readonly Member[]
  accepted: Accepted | null
  /** A value of the open sequence that this peer has, and may not have accepted: it proposed it, or asked for it. */
  known: Accepted | null
  /** This peer gets ready for the plan, at most until then. What is proposed meanwhile is accepted after it. */
  arming: { readonly until: number; proposal: Accepted | null } | null
  /** Stage this peer runs or has finished last (0: none yet). */
  position: number
  /** This peer runs the stage of `position` now. */
  running: boolean
  /** Reports by sequence, then peer. Dropped once a decision carries them. */
  reports: Map<number, Map<PeerId, HeldReport>>
  /** When this peer told its leader last of the stage of each sequence. */
  reportedAt: Map<number, number>
  /** Decisions up to `until` were asked for, and none has come since `at`: what is asked for may be large, and on its way. */
  catchup: { readonly until: number; readonly at: number; readonly waitMs: number } | null
  /** The start that the newest decision was announced with, in the clock of the peer that made it; null: its own. */
  announcedStart: number | null
  /** Since when this peer waits at the barrier of `position`, or for the start to be decided. */
  waitingSince: number
  unilateral: boolean
  abortReason: string | null
  /** Members that answer, but not as members of this plan any more. */
  gone: Set<PeerId>
  /** Members that will never accept the start, with their reasons. */
  refusals: Map<PeerId, string>
  /** The newest of the leader that made it. */
  digest: { readonly ballot: Ballot; readonly digest: ReadinessDigest } | null
}

/** A plan that ended for this peer. Its decisions are still given to those who ask. */
export interface ArchivedPlan {
  readonly ref: PlanRef
  readonly submission: string
  readonly roster: readonly Member[]
  readonly decisions: readonly Decision[]
  readonly status: PlanStatus
}

export interface Gathering {
  readonly spec: PlanSpec
  /** Who asked: to be told the outcome. */
  readonly replyTo: Set<PeerId>
  readonly deadlineAt: number
  /** Peers that refused, with their reason: not asked again for this submission. */
  readonly refused: Map<PeerId, string>
}

/** For which sequence a voter had accepted a value, and at which ballot. */
export interface AcceptedAt {
  readonly sequence: number
  readonly ballot: Ballot
}

/** A value that a leader lacks is asked of one holder after another, each given twice the time of the one before. */
export interface Recall {
  readonly ballot: Ballot
  readonly asked: ReadonlySet<PeerId>
  readonly from: PeerId
  readonly until: number
  readonly waitMs: number
}

export interface LeaderState {
  readonly ballot: Ballot
  readonly electedAt: number
  /** Who has promised this ballot, and what each had accepted by then. */
  promises: Map<PeerId, AcceptedAt | null>
  recall: Recall | null
  /** The value proposed for the open sequence by this ballot. */
  proposal: Decision | null
  /** At which ballot others have seen that value, too. */
  proposalOf: Ballot
  proposedAt: number
  /** Sequence proposed last, and how long its slowest accept so far took, ms. */
  proposedSequence: number
  slowestAcceptMs: number
  /** When those that have not accepted the open proposal are reminded of it, and how long after the time before. */
  repeatAt: number
  repeatMs: number
  accepts: Set<PeerId>
  heartbeatAt: number
  digestSequence: number
  digestAt: number | null
  /** When time alone may change the policy's verdict. */
  recheckAt: number | null
  gathering: Gathering | null
  /** This leader was excluded: it hands over to this member. */
  heir: PeerId | null
}

export interface Campaign {
  readonly ballot: Ballot
  phase: 'prevote' | 'vote'
  granted: Set<PeerId>
  /** Somebody said no: an idle candidate may then not go on without a majority. */
  denied: boolean
  /** Who has promised this ballot, and what each had accepted by then. */
  promises: Map<PeerId, AcceptedAt | null>
  retryAt: number
}

export interface PendingSubmit {
  readonly spec: PlanSpec
  readonly deadlineAt: number
  /** When to send it (again) to whoever leads. */
  sendAt: number
}

export interface CoreState {
  readonly self: Member
  peers: Map<PeerId, PeerState>
  /** Peers with an open query. */
  asked: Set<PeerId>
  promised: Ballot
  /** Highest term heard of: the next candidacy goes above it. */
  termSeen: number
  leader: Ballot | null
  /** The leader that fell silent: it may still be heard, but is followed again only once it answers. */
  silentLeader: Ballot | null
  /** The plan that the leader last said is under way. */
  leaderPlan: PlanRef | null
  /** Last proof that the leader hears and answers this peer. */
  leaderHeardAt: number
  leaderlessSince: number
  electionAt: number | null
  failedCampaigns: number
  campaign: Campaign | null
  /** Idle: the candidate that was told last that it may go on. */
  favourite: { readonly ballot: Ballot; readonly until: number } | null
  /** A candidate that was turned down because its leader was still seen here; worth another answer until then. */
  turnedDown: {
    readonly from: PeerId
    readonly message: Extract<Message, { type: 'prevote' }>
    readonly until: number
  } | null
  lead: LeaderState | null
  plan: PlanState | null
  archive: ArchivedPlan[]
  /** Starts that this peer will never accept. */
  refusedPlans: string[]
  /** Plans that this peer was bound to, and whether it accepted (or learned) the start of each. */
  joinedPlans: Map<string, boolean>
  /** Highest number of a plan that began, as far as this peer has heard. */
  planMax: number
  /** Starts that this peer has made, given up ones included: tells them apart. */
  startsMade: number
  submits: Map<string, PendingSubmit>
  /** Submissions that this peer, as leader, has turned down. */
  closedSubmits: Map<string, SubmitOutcome>
  pingAt: number
  /** Quick pings left after a change of leader: the offset to its clock is needed soon. */
  quickPings: number
  nonce: number
  /** From a proposal to the last member's accept, ms, a peak that fades: how far ahead a start must be announced. */
  acceptSpreadMs: number
  leaving: { readonly since: number } | null
  left: boolean
  /** When this core last asked to be woken: far past it, this process had been stopped. */
  expectedWakeAt: number | null
  rejected: Map<string, number>
}

export function initialState(self: Member, now: number, dice: number): CoreState {
  return {
    self,
    peers: new Map(),
    asked: new Set(),
    promised: NO_BALLOT,
    termSeen: 0,
    leader: null,
    silentLeader: null,
    leaderPlan: null,
    leaderHeardAt: now,
    leaderlessSince: now,
    electionAt: now + limits.firstElectionMs + dice * limits.firstElectionSpreadMs,
    failedCampaigns: 0,
    campaign: null,
    favourite: null,
    turnedDown: null,
    lead: null,
    plan: null,
    archive: [],
    refusedPlans: [],
    joinedPlans: new Map(),
    planMax: 0,
    startsMade: 0,
    submits: new Map(),
    closedSubmits: new Map(),
    pingAt: now,
    quickPings: 0,
    nonce: 0,
    acceptSpreadMs: 1,
    leaving: null,
    left: false,
    expectedWakeAt: null,
    rejected: new Map(),
  }
}
