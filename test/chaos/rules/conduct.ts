/** Events are as the design's table has them, barriers are decided in time, and who is well is left in peace (5). */

import { contractEvents, eventFault } from '../events.ts'
import type { Evidence, Peer, Violation } from '../evidence.ts'
import { abortOf, type Execution, finishOf, lastReleased, releaseOf } from '../parts.ts'
import { mayBeMissed, wasTroubled } from '../troubles.ts'

const QUERIES_MS = 2000
const MISSED = 3
/** Elections, and a machine that does other things as well. */
const BUSY_MS = 4000
/** What two processes say is read in no order. */
const SAID_LATE_MS = 500

export function eventsAreRight(evidence: Evidence): Violation[] {
  return evidence.peers.flatMap(({ id, events }) =>
    events.flatMap((event) => {
      const fault = eventFault(event)
      if (fault !== undefined) return [{ rule: 'event', text: `${id}: ${event.event}: ${fault}` }]
      const isDefect = event.event === 'node.warning' && (event.code === 'DEFECT' || event.code === 'BARRIER_INVARIANT')
      return isDefect ? [{ rule: 'defect', text: `${id}: ${event.message}` }] : []
    }),
  )
}

/** From the last thing that had to happen to the decision no more time passes than the settings allow. */
export function inTime(evidence: Evidence, executions: readonly Execution[]): Violation[] {
  return executions.flatMap((execution) => {
    const decided = Array.from({ length: Math.max(0, lastReleased(execution)) }, (_, at) => ({
      sequence: at + 1,
      at: releaseOf(execution, at + 1)?.time ?? 0,
    }))
    const abort = abortOf(execution)
    if (abort !== undefined) decided.push({ sequence: abort.sequence, at: abort.time })
    return decided.flatMap(({ sequence, at }) => {
      const tookMs = at - lastCause(evidence, execution, sequence, at)
      const allowedMs = allowed(evidence, execution, sequence, at)
      if (tookMs <= allowedMs) return []
      const text = `barrier ${sequence} took ${tookMs.toFixed(0)} ms, at most ${allowedMs.toFixed(0)} are right`
      return [{ rule: 'progress', text }]
    })
  })
}

/** The last member that became ready, or the last thing that was done to anybody, before the decision. */
function lastCause(evidence: Evidence, execution: Execution, sequence: number, before: number): number {
  const start = Math.min(...execution.parts.map(({ events }) => events[0]?.time ?? before))
  const finishes = execution.roster.map((name) => finishOf(execution, name, sequence)?.time ?? 0)
  const troubles = evidence.peers.flatMap((peer) => [
    ...peer.troubles.flatMap(({ since, until }) => [since, until]),
    peer.end?.at ?? 0,
  ])
  const cuts = evidence.cuts.flatMap(({ since, until }) => [since, until])
  return Math.max(start, ...[...finishes, ...troubles, ...cuts, ...evidence.aborts].filter((at) => at <= before))
}

function allowed(evidence: Evidence, execution: Execution, sequence: number, at: number): number {
  const { barrierTimeoutMs, stragglerGraceMs, heartbeatMs } = evidence.options
  const isMissing = execution.roster.some((name) => mayBeMissed(evidence, execution, name, at))
  const isUnready = execution.roster.some((name) => (finishOf(execution, name, sequence)?.time ?? Infinity) > at)
  // TCP tries again ever more rarely: as long after a cut as the cut was.
  const cutMs = evidence.cuts.reduce((longest, { since, until }) => Math.max(longest, Math.min(until, at) - since), 0)
  const search = isMissing || evidence.disturbed ? heartbeatMs * MISSED + QUERIES_MS : 0
  return BUSY_MS + search + cutMs + (isUnready ? Math.max(barrierTimeoutMs, stragglerGraceMs) : 0)
}

/** Words of a leader that goes by itself, or of one that the plan replaces. */
const inOrder =
  /handed over|takes part in the plan|takes part in a plan|excluded|leaving|less than a majority|it left|new ballot/

/** Whether the leader itself had given up: whoever hears the next one's request for votes first says only this. */
function wentInOrder(leader: Peer, before: number): boolean {
  return contractEvents(leader.events).some(
    (event) =>
      event.event === 'leader.lost' &&
      event.leader === leader.name &&
      event.time <= before + SAID_LATE_MS &&
      inOrder.test(event.reason),
  )
}

/** A leader to which nothing happened stays until its plan ends, as far as those can tell to whom nothing happened. */
export function healthyLeadersStay(evidence: Evidence, executions: readonly Execution[]): Violation[] {
  if (evidence.disturbed || evidence.cuts.length > 0) return []
  return executions.flatMap(({ parts, roster }) =>
    parts.flatMap(({ peer, events }) => {
      const [from, to] = [events[0]?.time ?? 0, events.at(-1)?.time ?? 0]
      return contractEvents(peer.events).flatMap((event) => {
        if (event.event !== 'leader.lost' || event.time < from || event.time > to) return []
        const leader = evidence.peers.find(({ name }) => name === event.leader)
        const well = [peer, leader].every((one) => one !== undefined && !wasTroubled(evidence, one, event.time))
        if (!well || inOrder.test(event.reason) || !roster.includes(event.leader)) return []
        if (leader !== undefined && wentInOrder(leader, event.time)) return []
        return [{ rule: 'stability', text: `${peer.id} gave up ${event.leader}, which was well: ${event.reason}` }]
      })
    }),
  )
}
