/** The events that a node logs. Names and fields are public interface; docs/events.md is made from this table. */

import { z } from 'zod'

const text = z.string()
const number = z.number()
const names = z.array(text).readonly()
const plan = number.describe('number of the plan in its run: 1, 2, ...')
const sequence = number.describe('the barrier: 0 before the first stage, i after stage i')
const stage = text.describe("the stage's name")
const term = number.describe("number of the leader's election")
const leader = text.describe('name of the leader')
const status = z.enum(['ok', 'failed'])

/** Each event as an object of its own: `event` and its fields. Peers are given by name. */
export const logEventSchema = z.discriminatedUnion('event', [
  z
    .strictObject({
      event: z.literal('node.listening'),
      addrs: names.describe('multiaddrs that others can dial, each with the peer ID at its end'),
      http: text.optional().describe('where the run is shown to browsers and Prometheus; absent without --http'),
    })
    .describe('the node can be reached'),
  z
    .strictObject({ event: z.literal('node.leaving'), reason: text.describe('the signal, or who asked') })
    .describe('the node leaves the run in order'),
  z
    .strictObject({
      event: z.literal('node.warning'),
      code: text.describe('stable code, see troubleshooting.md'),
      message: text,
    })
    .describe('something went wrong that does not end the node'),
  z
    .strictObject({ event: z.literal('peer.joined'), name: text, peerId: text.describe('libp2p peer ID') })
    .describe('another peer of the run is connected and has said who it is'),
  z
    .strictObject({ event: z.literal('peer.left'), name: text, peerId: text.describe('libp2p peer ID') })
    .describe('the last connection to a peer closed'),
  z.strictObject({ event: z.literal('leader.elected'), term, leader }).describe('this peer follows a leader, or leads'),
  z
    .strictObject({ event: z.literal('leader.lost'), term, leader, reason: text })
    .describe('this peer follows nobody until the next election'),
  z
    .strictObject({
      event: z.literal('plan.accepted'),
      plan,
      hash: text.describe('SHA-256 of the plan as submitted'),
      agents: names.describe('the roster'),
      stages: names.describe('stages in their order'),
    })
    .describe('all that the start names have agreed to take part'),
  z
    .strictObject({
      event: z.literal('stage.started'),
      plan,
      sequence,
      stage,
      at: number.describe('when, own clock, ms since 1970, fractional'),
      offsetMs: number.describe("leader's clock minus the own one, ms"),
    })
    .describe('the work of a stage began here'),
  z
    .strictObject({
      event: z.literal('stage.finished'),
      plan,
      sequence,
      stage,
      status,
      ops: number,
      bytes: number,
      errors: number,
      seconds: number.describe('measured; waiting is no part of it'),
      reason: text.optional().describe('why it failed; absent when ok'),
      code: text.optional().describe('stable code of that; absent when ok'),
    })
    .describe('the work of a stage ended here'),
  z
    .strictObject({ event: z.literal('barrier.waiting'), plan, sequence, stage })
    .describe('this peer is ready and waits for the others'),
  z
    .strictObject({ event: z.literal('barrier.progress'), plan, sequence, ready: names, waiting: names, failed: names })
    .describe('who is ready, as the leader sees it'),
  z
    .strictObject({
      event: z.literal('barrier.released'),
      plan,
      sequence,
      term,
      leader,
      policy: z.enum(['all_or_nothing', 'majority', 'best_effort']),
      members: names.describe('who goes on'),
      excluded: z
        .array(z.strictObject({ name: text, reason: text }).readonly())
        .readonly()
        .describe('who does not, and why: dead, failed, straggler, left'),
      startAt: number.describe(
        "when the next stage starts, leader's clock, ms since 1970; where agents took longer to get ready for the plan, or the leader was lost before that, a later moment is announced",
      ),
      waitedMs: number.describe('how long this peer had waited'),
      unilateral: z.boolean().describe('released by this peer alone, without a quorum'),
    })
    .describe('the members agreed to go on (policy `best_effort` without a quorum: this peer alone did)'),
  z
    .strictObject({ event: z.literal('barrier.aborted'), plan, sequence, term, leader, reason: text })
    .describe('the members agreed to end the plan'),
  z
    .strictObject({
      event: z.literal('message.rejected'),
      reason: text.describe('such as stale_term, stale_sequence, stranger, malformed; see troubleshooting.md'),
      from: text.describe('name of the sender where known, else its peer ID'),
      expected: text,
      got: text,
    })
    .describe('a message changed nothing; at most 20 a second are logged, the others counted'),
  z
    .strictObject({
      event: z.literal('run.finished'),
      plan,
      status: z.enum(['completed', 'aborted', 'quorum_lost', 'excluded']),
      exit: number.describe('what `node --once` exits with; 130 when Ctrl-C ended it'),
      reason: text.describe('empty when completed'),
      unilateral: z.boolean().describe('the plan was completed by this peer alone at some barrier'),
      results: text.describe('result folder of this peer; empty when none could be written'),
    })
    .describe('the plan is over for this peer'),
])

export type LogEvent = Readonly<z.infer<typeof logEventSchema>>

/** What each line has beside the event's own fields. */
export const logLineFields = {
  level: z.union([z.literal(30), z.literal(40)]).describe('30, or 40 for what deserves a look'),
  time: number.describe('own clock, ms since 1970, fractional'),
  run: text.describe('the run ID'),
  peer: text.describe("this node's name"),
}
