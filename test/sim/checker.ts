/**
 * Rules across peers, checked at every output. It keeps its own books of who accepted what, who was ready when, and
 * what was therefore chosen; it believes no peer's word for it.
 */

import type { Input, Output } from '../../src/barrier/mod.ts'
import { AgreementRule } from './agreement-rule.ts'
import { ArmingRule } from './arming-rule.ts'
import { Books, type CheckerOptions, readyKey } from './books.ts'
import { CourseRule } from './course-rule.ts'
import type { Proc, Watcher } from './proc.ts'
import { Tally } from './tally.ts'

export class Checker implements Watcher {
  readonly tally = new Tally()
  readonly books = new Books()
  readonly #options: CheckerOptions
  readonly #agreement: AgreementRule
  readonly #course: CourseRule
  readonly #arming: ArmingRule

  constructor(options: CheckerOptions) {
    this.#options = options
    this.#agreement = new AgreementRule(this.books, options, this.tally)
    this.#course = new CourseRule(this.books, options, this.#agreement)
    this.#arming = new ArmingRule(this.books, options)
  }

  booted(proc: Proc): void {
    this.books.open(proc)
  }

  fed(proc: Proc, input: Input): void {
    if (input.type === 'abort') this.#agreement.abortAsked(input.reason)
    if (input.type === 'armed') this.#arming.armed(proc, input.plan)
    if (input.type === 'ready') {
      const { status, payload } = input
      const given = { status, payload, at: this.#options.now() }
      this.books.ofPlan(input.plan.uid).readies.set(readyKey(input.sequence, proc.member.peer), given)
      this.#course.ready(proc)
    }
  }

  carried(proc: Proc, output: Output): void {
    this.tally.count(proc, output)
    switch (output.type) {
      case 'send':
        this.#agreement.said(proc, output.message)
        this.#arming.said(proc, output.message)
        return
      case 'plan_proposed':
        this.#arming.proposed(proc, output)
        return
      case 'plan_withdrawn':
        this.#arming.withdrawn(proc, output)
        return
      case 'plan_started':
        this.#arming.started(proc, output)
        this.#course.started(proc, output)
        return
      case 'decided':
        if (output.unilateral) this.#course.unilateral(proc, output.decision)
        else this.#course.decided(proc, output.decision)
        this.#course.waited(proc, output)
        return
      case 'cancel_stage':
        this.#course.cancelled(proc, output)
        return
      case 'run_stage':
        this.#course.runs(proc, output)
        return
      case 'plan_finished':
        this.#course.finished(proc, output)
        return
      case 'progress':
        this.#course.shows(proc, output)
        return
      case 'leader_elected':
        if (output.ballot.peer === proc.member.peer) this.#agreement.elected(proc, output.ballot)
        return
      default:
        return
    }
  }

  /** The plan that this peer gets ready for. */
  proposedTo(proc: Proc): string | null {
    return this.books.ofPeer(proc).proposed?.uid ?? null
  }

  /** The plan that this peer takes part in, as far as it has shown. */
  planOf(proc: Proc): string | null {
    return this.books.ofPeer(proc).plan
  }

  /** It went on without the others in the plan that it takes part in. */
  isAlone(proc: Proc): boolean {
    return this.books.ofPeer(proc).unilateral
  }
}
