/**
 * What the checkers write down of plans and peers, as seen from outside: who accepted what, who was ready when, and what
 * was therefore chosen.
 */

import type { Ballot, Decision, Member, PeerId, StageSpec } from '../../src/barrier/mod.ts'
import type { Proc } from './proc.ts'

export interface GivenReady {
  readonly status: 'ok' | 'failed'
  readonly payload: string
  /** Simulated time. */
  readonly at: number
}

export interface Proposal {
  readonly decision: Decision
  /** Who accepted it at this ballot, each incarnation for itself. */
  readonly accepts: Set<string>
}

/** What is known of one plan from outside. */
export interface PlanBook {
  readonly uid: string
  stages: readonly StageSpec[]
  /** Chosen values by sequence; the first ballot at which a quorum accepted each. */
  readonly chosen: Map<number, { readonly decision: Decision; readonly ballot: Ballot }>
  /** Simulated time, by sequence. */
  readonly chosenAt: Map<number, number>
  /** By sequence and ballot. */
  readonly proposals: Map<string, Proposal>
  /** When each value was first proposed, by sequence and the ballot that made it. */
  readonly proposedAt: Map<string, number>
  /** By sequence and peer. */
  readonly readies: Map<string, GivenReady>
  /** Reports carried by chosen decisions so far. */
  readonly reported: Set<string>
  readonly ended: Map<Proc, string>
  /** Those that accepted the start, and gave up before they knew that it was decided. */
  readonly gaveUp: Set<Proc>
}

export interface ProcBook {
  plan: string | null
  /** Sequences decided here, of the current plan. */
  decided: number
  lastDecision: Decision | null
  position: number
  /** The stage of `position` runs: neither finished nor cancelled. */
  running: boolean
  unilateral: boolean
  /** Reports that its own releases, alone, have carried. */
  readonly reportedAlone: Set<string>
  /** Own clock. */
  waitingSince: number
  planNumberMax: number
  /** The plan that it gets ready for, until when by its own clock, and whether it is. */
  proposed: { readonly uid: string; readonly until: number; armed: boolean } | null
}

export interface CheckerOptions {
  now(): number
  /** Nothing is ever disturbed in this history: no exclusion as dead, no lost quorum. */
  readonly calm: boolean
  /** Clocks that jump make measured waits meaningless. */
  readonly clocksJump: boolean
}

export class Books {
  readonly plans = new Map<string, PlanBook>()
  /** Undisturbed from here on: nobody may lose a quorum that is there. */
  healedAt = Number.POSITIVE_INFINITY
  readonly #procs = new Map<Proc, ProcBook>()

  open(proc: Proc): void {
    this.#procs.set(proc, {
      plan: null,
      decided: 0,
      lastDecision: null,
      position: 0,
      running: false,
      unilateral: false,
      reportedAlone: new Set(),
      waitingSince: 0,
      planNumberMax: 0,
      proposed: null,
    })
  }

  ofPlan(uid: string): PlanBook {
    const known = this.plans.get(uid)
    if (known !== undefined) return known
    const book: PlanBook = {
      uid,
      stages: [],
      chosen: new Map(),
      chosenAt: new Map(),
      proposals: new Map(),
      proposedAt: new Map(),
      readies: new Map(),
      reported: new Set(),
      ended: new Map(),
      gaveUp: new Set(),
    }
    this.plans.set(uid, book)
    return book
  }

  ofPeer(proc: Proc): ProcBook {
    const book = this.#procs.get(proc)
    if (book === undefined) throw new Error('an unknown peer')
    return book
  }

  /** The sequence that is open for this peer. */
  openAt(proc: Proc): number {
    return Math.max(1, this.ofPeer(proc).decided)
  }

  /** It gets ready for a plan, and is not yet. */
  isArming(proc: Proc): boolean {
    return this.ofPeer(proc).proposed?.armed === false
  }

  peers(): Iterable<[Proc, ProcBook]> {
    return this.#procs
  }
}

export function membersAt(book: PlanBook, sequence: number): readonly Member[] | undefined {
  const before = book.chosen.get(Math.max(0, sequence - 1))?.decision
  return before?.members
}

export function keyOf(sequence: number, ballot: Ballot): string {
  return `${sequence}@${ballot.term}/${ballot.peer}`
}

export function idOf(member: Member): string {
  return `${member.peer}/${member.incarnation}`
}

export function isSame(a: Member, b: Member): boolean {
  return a.peer === b.peer && a.incarnation === b.incarnation
}

export function readyKey(sequence: number, peer: PeerId): string {
  return `${sequence}/${peer}`
}
