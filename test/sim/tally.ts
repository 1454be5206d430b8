/** How interesting the histories were. */

import type { Ballot, Decision, Output } from '../../src/barrier/mod.ts'
import { sameBallot } from './ballots.ts'
import type { Proc } from './proc.ts'

/** Many histories without one of these have missed what they are for. */
const wanted = [
  'elections',
  'accepted but undecided values carried over',
  'chosen but unknown values carried over',
  'excluded dead',
  'excluded straggler',
  'handovers',
  'late reports carried',
  'leaders that excluded themselves as failed',
  'leaders that excluded themselves as straggler',
  'peers ended quorum_lost',
  'refused stale_incarnation',
  'refused stale_plan',
  'refused stale_sequence',
  'refused stale_term',
  'starts given up',
  'unilateral releases',
]

export class Tally {
  readonly counts = new Map<string, number>()

  add(what: string, by = 1): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + by)
  }

  merge(other: ReadonlyMap<string, number>): void {
    for (const [what, count] of other) this.add(what, count)
  }

  count(proc: Proc, output: Output): void {
    if (output.type === 'leader_elected' && output.ballot.peer === proc.member.peer) this.add('elections')
    if (output.type === 'rejected') this.add(`refused ${output.reason}`)
    if (output.type === 'decided' && output.unilateral) this.add('unilateral releases')
    if (output.type === 'plan_finished') this.add(`peers ended ${output.status}`)
    if (output.type === 'submit_outcome') this.add(`submissions ${output.outcome.status}`)
    if (output.type !== 'send') return
    const { type } = output.message
    if (type === 'decision') this.add('catch-ups')
    if (type === 'handover') this.add('handovers')
    if (type === 'refuse') this.add('starts refused')
  }

  /** `open`: nothing was chosen for its sequence yet. */
  proposed(decision: Decision, ballot: Ballot, open: boolean): void {
    if (sameBallot(decision.ballot, ballot)) return
    this.add(open ? 'accepted but undecided values carried over' : 'chosen but unknown values carried over')
  }

  chosen(decision: Decision): void {
    if (decision.kind === 'start') this.add('plans started')
    if (decision.kind === 'abort') this.add(decision.sequence === 0 ? 'starts given up' : 'plans aborted')
    if (decision.kind !== 'release') return
    this.add(`releases ${decision.policy}`)
    for (const { peer, reason } of decision.excluded) {
      this.add(`excluded ${reason}`)
      if (peer === decision.ballot.peer) this.add(`leaders that excluded themselves as ${reason}`)
    }
    if (decision.reports.some(({ sequence }) => sequence < decision.sequence)) this.add('late reports carried')
  }

  /** What should have happened, and never did. */
  missing(): string[] {
    return wanted.filter((what) => !this.counts.has(what))
  }

  lines(): string[] {
    const sorted = [...this.counts].sort(([a], [b]) => (a < b ? -1 : 1))
    return sorted.map(([what, count]) => `  ${String(count).padStart(10)}  ${what}`)
  }
}
