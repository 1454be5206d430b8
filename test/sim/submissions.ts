/** Who hands a plan in is told once what became of it; where it was accepted, it is the very plan that was agreed on. */

import type { Output, PlanRef } from '../../src/barrier/mod.ts'
import type { Books } from './books.ts'
import { violated } from './failure.ts'
import type { Proc, Watcher } from './proc.ts'

export class SubmissionRule implements Watcher {
  readonly #books: Books
  readonly #told = new Map<Proc, Set<string>>()

  constructor(books: Books) {
    this.#books = books
  }

  booted(proc: Proc): void {
    this.#told.set(proc, new Set())
  }

  fed(): void {}

  carried(proc: Proc, output: Output): void {
    if (output.type !== 'submit_outcome') return
    const { submission, outcome } = output
    const told = this.#told.get(proc)
    if (told?.has(submission)) violated('7 honesty', `${proc.member.peer} is told of ${submission} a second time`)
    told?.add(submission)
    if (outcome.status === 'accepted') this.#mustHaveBegun(proc, submission, outcome.plan)
  }

  #mustHaveBegun({ member }: Proc, submission: string, plan: PlanRef): void {
    const start = this.#books.plans.get(plan.uid)?.chosen.get(0)?.decision
    if (start?.kind === 'start' && start.spec.submission === submission) return
    const told = `${member.peer} is told that ${submission} was accepted as ${plan.uid}`
    violated('7 honesty', `${told}, which is ${start?.kind === 'start' ? start.spec.submission : 'no plan that began'}`)
  }
}
