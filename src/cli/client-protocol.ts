/**
 * What a client (submit, status, abort) and a node say to each other on one stream: JSON documents both ways. The
 * client speaks first, with one request; the node answers with documents until it closes the stream.
 */

import { z } from 'zod'
import {
  barrierLimits,
  type CoreStatus,
  type Decision,
  type Leaderless,
  type PlanRef,
  type PlanStatus,
  type ReadinessDigest,
  type StageReport,
  type SubmitOutcome,
} from '../barrier/mod.ts'
import type { StageProgress } from '../io/mod.ts'
import type { PeerInfo } from '../mesh/mod.ts'
import { type Observation, observationSchema } from './results/mod.ts'

/** A node says that it lives this often while a client follows; one that says nothing for so long is given up. */
export const ALIVE_INTERVAL_MS = 1000
export const SILENCE_MAX_MS = 4000
/** Documents that wait for a slow reader, on either side, before those that pass soon are dropped. */
export const BACKLOG_MAX = 64

const sequence = z.number().int().min(-1).max(barrierLimits.stagesMax)
const name = z.string().max(256)

const requestSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('submit'),
    yaml: z.string().max(barrierLimits.planCharsMax),
    /** Overrides the number of agents that the plan wants. */
    agents: z.number().int().min(1).max(barrierLimits.membersMax).nullable(),
    /** Unique; handed in again after a lost connection it starts nothing new. */
    submission: z.string().min(8).max(128),
    /** Decisions up to this sequence are known already; -1 for none. */
    after: sequence,
  }),
  /** Follow the plan of a submission, or the current one (null). */
  z.object({ type: z.literal('follow'), submission: z.string().max(128).nullable(), after: sequence }),
  z.object({ type: z.literal('status') }),
  /** What the peer has of the plan of a submission that no decision carried; it answers once the plan is over there. */
  z.object({ type: z.literal('undelivered'), submission: z.string().max(128) }),
  /** On a stream of its own, or on the one that follows the plan. */
  z.object({ type: z.literal('abort'), reason: z.string().max(500) }),
])

export type ClientRequest = z.infer<typeof requestSchema>

/** Null for anything that is no request. */
export function parseRequest(document: unknown): ClientRequest | null {
  const parsed = requestSchema.safeParse(document)
  return parsed.success ? parsed.data : null
}

export interface PeerStatus {
  readonly core: CoreStatus
  readonly peers: readonly PeerInfo[]
  readonly version: string
  readonly runtime: string
  /** Plan that runs here, or the last one. */
  readonly plan: {
    readonly number: number
    readonly stages: readonly string[]
    readonly status: string
    /** Of each stage whose barrier was released, from the first to the last start, ms; null for fewer than two. */
    readonly starts: readonly StageStarts[]
  } | null
}

export interface StageStarts {
  readonly sequence: number
  readonly stage: string
  readonly spreadMs: number | null
}

export type NodeDocument =
  | { readonly type: 'outcome'; readonly outcome: SubmitOutcome }
  | {
      readonly type: 'decision'
      readonly decision: Decision
      readonly unilateral: boolean
      readonly waitedMs: number
    }
  | { readonly type: 'digest'; readonly digest: ReadinessDigest }
  | {
      readonly type: 'progress'
      readonly peer: string
      readonly sequence: number
      readonly progress: StageProgress
    }
  | { readonly type: 'leader'; readonly name: string }
  | { readonly type: 'observed'; readonly observation: Observation }
  /** `leaderless`: null where the node has a leader, or has not been without one for long. */
  | { readonly type: 'alive'; readonly leaderless: Leaderless | null }
  | {
      readonly type: 'finished'
      readonly plan: PlanRef
      readonly status: PlanStatus
      readonly reason: string
      readonly unilateral: boolean
    }
  /** The node knows of no such plan (follow, undelivered), or runs none (abort). */
  | { readonly type: 'no_plan' }
  | { readonly type: 'aborting'; readonly plan: PlanRef }
  | { readonly type: 'status'; readonly status: PeerStatus }
  | { readonly type: 'undelivered'; readonly report: StageReport }
  /** The request cannot be served; the stream ends. */
  | { readonly type: 'error'; readonly code: string; readonly message: string; readonly exit: number }

