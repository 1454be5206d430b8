/**
 * observed.jsonl: what one peer saw happen to the others while a plan ran, in its own clock. Not agreed: others saw it a
 * moment earlier or later, or not at all.
 */

import { z } from 'zod'
import type { MeshEvent } from '../../mesh/mod.ts'

const name = z.string().max(256)
const REASON_MAX = 1000

export const observationSchema = z.strictObject({
  /** Who saw it, and when, ms. */
  by: name,
  at: z.number(),
  event: z.enum(['leader.elected', 'leader.lost', 'peer.joined', 'peer.left', 'barrier.aborted']),
  /** Whom it happened to; of an abort, who announced it. */
  name,
  /** Of leaders and aborts; null otherwise. */
  term: z.number().int().min(0).nullable(),
  reason: z.string().max(REASON_MAX),
})

export type Observation = z.infer<typeof observationSchema>

/** Enough for any plan that is not in trouble all the time; later ones are not kept. */
export const OBSERVATIONS_MAX = 10_000

/** Null for events that are on record elsewhere, or are nobody's fate. */
export function observationOf(event: MeshEvent, by: string, at: number): Observation | null {
  switch (event.type) {
    case 'leader_elected':
      return { by, at, event: 'leader.elected', name: event.name, term: event.ballot.term, reason: '' }
    case 'leader_lost':
      return { by, at, event: 'leader.lost', name: event.name, term: event.ballot.term, reason: event.reason }
    case 'peer_joined':
    case 'peer_left': {
      if (event.peer.role === 'client') return null
      const what = event.type === 'peer_left' ? 'peer.left' : 'peer.joined'
      return { by, at, event: what, name: event.peer.name, term: null, reason: '' }
    }
    case 'decided': {
      const { kind, leader, ballot } = event.decision
      // Of starts and releases, the decision itself says when.
      if (kind !== 'abort') return null
      return {
        by,
        at,
        event: 'barrier.aborted',
        name: leader,
        term: ballot.term,
        reason: event.decision.reason.slice(0, REASON_MAX),
      }
    }
    default:
      return null
  }
}
