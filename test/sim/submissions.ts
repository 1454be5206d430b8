/** Who is told that its plan was accepted finds the very plan that was agreed on for its submission. */

import type { Output } from '../../src/barrier/mod.ts'
import type { Books } from './books.ts'
import type { Proc, Watcher } from './cluster.ts'
import { violated } from './failure.ts'

export class SubmissionRule implements Watcher {
  readonly #books: Books

  constructor(books: Books) {
    this.#books = books
  }

  booted(): void {}

  fed(): void {}

  carried(proc: Proc, output: Output): void {
    if (output.type !== 'submit_outcome' || output.outcome.status !== 'accepted') return
    const { submission, outcome } = output
    const start = this.#books.plans.get(outcome.plan.uid)?.chosen.get(0)?.decision
    if (start?.kind === 'start' && start.spec.submission === submission) return
    const told = `${proc.member.peer} is told that ${submission} was accepted as ${outcome.plan.uid}`
    violated('7 honesty', `${told}, which is ${start?.kind === 'start' ? start.spec.submission : 'no plan that began'}`)
  }
}
