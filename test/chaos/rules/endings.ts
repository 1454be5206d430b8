/** Everything ends, for a reason that holds, with the exit code that it should have (5, and exit codes). */

import { type Client, type Evidence, isFinal, type Peer, type Violation } from '../evidence.ts'
import {
  abortOf,
  type Execution,
  endOf,
  eventsOf,
  finishOf,
  type Part,
  partOf,
  partsOf,
  releaseOf,
  releasesOf,
} from '../parts.ts'
import { STAGES } from '../plan.ts'
import { isOverloaded, majorityOf, mayBeMissed, READY_SLACK_MS } from '../troubles.ts'

const EXITS = { completed: 0, aborted: 1, quorum_lost: 3, excluded: 5 } as const
const LOST_OR_BUSY = 4
const INTERRUPTED = 130

export function endings(evidence: Evidence, executions: readonly Execution[]): Violation[] {
  const hung = evidence.hung.map((text) => ({ rule: 'hang', text: `${text} did not end` }))
  const peers = evidence.peers.flatMap((peer) =>
    peerFaults(peer).map((text) => ({ rule: 'exit', text: `${peer.id} ${text}` })),
  )
  const parts = executions.flatMap((execution) =>
    execution.parts.flatMap((part) =>
      [...reasonFaults(evidence, execution, part), ...aloneFaults(evidence, execution, part)].map((text) => ({
        rule: 'reason',
        text: `${part.peer.id} ${text}`,
      })),
    ),
  )
  const clients = evidence.clients.flatMap((client) =>
    clientFaults(evidence, client, executions).map((text) => ({ rule: 'exit', text: `client ${client.id} ${text}` })),
  )
  return [...hung, ...peers, ...parts, ...clients]
}

function peerFaults(peer: Peer): string[] {
  const { end, once, troubles, stderr } = peer
  const faults = stderr === '' ? [] : [`wrote to standard error: ${stderr.slice(0, 300)}`]
  if (end === null) return faults
  if (troubles.some(({ kind }) => kind === 'killed')) return faults
  const ends = partsOf(peer).map(endOf)
  for (const event of ends) {
    if (event !== undefined && event.exit !== EXITS[event.status])
      faults.push(`says ${event.status}, exit ${event.exit}`)
  }
  const last = ends.at(-1)
  const told = troubles.some(({ kind }) => kind === 'told to leave')
  if (!told && !once) faults.push(`ended with ${end.code ?? end.signal}, though nobody told it to`)
  if (!told && last === undefined) faults.push(`ended with ${end.code ?? end.signal} without a plan that ended`)
  // Told to leave while it ends by itself: either is right.
  const right = [...(told ? [0] : []), ...(once && last !== undefined ? [last.exit] : [])]
  if (end.code === null || (right.length > 0 && !right.includes(end.code))) {
    faults.push(`ended with ${end.code ?? end.signal} instead of ${right.join(' or ')}`)
  }
  return faults
}

/** Whether the end of a plan at a process is one that may be. */
function reasonFaults(evidence: Evidence, execution: Execution, part: Part): string[] {
  const end = endOf(part)
  const leaves = part.peer.troubles.some(isFinal)
  if (end === undefined) return leaves || part.peer.end === null ? [] : ['ended without saying how its plan ended']
  switch (end.status) {
    case 'completed': {
      const last = releasesOf(part).at(-1)?.sequence
      return last === STAGES ? [] : [`says completed after barrier ${last}`]
    }
    case 'aborted': {
      const abort = eventsOf(part, 'barrier.aborted')[0]
      if (abort === undefined) return ['says aborted without a decision']
      return abortIsFounded(evidence, execution, abort.time)
        ? []
        : [`aborted without a reason that holds: ${abort.reason}`]
    }
    case 'excluded': {
      const named = releasesOf(part)
        .at(-1)
        ?.excluded.some(({ name }) => name === part.peer.name)
      return named === true || leaves ? [] : ['says excluded, but no release names it']
    }
    case 'quorum_lost':
      return quorumWasLost(evidence, execution, part, end.time) ? [] : [`says quorum_lost, but a majority was there`]
  }
}

/** Whether it had to go on alone: its policy says so, it has waited, and no majority was there. */
function aloneFaults(evidence: Evidence, execution: Execution, part: Part): string[] {
  const first = releasesOf(part).find(({ unilateral }) => unilateral)
  if (first === undefined) return []
  const { sequence, policy, time } = first
  if (policy !== 'best_effort') return [`released barrier ${sequence} alone under ${policy}`]
  const waitedMs = time - (finishOf(execution, part.peer.name, sequence)?.time ?? time)
  if (waitedMs < evidence.options.barrierTimeoutMs - READY_SLACK_MS) {
    return [`released barrier ${sequence} alone after ${waitedMs.toFixed(0)} ms`]
  }
  return quorumWasLost(evidence, execution, part, time) ? [] : [`goes on alone, but a majority was there`]
}

