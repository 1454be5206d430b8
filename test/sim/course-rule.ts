/** Rules 3, 6 and 7, and no early start: each peer's own way through its plan, alone or with the others. */

import { barrierLimits, type Decision, type Output, type ReleaseDecision, showDecision } from '../../src/barrier/mod.ts'
import type { AgreementRule } from './agreement-rule.ts'
import { majority } from './ballots.ts'
import { type Books, type CheckerOptions, isSame, membersAt, type PlanBook, readyKey } from './books.ts'
import { violated } from './failure.ts'
import type { Proc } from './proc.ts'

export class CourseRule {
  readonly #books: Books
  readonly #options: CheckerOptions
  readonly #agreement: AgreementRule

  constructor(books: Books, options: CheckerOptions, agreement: AgreementRule) {
    this.#books = books
    this.#options = options
    this.#agreement = agreement
  }

  started(proc: Proc, output: Extract<Output, { type: 'plan_started' }>): void {
    const own = this.#books.ofPeer(proc)
    if (own.plan !== null)
      violated('one plan at a time', `${proc.member.peer} starts ${output.plan.uid} during ${own.plan}`)
    if (output.plan.number <= own.planNumberMax) violated('3 order', `plan ${output.plan.number} starts again`)
    own.plan = output.plan.uid
    own.planNumberMax = output.plan.number
    own.decided = 0
    own.position = 0
    own.running = false
    own.unilateral = false
    own.reportedAlone.clear()
    own.lastDecision = null
    own.waitingSince = this.#ownNow(proc)
    if (!output.decision.members.some((member) => isSame(member, proc.member))) {
      violated('2 no early start', `${proc.member.peer} takes part without being named`)
    }
  }

  ready(proc: Proc): void {
    const own = this.#books.ofPeer(proc)
    own.waitingSince = this.#ownNow(proc)
    own.running = false
  }

  decided(proc: Proc, decision: Decision): void {
    const own = this.#books.ofPeer(proc)
    const { sequence } = decision
    if (own.plan !== decision.plan.uid) violated('3 order', `${proc.member.peer} decides for a plan it is not in`)
    if (own.unilateral) violated('7 honesty', `${proc.member.peer} went on alone and now decides with others`)
    if (sequence !== own.decided)
      violated('3 order', `${proc.member.peer} decides ${sequence} after ${own.decided - 1}`)
    const book = this.#books.ofPlan(decision.plan.uid)
    this.#agreement.actsOn(proc, book, decision)
    own.decided += 1
    own.lastDecision = decision
  }

  unilateral(proc: Proc, decision: Decision): void {
    const own = this.#books.ofPeer(proc)
    const stage = this.#books.ofPlan(decision.plan.uid).stages[decision.sequence - 1]
    if (own.plan !== decision.plan.uid) violated('3 order', `${proc.member.peer} releases itself outside its plan`)
    if (stage?.barrier.policy !== 'best_effort') {
      violated('4 policy', `${proc.member.peer} releases itself under ${stage?.barrier.policy}`)
    }
    if (decision.sequence !== own.position) violated('3 order', `${proc.member.peer} releases itself out of turn`)
    if (decision.kind !== 'release' || decision.ready.some((peer) => peer !== proc.member.peer)) {
      violated('7 honesty', `${proc.member.peer}, alone, speaks for others`)
    }
    this.#checkAlone(proc, decision)
    if (!own.unilateral) this.#mustHaveWaited(proc, stage.barrier.barrierTimeoutMs)
    if (this.#options.calm) violated('5 progress', `${proc.member.peer} goes on alone although all is well`)
    own.unilateral = true
    own.lastDecision = decision
  }

  /** It goes on without all others, and carries no report twice. */
  #checkAlone(proc: Proc, decision: ReleaseDecision): void {
    const own = this.#books.ofPeer(proc)
    const before = own.unilateral ? null : own.lastDecision?.members
    const others = before?.filter((member) => !isSame(member, proc.member)).map(({ peer }) => peer)
    const named = decision.excluded.map(({ peer }) => peer)
    const [first, ...more] = decision.members
    const isAlone = first !== undefined && isSame(first, proc.member) && more.length === 0
    if (!isAlone || named.includes(proc.member.peer) || !(others ?? []).every((peer) => named.includes(peer))) {
      violated('7 honesty', `${proc.member.peer} goes on alone, and says ${showDecision(decision)}`)
    }
    for (const { peer, sequence } of decision.reports) {
      const key = readyKey(sequence, peer)
      if (own.reportedAlone.has(key)) violated('6 nothing lost', `${proc.member.peer}, alone, carries ${key} twice`)
      own.reportedAlone.add(key)
    }
  }

  /** Figures say how long a peer waited: since it was ready, if it was. */
  waited(proc: Proc, { decision, waitedMs }: Extract<Output, { type: 'decided' }>): void {
    const own = this.#books.ofPeer(proc)
    const waits = !own.running && decision.sequence === own.position
    const expected = waits ? this.#ownNow(proc) - own.waitingSince : 0
    if (decision.sequence === 0 || Math.abs(waitedMs - expected) < 1) return
    violated('7 honesty', `${proc.member.peer} waited ${expected.toFixed(0)} ms, and says ${waitedMs.toFixed(0)}`)
  }

