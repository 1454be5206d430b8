/** What kept whom from doing anything, and when. */

import type { Evidence, Peer, Trouble } from './evidence.ts'
import { type Execution, endOf, partOf } from './parts.ts'

/** Clocks of processes agree this well, ms. */
export const CLOCK_SLACK_MS = 10
/** A stage is finished a little before its member is ready. */
export const READY_SLACK_MS = 100
/** Whoever was starved may be taken for lost until a little later. */
const STARVED_FOR_MS = 8000
/** Starved for so long in all, within a time in which a peer may be taken for dead. */
const OVERLOAD_MS = 2000
const OVERLOAD_WITHIN_MS = 5000

/** Stopped, or gone, for the whole of a stretch of time. */
export function wasOut(peer: Peer, since: number, until: number): boolean {
  if (peer.end !== null && peer.end.at <= since) return true
  return peer.troubles.some(({ kind, ...trouble }) => {
    return (kind === 'killed' || kind === 'paused') && trouble.since <= since && trouble.until >= until
  })
}

export function wasCut(evidence: Evidence, one: string, other: string, since: number, until: number): boolean {
  return evidence.cuts.some(({ from, to, ...cut }) => {
    const between = (from === one && to === other) || (from === other && to === one)
    return between && cut.since <= since && cut.until >= until
  })
}

/** Something was done to this process, or to its network, before that time: others may hold it for lost. */
export function wasTroubled(evidence: Evidence, peer: Peer, before: number): boolean {
  if (evidence.disturbed || (peer.end !== null && peer.end.at <= before)) return true
  const lasting = ({ kind, until }: Trouble) => kind !== 'starved' || until >= before - STARVED_FOR_MS
  if (peer.troubles.some((trouble) => trouble.since <= before && lasting(trouble))) return true
  return evidence.cuts.some((cut) => (cut.from === peer.name || cut.to === peer.name) && cut.since <= before)
}

/** A member that cannot, or will not, take part in deciding any more: troubled, or its plan ended otherwise. */
export function mayBeMissed(evidence: Evidence, execution: Execution, name: string, before: number): boolean {
  const part = partOf(execution, name)
  if (part === undefined) return true
  const end = endOf(part)
  const stopped = end !== undefined && end.status !== 'completed' && end.time < before
  return stopped || wasTroubled(evidence, part.peer, before)
}

/** So starved that what should happen in time says nothing about the peers, only about the machine. */
export function isOverloaded({ peers }: Evidence): boolean {
  return peers.some(({ troubles }) => {
    const starved = troubles.filter(({ kind }) => kind === 'starved')
    return starved.some(({ until }) => {
      const withinMs = starved.map(
        (one) => Math.min(one.until, until) - Math.max(one.since, until - OVERLOAD_WITHIN_MS),
      )
      return withinMs.reduce((sum, ms) => sum + Math.max(0, ms), 0) >= OVERLOAD_MS
    })
  })
}

export function majorityOf(count: number): number {
  return Math.floor(count / 2) + 1
}