function abortIsFounded(evidence: Evidence, execution: Execution, before: number): boolean {
  if (evidence.aborts.some((at) => at <= before)) return true
  if (evidence.clients.some(({ signals }) => signals.some(({ signal, at }) => signal === 'SIGINT' && at <= before)))
    return true
  if (execution.roster.some((name) => mayBeMissed(evidence, execution, name, before))) return true
  const sequence = abortOf(execution)?.sequence ?? 0
  const finishes = execution.roster.map((name) => finishOf(execution, name, sequence))
  if (finishes.some((finish) => finish?.status === 'failed')) return true
  const first = Math.min(...finishes.map((finish) => finish?.time ?? Number.POSITIVE_INFINITY))
  return before - first >= evidence.options.barrierTimeoutMs
}

/** So many of the last members that it knew of were missing that the others were no majority. */
function quorumWasLost(evidence: Evidence, execution: Execution, part: Part, at: number): boolean {
  const agreed = releasesOf(part).filter(({ unilateral }) => !unilateral)
  const members = agreed.at(-1)?.members ?? execution.roster
  const goneAlone = (name: string) => {
    const other = partOf(execution, name)
    return other !== undefined && releasesOf(other).some(({ unilateral, time }) => unilateral && time <= at)
  }
  const isThere = (name: string) => !mayBeMissed(evidence, execution, name, at) && !goneAlone(name)
  const there = members.filter((name) => name === part.peer.name || isThere(name))
  // One that was itself paused or cut off finds the others gone.
  return there.length < majorityOf(members.length) || mayBeMissed(evidence, execution, part.peer.name, at - 1)
}

function clientFaults(evidence: Evidence, client: Client, executions: readonly Execution[]): string[] {
  const { end, signals, mustComplete } = client
  if (end === null || signals.some(({ signal }) => signal === 'SIGKILL')) return []
  const execution = executions.find(({ hash }) => hash === client.hash)
  if (signals.length > 0) {
    if (end.code === INTERRUPTED || end.code === 0) return []
    // The signal itself ends a program that is still being loaded: a shell calls that 130 as well.
    if (end.signal === 'SIGINT' && execution === undefined) return []
    return [`was interrupted and ended with ${end.code ?? end.signal}`]
  }
  const words = `${client.stderr}${client.stdout}`.trim().slice(-300)
  if (mustComplete && end.code !== 0 && !isOverloaded(evidence))
    return [`ended with ${end.code} after all faults were over: ${words}`]
  if (execution === undefined) {
    return end.code === LOST_OR_BUSY || end.code === 1
      ? []
      : [`ended with ${end.code}, though no plan was started: ${words}`]
  }
  // Peers that cannot answer for seconds are given up.
  const right = [...rightCodes(execution), ...(isOverloaded(evidence) ? [LOST_OR_BUSY] : [])]
  if (end.code !== null && right.includes(end.code)) return []
  return [`ended with ${end.code ?? end.signal} instead of ${right.join(' or ')}: ${words}`]
}

/** What a submitter may say of a plan, given how it ended for those who went all the way. */
function rightCodes(execution: Execution): number[] {
  const ends = execution.parts.flatMap((part) => {
    const gone = part.peer.troubles.some(isFinal)
    const end = endOf(part)
    return end === undefined || gone ? [] : [end]
  })
  const statuses = new Set(ends.map(({ status }) => status))
  // Those who know the end died before they could tell, or the submitter was told just in time.
  const untold = ends.length === 0 ? [0, 1, 3, LOST_OR_BUSY] : []
  if (abortOf(execution) !== undefined) return [1, ...(oneFoundAllGone(execution) ? [3] : []), ...untold]
  if (releaseOf(execution, STAGES) !== undefined) return [0, ...(statuses.has('completed') ? [] : untold)]
  if (statuses.has('completed')) return [0, ...(statuses.has('quorum_lost') ? [3] : [])]
  if (statuses.has('quorum_lost')) return [3]
  return [...untold, LOST_OR_BUSY]
}

/** Paused while the others decided, and back when their processes had ended: its followers learn of no decision either. */
function oneFoundAllGone({ parts }: Execution): boolean {
  return parts.some((part) => {
    const end = endOf(part)
    if (end?.status !== 'quorum_lost') return false
    return parts.every(({ peer }) => peer === part.peer || (peer.end !== null && peer.end.at <= end.time))
  })
}