  /** Who is ready is shown of the barrier that is open. */
  shows(proc: Proc, { digest: { plan, sequence } }: Extract<Output, { type: 'progress' }>): void {
    if (this.#books.ofPeer(proc).plan === plan.uid && sequence === this.#books.openAt(proc)) return
    violated('7 honesty', `${proc.member.peer} shows who is ready at ${plan.uid}#${sequence}, which is not open`)
  }

  cancelled(proc: Proc, { sequence }: Extract<Output, { type: 'cancel_stage' }>): void {
    const own = this.#books.ofPeer(proc)
    if (!own.running || sequence !== own.position)
      violated('3 order', `${proc.member.peer} cancels a stage it does not run`)
    own.running = false
  }

  #mustHaveWaited(proc: Proc, timeoutMs: number): void {
    const waited = this.#ownNow(proc) - this.#books.ofPeer(proc).waitingSince
    if (waited < timeoutMs - 1) violated('4 policy', `${proc.member.peer} gave up after ${waited.toFixed(0)} ms`)
  }

  runs(proc: Proc, output: Extract<Output, { type: 'run_stage' }>): void {
    const own = this.#books.ofPeer(proc)
    const { plan, sequence, startAt } = output
    const name = proc.member.peer
    if (own.plan !== plan.uid) violated('2 no early start', `${name} runs a stage of ${plan.uid}, which it is not in`)
    if (sequence !== own.position + 1) violated('3 order', `${name} runs stage ${sequence} after ${own.position}`)
    const book = this.#books.ofPlan(plan.uid)
    if (sequence > 1 && !book.readies.has(readyKey(sequence - 1, proc.member.peer))) {
      violated('2 no early start', `${name} runs stage ${sequence} before it finished the one before`)
    }
    if (!own.unilateral) {
      const before = book.chosen.get(sequence - 1)?.decision
      if (before === undefined || before.kind === 'abort') {
        violated('2 no early start', `${name} runs stage ${sequence}, but ${sequence - 1} was not released`)
      }
      if (own.decided < sequence) violated('2 no early start', `${name} runs stage ${sequence} unknowingly`)
      if (!before.members.some((member) => isSame(member, proc.member))) {
        violated('2 no early start', `${name} runs stage ${sequence} although it was excluded`)
      }
    }
    if (startAt - this.#ownNow(proc) > barrierLimits.startLeadMaxMs + 1)
      violated('timed release', `${name} is to start in ${startAt - this.#ownNow(proc)} ms`)
    const expected = own.unilateral ? [proc.member] : book.chosen.get(sequence - 1)?.decision.members
    if (JSON.stringify(output.members) !== JSON.stringify(expected)) {
      violated('2 no early start', `${name} runs stage ${sequence} with members that nobody decided`)
    }
    own.position = sequence
    own.running = true
  }

  finished(proc: Proc, output: Extract<Output, { type: 'plan_finished' }>): void {
    const own = this.#books.ofPeer(proc)
    const { status, plan } = output
    const name = proc.member.peer
    if (own.plan !== plan.uid) violated('3 order', `${name} ends a plan that it is not in`)
    if (own.running) violated('3 order', `${name} ends its plan, and its stage runs on`)
    if (output.unilateral !== own.unilateral)
      violated('7 honesty', `${name} ends ${status} and hides that it was alone`)
    const book = this.#books.ofPlan(plan.uid)
    const last = own.lastDecision
    const stages = book.stages.length
    if (status === 'completed') {
      const sequence = last?.sequence ?? -1
      if (last?.kind !== 'release' || sequence !== stages || own.position !== stages) {
        violated('6 nothing lost', `${name} completes after sequence ${sequence} of ${stages}`)
      }
    } else if (status === 'aborted') {
      if (last?.kind !== 'abort') violated('1 agreement', `${name} aborts without a decision`)
    } else if (status === 'excluded') {
      if (last === null || last.kind === 'abort' || last.members.some((member) => isSame(member, proc.member))) {
        violated('1 agreement', `${name} leaves the plan without being excluded`)
      }
    } else this.#checkQuorumLost(proc, book)
    this.#checkKept(proc, book, output)
    book.ended.set(proc, status)
    own.plan = null
  }

  /** What it had finished is in a decision, or is given out at the end. */
  #checkKept(proc: Proc, book: PlanBook, { reports }: Extract<Output, { type: 'plan_finished' }>): void {
    const { peer } = proc.member
    for (const index of book.stages.keys()) {
      const key = readyKey(index + 1, peer)
      const isCarried = book.reported.has(key) || this.#books.ofPeer(proc).reportedAlone.has(key)
      if (!book.readies.has(key) || isCarried) continue
      if (reports.some((report) => report.peer === peer && report.sequence === index + 1)) continue
      violated('6 nothing lost', `${peer} ends its plan, and its results of stage ${index + 1} are nowhere`)
    }
  }

  #checkQuorumLost(proc: Proc, book: PlanBook): void {
    const own = this.#books.ofPeer(proc)
    const name = proc.member.peer
    const stage = book.stages[own.position - 1]
    if (!own.unilateral && stage?.barrier.policy === 'best_effort') {
      violated('4 policy', `${name} stops at a best_effort barrier instead of going on`)
    }
    if (this.#options.calm) violated('5 progress', `${name} loses a quorum although all is well`)
    if (stage !== undefined) this.#mustHaveWaited(proc, stage.barrier.barrierTimeoutMs)
    // Long after the healing a majority that lives must be found.
    if (this.#options.now() < this.#books.healedAt + 10_000 || own.unilateral) return
    const members = membersAt(book, this.#books.openAt(proc)) ?? []
    const there = members.filter((member) =>
      [...this.#books.peers()].some(
        ([other, { plan }]) => isSame(other.member, member) && other.state === 'up' && plan === book.uid,
      ),
    )
    if (there.length >= majority(members.length)) {
      violated('5 progress', `${name} loses a quorum: ${there.length} of ${members.length} members are there`)
    }
  }

  #ownNow(proc: Proc): number {
    return proc.clock.at(this.#options.now())
  }
}
