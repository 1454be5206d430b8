/** Bounds of the core, times in milliseconds. */

import { assert } from './assert.ts'
import type { BarrierSpec } from './plans.ts'

export const limits = {
  /** A report's payload, UTF-16 units. */
  payloadCharsMax: 4 * 1024 * 1024,
  /** Payloads of one decision together: it is one message. */
  reportsCharsMax: 28 * 1024 * 1024,
  /** A ready's payload that goes with a vote. */
  promisedReadyCharsMax: 64 * 1024,
  planCharsMax: 1024 * 1024,
  membersMax: 4096,
  stagesMax: 1000,
  /** Peers that are remembered; those that are connected, and those of the plan, in any case. */
  peersMax: 4096,
  /** Ended plans whose decisions are kept for members that were away; as many starts that were given up. */
  archivedPlansMax: 3,
  refusedPlansMax: 256,
  joinedPlansMax: 256,
  closedSubmitsMax: 256,
  /** Heartbeat settings while no plan sets them. */
  idleHeartbeatMs: 1000,
  idleMissedThreshold: 3,
  /** A fresh peer listens this long for a leader before it stands for election. */
  firstElectionMs: 600,
  firstElectionSpreadMs: 400,
  /** ... and so long after the last one that it met, with some time for each that it knows; at most so long in all. */
  meetingMs: 400,
  meetingTurnMs: 5000,
  meetingEachMs: 20,
  meetingCrowdMaxMs: 3000,
  meetingMaxMs: 20_000,
  /** A candidate's wait: its turn (the last of them is shared by all further candidates), and a random share. */
  electionTurnMs: 20,
  electionTurnsMax: 3,
  electionSpreadMs: 6,
  /** Who has been asked for its vote waits at least this long before it stands itself. */
  prevoteGraceMs: 60,
  /** Between two tries to be elected; doubles with each failed one. */
  campaignRetryMs: 60,
  campaignRetryMaxMs: 1000,
  /** Who voted waits at least this long for the candidate to win. */
  candidateGraceMs: 250,
  /** The same while no plan is under way, and how long another candidate with a lower ballot is turned down. */
  idleGraceMs: 1000,
  /** While no plan is under way, the answers to a candidate are waited for so long. */
  idlePatienceMs: 1500,
  /** Readiness changes are gossiped together: each costs every peer some signed messages. */
  digestDelayMs: 250,
  /**
   * Bounds of the time between a decision's proposal and the start it announces; the first start takes the longest. A member
   * that collects garbage, or waits for the processor, hears of it so much later than others.
   */
  startLeadMinMs: 25,
  startLeadUnknownMs: 50,
  startLeadMaxMs: 500,
  /** A start that all have got ready for. */
  startLeadArmedMs: 100,
  /** So many times what the slowest accept of late took. */
  startLeadAccepts: 3,
  /** A long stage can afford a longer announcement of the next one: this share of it, up to a maximum. */
  startLeadShare: 0.1,
  startLeadSharedMaxMs: 100,
  /** A member that is not ready for a plan by then accepts its start all the same. */
  armMsMax: 10_000,
  /** Members are reminded of an open proposal after a heartbeat interval, then after twice as long each time, up to so many. */
  repeatIntervalsMax: 8,
  /** So many holders are asked for a value before all members are asked again what they accepted. */
  recallsMax: 3,
  /** A leaving leader waits this long for its open proposal. */
  leaveWaitMs: 500,
  /** A submission that no leader answered is sent again. */
  submitRetryMs: 500,
  /** After a change of leader the offset to its clock is measured quickly. */
  quickPings: 10,
  quickPingMs: 40,
  offsetSamples: 16,
  offsetAgeMaxMs: 120_000,
  /** Two clocks may drift apart by this share of the time passed, and by `driftMsMin`; more than that is a jump. */
  driftMax: 0.001,
  /** What clocks of hosts usually drift apart. */
  driftUsual: 0.00001,
  driftMsMin: 1,
  /** A step that comes so much later than it was asked for: this process does not get the processor time it needs. */
  lateMs: 20,
  /** More time than this between two steps means that this process was stopped, not that others were silent. */
  pauseMs: 900,
} as const

assert(
  limits.electionTurnMs * limits.electionTurnsMax + limits.electionSpreadMs < limits.idleHeartbeatMs,
  'an election must fit between two heartbeats',
)
assert(limits.startLeadMinMs < limits.startLeadMaxMs, 'start lead bounds')

export const idleBarrier: Pick<
  BarrierSpec,
  'heartbeatIntervalMs' | 'missedThreshold' | 'queryTimeoutMs' | 'queryRetries'
> = {
  heartbeatIntervalMs: limits.idleHeartbeatMs,
  missedThreshold: limits.idleMissedThreshold,
  queryTimeoutMs: 1000,
  queryRetries: 2,
}