const plan = z.object({ number: z.number().int().min(0), uid: z.string().max(256) })
const ballot = z.object({ term: z.number().int().min(0), peer: z.string().max(256) })
const peerIds = z.array(z.string().max(256)).max(barrierLimits.membersMax)
const member = z.object({ peer: z.string().max(256), name, incarnation: z.string().max(256) })
const members = z.array(member).max(barrierLimits.membersMax)
const policy = z.enum(['all_or_nothing', 'majority', 'best_effort'])
const exclusion = z.object({
  peer: z.string().max(256),
  name,
  reason: z.enum(['dead', 'failed', 'straggler', 'left']),
})
const report = z.object({
  peer: z.string().max(256),
  name,
  sequence,
  status: z.enum(['ok', 'failed']),
  payload: z.string().max(barrierLimits.payloadCharsMax),
})
const barrier = z.object({
  policy,
  heartbeatIntervalMs: z.number(),
  missedThreshold: z.number(),
  queryTimeoutMs: z.number(),
  queryRetries: z.number(),
  barrierTimeoutMs: z.number(),
  stragglerGraceMs: z.number(),
})
const spec = z.object({
  submission: z.string(),
  hash: z.string(),
  yaml: z.string().max(barrierLimits.planCharsMax),
  stages: z
    .array(z.object({ barrierName: z.string(), name: z.string(), optional: z.boolean(), barrier }))
    .max(barrierLimits.stagesMax),
  wanted: z.union([
    z.object({ kind: z.literal('names'), names: z.array(name) }),
    z.object({ kind: z.literal('count'), count: z.number() }),
    z.object({ kind: z.literal('all') }),
  ]),
  agentReadyTimeoutMs: z.number(),
})
const decisionBase = { plan, sequence, ballot, leader: name, members }
const ended = { policy, excluded: z.array(exclusion), reports: z.array(report) }
const decision = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('start'), ...decisionBase, spec, startAt: z.number(), armMs: z.number() }),
  z.object({
    kind: z.literal('release'),
    ...decisionBase,
    ...ended,
    ready: peerIds,
    waitedMs: z.number(),
    startAt: z.number(),
  }),
  z.object({ kind: z.literal('abort'), ...decisionBase, ...ended, reason: z.string() }),
])

export const progressSchema = z.object({
  seconds: z.number(),
  ops: z.number(),
  bytes: z.number(),
  errors: z.number(),
  opsPerSecond: z.number(),
  bytesPerSecond: z.number(),
  p99Ns: z.number(),
  done: z.number().nullable(),
})

const digest = z.object({
  plan,
  sequence,
  digestSequence: z.number(),
  ready: peerIds,
  failed: peerIds,
  waiting: peerIds,
  dead: peerIds,
})

const outcome = z.discriminatedUnion('status', [
  z.object({ status: z.literal('accepted'), plan }),
  z.object({ status: z.literal('busy'), plan: plan.nullable(), detail: z.string() }),
  z.object({ status: z.literal('refused'), detail: z.string() }),
])

const peerInfo = z.object({
  peerId: z.string(),
  name,
  incarnation: z.string(),
  role: z.enum(['agent', 'client']),
  version: z.string(),
  runtime: z.string(),
  addrs: z.array(z.string()),
  connected: z.boolean(),
})

const leaderless = z.object({
  plan,
  sinceMs: z.number(),
  members: z.number(),
  missing: z.array(z.object({ name, reason: z.enum(['left', 'left the plan', 'restarted', 'dead', 'not connected']) })),
  givesUpInMs: z.number().nullable(),
  next: z.enum(['quorum_lost', 'unilateral']),
})

const coreStatus = z.object({
  self: member,
  role: z.enum(['leader', 'candidate', 'follower']),
  term: z.number(),
  leader: z.object({ peer: z.string(), name }).nullable(),
  plan: plan.nullable(),
  sequence,
  stage: z.string().nullable(),
  members,
  ready: peerIds,
  unilateral: z.boolean(),
  leaderless: leaderless.nullable(),
  peers: z.array(z.object({ member, connected: z.boolean(), lastHeardMs: z.number() })),
  clock: z.object({ offsetMs: z.number(), roundTripMs: z.number() }).nullable(),
  rejected: z.record(z.string(), z.number()),
})

const peerStatus = z.object({
  core: coreStatus,
  peers: z.array(peerInfo),
  version: z.string(),
  runtime: z.string(),
  plan: z
    .object({
      number: z.number(),
      stages: z.array(z.string()),
      status: z.string(),
      starts: z.array(z.object({ sequence, stage: z.string(), spreadMs: z.number().nullable() })),
    })
    .nullable(),
})

const documentSchema: z.ZodType<NodeDocument> = z.discriminatedUnion('type', [
  z.object({ type: z.literal('outcome'), outcome }),
  z.object({ type: z.literal('decision'), decision, unilateral: z.boolean(), waitedMs: z.number() }),
  z.object({ type: z.literal('digest'), digest }),
  z.object({ type: z.literal('progress'), peer: z.string(), sequence, progress: progressSchema }),
  z.object({ type: z.literal('leader'), name }),
  z.object({ type: z.literal('observed'), observation: observationSchema }),
  z.object({ type: z.literal('alive'), leaderless: leaderless.nullable() }),
  z.object({
    type: z.literal('finished'),
    plan,
    status: z.enum(['completed', 'aborted', 'quorum_lost', 'excluded']),
    reason: z.string(),
    unilateral: z.boolean(),
  }),
  z.object({ type: z.literal('no_plan') }),
  z.object({ type: z.literal('aborting'), plan }),
  z.object({ type: z.literal('status'), status: peerStatus }),
  z.object({ type: z.literal('undelivered'), report }),
  z.object({ type: z.literal('error'), code: z.string(), message: z.string(), exit: z.number().int() }),
])

/** What the next one of its kind makes out of date. */
export function isPassing({ type }: NodeDocument): boolean {
  return type === 'progress' || type === 'alive' || type === 'digest'
}

/** Null for a document that this version does not know; what it means is then not for this client. */
export function parseNodeDocument(document: unknown): NodeDocument | null {
  const parsed = documentSchema.safeParse(document)
  return parsed.success ? parsed.data : null
}
