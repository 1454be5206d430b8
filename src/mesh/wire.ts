/** What may come over the wire: every message is checked against these shapes and bounds before anybody acts on it. */

import { multiaddr } from '@multiformats/multiaddr'
import { z } from 'zod'
import { barrierLimits, type Message } from '../barrier/mod.ts'
import { limits } from './limits.ts'

export const wireVersion = 5

/** Names of peers and runs. */
export const namePattern = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$/

const id = z.string().min(1).max(128)
const name = z.string().min(1).max(80)
const text = z.string().max(4096)
const time = z.number().finite()
const duration = z.number().finite().min(0)
const count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER)
const term = z
  .number()
  .int()
  .min(0)
  .max(2 ** 48)
const sequence = z.number().int().min(0).max(barrierLimits.stagesMax)

const ballot = z.strictObject({ term, peer: z.string().max(128) })
const plan = z.strictObject({ number: count, uid: z.string().min(1).max(300) })
const member = z.strictObject({ peer: id, name, incarnation: id })
const members = z.array(member).max(barrierLimits.membersMax)
const peers = z.array(id).max(barrierLimits.membersMax)
const policy = z.enum(['all_or_nothing', 'majority', 'best_effort'])
const readyStatus = z.enum(['ok', 'failed'])
const payload = z.string().max(barrierLimits.payloadCharsMax)

const barrier = z.strictObject({
  policy,
  heartbeatIntervalMs: duration,
  missedThreshold: count,
  queryTimeoutMs: duration,
  queryRetries: count,
  barrierTimeoutMs: duration,
  stragglerGraceMs: duration,
})
const stage = z.strictObject({
  barrierName: z.string().max(300),
  name: z.string().max(256),
  optional: z.boolean(),
  barrier,
})
const wanted = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('names'), names: z.array(name).max(barrierLimits.membersMax) }),
  z.strictObject({ kind: z.literal('count'), count: z.number().int().min(1).max(barrierLimits.membersMax) }),
  z.strictObject({ kind: z.literal('all') }),
])
const spec = z.strictObject({
  submission: id,
  hash: id,
  yaml: z.string().max(barrierLimits.planCharsMax),
  stages: z.array(stage).max(barrierLimits.stagesMax),
  wanted,
  agentReadyTimeoutMs: duration,
})
const exclusion = z.strictObject({ peer: id, name, reason: z.enum(['dead', 'failed', 'straggler', 'left']) })
const report = z.strictObject({ peer: id, name, sequence, status: readyStatus, payload })
const decisionBase = { plan, sequence, ballot, leader: name }
const decision = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('start'), ...decisionBase, spec, members, startAt: time, armMs: duration }),
  z.strictObject({
    kind: z.literal('release'),
    ...decisionBase,
    policy,
    members,
    ready: peers,
    excluded: z.array(exclusion).max(barrierLimits.membersMax),
    reports: z.array(report).max(4 * barrierLimits.membersMax),
    waitedMs: duration,
    startAt: time,
  }),
  z.strictObject({
    kind: z.literal('abort'),
    ...decisionBase,
    policy,
    members,
    reason: text,
    excluded: z.array(exclusion).max(barrierLimits.membersMax),
    reports: z.array(report).max(4 * barrierLimits.membersMax),
  }),
])
const accepted = z.strictObject({ ballot, decision: decision.nullable() })
const readyNote = { sequence, status: readyStatus, payload, waitedMs: duration }
const digest = z.strictObject({
  plan,
  sequence,
  digestSequence: count,
  ready: peers,
  failed: peers,
  waiting: peers,
  dead: peers,
})
const outcome = z.discriminatedUnion('status', [
  z.strictObject({ status: z.literal('accepted'), plan }),
  z.strictObject({ status: z.literal('busy'), plan: plan.nullable(), detail: text }),
  z.strictObject({ status: z.literal('refused'), detail: text }),
])

const electionMessages = [
  z.strictObject({ type: z.literal('prevote'), ballot, plan: plan.nullable(), sequence }),
  z.strictObject({
    type: z.literal('prevote_reply'),
    ballot,
    granted: z.boolean(),
    leader: ballot.nullable(),
    promised: ballot,
    known: count,
  }),
  z.strictObject({
    type: z.literal('vote'),
    ballot,
    plan: plan.nullable(),
    sequence,
    inFull: z.boolean(),
  }),
  z.strictObject({
    type: z.literal('promise'),
    ballot,
    plan: plan.nullable(),
    sequence,
    accepted: accepted.nullable(),
    ready: z.strictObject(readyNote).nullable(),
    planMax: count,
  }),
  z.strictObject({ type: z.literal('reject'), ballot, promised: ballot }),
  z.strictObject({ type: z.literal('handover'), ballot }),
  z.strictObject({ type: z.literal('leave') }),
] as const

