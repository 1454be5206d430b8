/** What is counted from the start of the node on, for metrics. */

import type { MeshEvent } from '../../mesh/mod.ts'
import type { AgentProgress } from '../feed.ts'
import type { RunSummary } from '../results/mod.ts'

export interface Work {
  readonly ops: number
  readonly bytes: number
  readonly errors: number
}

/** Names that may become labels: beyond it, who is new is not counted. */
export const AGENTS_MAX = 1024
export const REASONS_MAX = 64

/** Barriers by how they ended; what else happens to a node and its plans. */
export class Tally {
  readonly barriers = { released: 0, unilateral: 0, aborted: 0 }
  readonly plans = { completed: 0, aborted: 0, quorum_lost: 0, excluded: 0 }
  readonly rejected = new Map<string, number>()
  leadersElected = 0
  leadersLost = 0

  take(event: MeshEvent): void {
    switch (event.type) {
      case 'decided':
        if (event.decision.kind === 'abort') this.barriers.aborted += 1
        else if (event.unilateral) this.barriers.unilateral += 1
        else this.barriers.released += 1
        return
      case 'plan_finished':
        this.plans[event.status] += 1
        return
      case 'leader_elected':
        this.leadersElected += 1
        return
      case 'leader_lost':
        this.leadersLost += 1
        return
      case 'rejected':
      case 'refused':
        if (this.rejected.size >= REASONS_MAX && !this.rejected.has(event.reason)) return
        this.rejected.set(event.reason, (this.rejected.get(event.reason) ?? 0) + 1)
        return
      default:
        return
    }
  }
}

interface Account {
  /** Of plans before this one. */
  before: Work
  uid: string
  /** Highest figures of each stage, by sequence. */
  readonly stages: Map<number, Work>
}

const NOTHING: Work = { ops: 0, bytes: 0, errors: 0 }

/** Work of each agent over all stages and plans: never less than it was. */
export class WorkTally {
  readonly #accounts = new Map<string, Account>()

  progress(agent: string, { uid, sequence, progress }: AgentProgress): void {
    this.#add(agent, uid, sequence, progress)
  }

  /** Figures that agents delivered: they end what they said while they worked. */
  results(uid: string, { stages }: RunSummary): void {
    for (const { sequence, agents } of stages) {
      for (const { name, ops } of agents) {
        const sum = (of: (one: (typeof ops)[number]) => number) => ops.reduce((total, one) => total + of(one), 0)
        const work = {
          ops: sum(({ count }) => count),
          bytes: sum(({ bytes }) => bytes),
          errors: sum(({ errors }) => errors),
        }
        this.#add(name, uid, sequence, work)
      }
    }
  }

  get totals(): [agent: string, work: Work][] {
    return [...this.#accounts].map(([agent, account]) => [agent, totalOf(account)])
  }

  #add(agent: string, uid: string, sequence: number, work: Work): void {
    let account = this.#accounts.get(agent)
    if (account === undefined) {
      if (this.#accounts.size >= AGENTS_MAX) return
      account = { before: NOTHING, uid, stages: new Map() }
      this.#accounts.set(agent, account)
    }
    if (account.uid !== uid) {
      account.before = totalOf(account)
      account.uid = uid
      account.stages.clear()
    }
    account.stages.set(sequence, highest(account.stages.get(sequence) ?? NOTHING, work))
  }
}

function totalOf({ before, stages }: Account): Work {
  return [before, ...stages.values()].reduce((sum, work) => ({
    ops: sum.ops + work.ops,
    bytes: sum.bytes + work.bytes,
    errors: sum.errors + work.errors,
  }))
}

function highest(a: Work, b: Work): Work {
  return { ops: Math.max(a.ops, b.ops), bytes: Math.max(a.bytes, b.bytes), errors: Math.max(a.errors, b.errors) }
}
