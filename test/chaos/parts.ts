/** The plans of a round, put together from what each process said: who took part in what, and what was decided there. */

import { type ContractEvent, contractEvents, type EventName, type EventOf } from './events.ts'
import type { Client, Evidence, Peer, ResultFolder } from './evidence.ts'

export type Released = EventOf<'barrier.released'>
export type Aborted = EventOf<'barrier.aborted'>

/** One process's way through one plan. */
export interface Part {
  readonly peer: Peer
  readonly plan: number
  /** From `plan.accepted` on, in the order in which they were logged. */
  readonly events: readonly ContractEvent[]
  readonly folder: ResultFolder | null
}

/** One plan as all who took part in it saw it. */
export interface Execution {
  /** First line of decisions.jsonl as data: two plans never share it. */
  readonly key: string
  readonly hash: string
  readonly plan: number
  readonly roster: readonly string[]
  readonly parts: readonly Part[]
  readonly clients: readonly Client[]
}

export function executionsOf(evidence: Evidence): Execution[] {
  const executions = new Map<
    string,
    { key: string; hash: string; plan: number; roster: readonly string[]; parts: Part[] }
  >()
  for (const peer of evidence.peers) {
    for (const part of partsOf(peer)) {
      const accepted = part.events[0]
      const start = releasesOf(part).find(({ sequence }) => sequence === 0)
      if (accepted?.event !== 'plan.accepted' || start === undefined) continue
      const key = keyOf(start)
      const known = executions.get(key) ?? {
        key,
        hash: accepted.hash,
        plan: part.plan,
        roster: start.members,
        parts: [],
      }
      executions.set(key, known)
      const folder = peer.folders.find((one) => keyOfFolder(one) === key) ?? null
      known.parts.push({ ...part, folder })
    }
  }
  return [...executions.values()].map((execution) => {
    const clients = evidence.clients.filter(({ folder }) => folder !== null && keyOfFolder(folder) === execution.key)
    return { ...execution, clients }
  })
}

/** The plans that it took part in: numbers rise, and results may be written while the next plan begins. */
export function partsOf(peer: Peer): Part[] {
  const parts = new Map<number, { peer: Peer; plan: number; events: ContractEvent[]; folder: null }>()
  for (const event of contractEvents(peer.events)) {
    const { plan } = event
    if (typeof plan !== 'number') continue
    if (event.event === 'plan.accepted') parts.set(plan, { peer, plan, events: [], folder: null })
    parts.get(plan)?.events.push(event)
  }
  return [...parts.values()]
}

export function eventsOf<N extends EventName>({ events }: Part, name: N): EventOf<N>[] {
  return events.filter((event) => isNamed(event, name))
}

function isNamed<N extends EventName>(event: ContractEvent, name: N): event is EventOf<N> {
  return event.event === name
}

export function releasesOf(part: Part): Released[] {
  return eventsOf(part, 'barrier.released')
}

/** The release of a sequence that the members agreed on; undefined where there was none. */
export function releaseOf(execution: Execution, sequence: number): Released | undefined {
  const all = execution.parts.flatMap((part) => releasesOf(part).filter((one) => one.sequence === sequence))
  const agreed = all.filter(({ unilateral }) => !unilateral)
  return agreed.reduce<Released | undefined>(
    (first, one) => (first !== undefined && first.time <= one.time ? first : one),
    undefined,
  )
}

export function abortOf(execution: Execution): Aborted | undefined {
  return execution.parts.flatMap((part) => eventsOf(part, 'barrier.aborted'))[0]
}

/** Highest sequence that was released by agreement; -1 for none. */
export function lastReleased(execution: Execution): number {
  const sequences = execution.parts.flatMap((part) => releasesOf(part).filter(({ unilateral }) => !unilateral))
  return sequences.reduce((highest, { sequence }) => Math.max(highest, sequence), -1)
}

/** How a stage ended at a member: the first time that any of its processes said so. */
export function finishOf(execution: Execution, name: string, sequence: number): EventOf<'stage.finished'> | undefined {
  return partOf(execution, name)?.events.find(
    (event): event is EventOf<'stage.finished'> => event.event === 'stage.finished' && event.sequence === sequence,
  )
}

export function partOf(execution: Execution, name: string): Part | undefined {
  return execution.parts.find(({ peer }) => peer.name === name)
}

export function endOf(part: Part): EventOf<'run.finished'> | undefined {
  return eventsOf(part, 'run.finished')[0]
}

function keyOf({ plan, term, leader, startAt }: Released): string {
  return JSON.stringify([plan, term, leader, startAt])
}

function keyOfFolder({ decisions }: ResultFolder): string {
  const [line = ''] = decisions.split('\n')
  if (line === '') return ''
  const { plan, term, leader, startAt } = JSON.parse(line)
  return JSON.stringify([plan, term, leader, startAt])
}