const consensusMessages = [
  z.strictObject({ type: z.literal('propose'), ballot, decision }),
  z.strictObject({ type: z.literal('remind'), ballot, plan, sequence, origin: ballot }),
  z.strictObject({ type: z.literal('accept'), ballot, plan, sequence }),
  z.strictObject({ type: z.literal('refuse'), ballot, plan, reason: text, accepted: z.boolean(), planMax: count }),
  z.strictObject({ type: z.literal('decided'), ballot, plan, sequence, startAt: time.nullable() }),
  z.strictObject({ type: z.literal('catchup'), plan, sequence }),
  z.strictObject({ type: z.literal('decision'), decision, startAt: time.nullable() }),
] as const

const memberMessages = [
  z.strictObject({ type: z.literal('ping'), sentAt: time, term, plan: plan.nullable(), sequence, planMax: count }),
  z.strictObject({
    type: z.literal('pong'),
    ballot,
    pingSentAt: time,
    receivedAt: time,
    sentAt: time,
    plan: plan.nullable(),
    sequence,
    planMax: count,
    readyKnown: z.boolean(),
    lateKnown: z.array(sequence).max(barrierLimits.stagesMax),
  }),
  z.strictObject({
    type: z.literal('heartbeat'),
    ballot,
    plan: plan.nullable(),
    sequence,
    planMax: count,
    digest: digest.nullable(),
    clock: z.strictObject({ peer: id, offsetMs: time, errorMs: duration }).nullable(),
  }),
  z.strictObject({ type: z.literal('ready'), plan, ...readyNote }),
  z.strictObject({ type: z.literal('query'), nonce: count, plan: plan.nullable() }),
  z.strictObject({ type: z.literal('answer'), nonce: count, plan: plan.nullable(), sequence }),
  z.strictObject({ type: z.literal('submit'), spec }),
  z.strictObject({ type: z.literal('submit_reply'), submission: id, outcome }),
  z.strictObject({ type: z.literal('abort_request'), plan, reason: text }),
] as const

const message: z.ZodType<Message> = z.discriminatedUnion('type', [
  ...electionMessages,
  ...consensusMessages,
  ...memberMessages,
])

/** Where a peer can be dialled. What is too long is not parsed: that takes long. */
export const address = z.string().max(300, { abort: true }).refine(isMultiaddr, 'no multiaddr')

/** Who a peer is. */
export const identity = z.strictObject({
  wire: z.number().int(),
  run: z.string().max(128),
  // Shown, logged and used as a folder's name: what a peer says of itself is held to what its own flag allows.
  name: z.string().regex(namePattern),
  incarnation: id,
  role: z.enum(['agent', 'client']),
  version: z.string().max(40),
  runtime: z.string().max(40),
})

export type Identity = z.infer<typeof identity>

/** Other peers of the run that the sender knows. */
const acquaintances = z
  .array(z.strictObject({ peer: id, addrs: z.array(address).max(limits.addressesMax) }))
  .max(limits.peersInHelloMax)

const hello = z.strictObject({
  type: z.literal('hello'),
  ...identity.shape,
  addrs: z.array(address).max(limits.addressesMax),
  peers: acquaintances,
})

export type Hello = z.infer<typeof hello>

/** Of those who came after the hello. */
const introduction = z.strictObject({ type: z.literal('introduction'), peers: acquaintances })

export type Introduction = z.infer<typeof introduction>

/** Said by a peer that has had nothing else to say for a while. */
export const alive = { type: 'alive' } as const

/** Says so without a look at the rest. */
export function isOfType(document: unknown, type: string): boolean {
  return typeof document === 'object' && document !== null && 'type' in document && document.type === type
}

/** `number` rises with each message of an incarnation: what is sent again by others is told apart. */
const envelope = { run: z.string().max(128), incarnation: id, number: count }
const gossip = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('message'), ...envelope, message }),
  z.strictObject({ type: z.literal('progress'), ...envelope, data: z.unknown() }),
])

export type Gossip = z.infer<typeof gossip>

function isMultiaddr(text: string): boolean {
  try {
    multiaddr(text)
    return true
  } catch {
    return false
  }
}

export type Checked<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly fault: string }

export const checkMessage = (document: unknown): Checked<Message> => check(message, document)
export const checkHello = (document: unknown): Checked<Hello> => check(hello, document)
export const checkIntroduction = (document: unknown): Checked<Introduction> => check(introduction, document)
export const checkGossip = (document: unknown): Checked<Gossip> => check(gossip, document)

function check<T>(schema: z.ZodType<T>, document: unknown): Checked<T> {
  const result = schema.safeParse(document)
  if (result.success) return { ok: true, value: result.data }
  const issue = result.error.issues[0]
  const where = issue === undefined || issue.path.length === 0 ? 'message' : issue.path.join('.')
  return { ok: false, fault: `${where}: ${issue?.message ?? 'malformed'}`.slice(0, 300) }
}
