/** The events of a node as the design's table has them: names, fields, kinds of values. More fields are allowed. */

import { z } from 'zod'
import type { LoggedEvent } from '../e2e/cluster.ts'

const text = z.string().min(1)
const number = z.number()
const whole = z.number().int().min(0)
const names = z.array(text)
const inPlan = { plan: whole.min(1), sequence: whole }
const inStage = { ...inPlan, sequence: whole.min(1), stage: text }
const decided = { ...inPlan, term: whole.min(1), leader: text }

const contract = z.discriminatedUnion('event', [
  z.looseObject({ event: z.literal('node.listening'), addrs: names.min(1) }),
  z.looseObject({ event: z.literal('peer.joined'), name: text, peerId: text }),
  z.looseObject({ event: z.literal('peer.left'), name: text, peerId: text }),
  z.looseObject({ event: z.literal('leader.elected'), term: whole.min(1), leader: text }),
  z.looseObject({ event: z.literal('leader.lost'), term: whole.min(1), leader: text, reason: text }),
  z.looseObject({
    event: z.literal('plan.accepted'),
    plan: whole.min(1),
    hash: z.string().regex(/^[0-9a-f]{64}$/),
    agents: names.min(1),
    stages: names.min(1),
  }),
  z.looseObject({ event: z.literal('stage.started'), ...inStage, at: number, offsetMs: number }),
  z.looseObject({
    event: z.literal('stage.finished'),
    ...inStage,
    status: z.enum(['ok', 'failed']),
    ops: whole,
    bytes: whole,
    errors: whole,
    seconds: number.min(0),
  }),
  z.looseObject({ event: z.literal('barrier.waiting'), ...inStage }),
  z.looseObject({ event: z.literal('barrier.progress'), ...inPlan, ready: names, waiting: names, failed: names }),
  z.looseObject({
    event: z.literal('barrier.released'),
    ...decided,
    policy: z.enum(['all_or_nothing', 'majority', 'best_effort']),
    members: names.min(1),
    excluded: z.array(z.strictObject({ name: text, reason: text })),
    startAt: number,
    waitedMs: number.min(0),
    unilateral: z.boolean(),
  }),
  z.looseObject({ event: z.literal('barrier.aborted'), ...decided, reason: text }),
  z.looseObject({ event: z.literal('message.rejected'), reason: text, from: text, expected: text, got: text }),
  z.looseObject({
    event: z.literal('run.finished'),
    plan: whole.min(1),
    status: z.enum(['completed', 'aborted', 'quorum_lost', 'excluded']),
    exit: whole,
    reason: z.string(),
    unilateral: z.boolean(),
  }),
])

/** Beside the table: a leave in order, and what only an operator of that node needs to know. */
const furtherEvents: ReadonlySet<string> = new Set(['node.leaving', 'node.warning'])

export type ContractEvent = z.infer<typeof contract> & { readonly time: number }
export type EventName = ContractEvent['event']
export type EventOf<N extends EventName> = Extract<ContractEvent, { event: N }>

/** The events that the table has, in the order in which they were logged. */
export function contractEvents(logged: readonly LoggedEvent[]): ContractEvent[] {
  return logged.flatMap((one) => {
    // `at` of the table is the node's own; the harness keeps it apart from the time of arrival.
    const parsed = contract.safeParse({ ...one, at: one.ownAt })
    return parsed.success ? [{ ...parsed.data, time: one.time }] : []
  })
}

/** Why an event is none of the table's; undefined when it is. */
export function eventFault(logged: LoggedEvent): string | undefined {
  if (furtherEvents.has(logged.event)) return undefined
  for (const field of ['time', 'run', 'peer'] as const) if (logged[field] === undefined) return `no field "${field}"`
  const parsed = contract.safeParse({ ...logged, at: logged.ownAt })
  if (parsed.success) return undefined
  return parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ')
}
