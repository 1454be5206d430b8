/** Rules 1 and 2: one value is chosen for each sequence, by a quorum, and nobody acts on anything else. */

import {
  type Ballot,
  type Decision,
  type Member,
  type Message,
  showBallot,
  showDecision,
} from '../../src/barrier/mod.ts'
import { isNewer, majority, sameBallot } from './ballots.ts'
import {
  type Books,
  type CheckerOptions,
  idOf,
  isSame,
  keyOf,
  membersAt,
  type PlanBook,
  type Proposal,
} from './books.ts'
import { violated } from './failure.ts'
import { checkPolicy } from './policy-rules.ts'
import type { Proc } from './proc.ts'
import type { Tally } from './tally.ts'

export class AgreementRule {
  readonly #books: Books
  readonly #options: CheckerOptions
  readonly #tally: Tally
  readonly #texts = new WeakMap<Decision, string>()
  readonly #elected = new Map<string, Proc>()
  /** Reasons of aborts that people asked for. */
  readonly #abortsAsked = new Set<string>()

  constructor(books: Books, options: CheckerOptions, tally: Tally) {
    this.#books = books
    this.#options = options
    this.#tally = tally
  }

  abortAsked(reason: string): void {
    this.#abortsAsked.add(reason)
  }

  said(proc: Proc, message: Message): void {
    if (message.type === 'propose') {
      const { ballot, decision } = message
      if (ballot.peer !== proc.member.peer)
        violated('one proposer a ballot', `${proc.member.peer} proposed for another`)
      this.#proposed(proc, ballot, decision)
    } else if (message.type === 'remind') this.#reminded(proc, message)
    else if (message.type === 'accept') {
      const book = this.#books.ofPlan(message.plan.uid)
      const proposal = book.proposals.get(keyOf(message.sequence, message.ballot))
      if (proposal === undefined)
        violated('accepts answer proposals', `${proc.member.peer} accepted what nobody proposed`)
      proposal.accepts.add(idOf(proc.member))
      this.#chooseIfQuorum(book, message.sequence, message.ballot, proposal)
    } else if (message.type === 'decided' && message.sequence === 0 && message.ballot.peer === proc.member.peer) {
      const book = this.#books.ofPlan(message.plan.uid)
      const proposal = book.proposals.get(keyOf(0, message.ballot))
      if (proposal === undefined) violated('2 no early start', `${proc.member.peer} announces what it did not propose`)
      proposal.accepts.add(idOf(proc.member))
      this.#chooseIfQuorum(book, 0, message.ballot, proposal)
    } else if (message.type === 'refuse' && message.accepted) this.#books.ofPlan(message.plan.uid).gaveUp.add(proc)
  }

  elected(proc: Proc, ballot: Ballot): void {
    const key = `${showBallot(ballot)} of incarnation ${proc.member.incarnation}`
    const before = this.#elected.get(key)
    if (before !== undefined && before !== proc) violated('one leader a ballot', key)
    this.#elected.set(key, proc)
  }

  /** What `proc` acts on was chosen. */
  actsOn(proc: Proc, book: PlanBook, decision: Decision): void {
    this.#chooseAlone(proc, book, decision)
    const chosen = book.chosen.get(decision.sequence)
    if (chosen === undefined) {
      violated('2 no early start', `${proc.member.peer} acts on ${showDecision(decision)}, which no quorum accepted`)
    }
    if (!this.#same(chosen.decision, decision)) {
      violated(
        '1 agreement',
        `${proc.member.peer} acts on ${showDecision(decision)}, not on ${showDecision(chosen.decision)}`,
      )
    }
  }

  /** A proposal without its value, which is that of another ballot, and so must have been proposed there. */
  #reminded(proc: Proc, { ballot, plan, sequence, origin }: Extract<Message, { type: 'remind' }>): void {
    const decision = this.#books.ofPlan(plan.uid).proposals.get(keyOf(sequence, origin))?.decision
    if (decision === undefined)
      violated('one value a ballot', `${proc.member.peer} proposes what nobody proposed at ${showBallot(origin)}`)
    this.#proposed(proc, ballot, decision)
  }

  #proposed(proc: Proc, ballot: Ballot, decision: Decision): Proposal {
    const book = this.#books.ofPlan(decision.plan.uid)
    const { sequence } = decision
    const key = keyOf(sequence, ballot)
    const known = book.proposals.get(key)
    if (known !== undefined) {
      if (!this.#same(known.decision, decision)) {
        violated('one value a ballot', `${showDecision(known.decision)} and ${showDecision(decision)}`)
      }
      return known
    }
    if (decision.kind === 'start') book.stages = decision.spec.stages
    const chosen = book.chosen.get(sequence)
    if (chosen !== undefined && isNewer(ballot, chosen.ballot) && !this.#same(chosen.decision, decision)) {
      violated(
        '1 agreement',
        `${showBallot(ballot)} proposes ${showDecision(decision)} after ${showDecision(chosen.decision)} was chosen`,
      )
    }
    // A leader accepts what it proposes, but a start when it is ready for it, its own new one when it decides it.
    const late = decision.kind === 'start' && (sameBallot(decision.ballot, ballot) || this.#books.isArming(proc))
    const proposal = { decision, accepts: new Set(late ? [] : [idOf(proc.member)]) }
    book.proposals.set(key, proposal)
    const made = keyOf(sequence, decision.ballot)
    if (!book.proposedAt.has(made)) book.proposedAt.set(made, this.#options.now())
    this.#tally.proposed(decision, ballot, chosen === undefined)
    return proposal
  }

  #chooseIfQuorum(book: PlanBook, sequence: number, ballot: Ballot, proposal: Proposal): void {
    const { decision, accepts } = proposal
    const members = sequence === 0 ? decision.members : membersAt(book, sequence)
    if (members === undefined) violated('3 order', `sequence ${sequence} is accepted before ${sequence - 1} is chosen`)
    const voters = members.filter((member) => accepts.has(idOf(member)))
    const everybody = decision.kind === 'start' && sameBallot(decision.ballot, ballot)
    if (voters.length < (everybody ? members.length : majority(members.length))) return
    this.#chosen(book, sequence, ballot, decision, members)
  }

  #chosen(book: PlanBook, sequence: number, ballot: Ballot, decision: Decision, members: readonly Member[]): void {
    const before = book.chosen.get(sequence)
    if (before !== undefined) {
      if (!this.#same(before.decision, decision)) {
        violated('1 agreement', `chosen twice: ${showDecision(before.decision)} and ${showDecision(decision)}`)
      }
      return
    }
    book.chosen.set(sequence, { decision, ballot })
    book.chosenAt.set(sequence, this.#options.now())
    const proposedAt = book.proposedAt.get(keyOf(sequence, decision.ballot)) ?? this.#options.now()
    checkPolicy({ book, decision, members, proposedAt, options: this.#options, abortsAsked: this.#abortsAsked })
    this.#tally.chosen(decision)
  }

  /** A member that is alone has nobody to send its proposal to. */
  #chooseAlone(proc: Proc, book: PlanBook, decision: Decision): void {
    if (book.chosen.has(decision.sequence)) return
    const members = decision.sequence === 0 ? decision.members : membersAt(book, decision.sequence)
    if (members?.length !== 1 || members[0] === undefined || !isSame(members[0], proc.member)) return
    const ballot = decision.ballot
    const proposal = this.#proposed(proc, ballot, decision)
    proposal.accepts.add(idOf(proc.member))
    this.#chooseIfQuorum(book, decision.sequence, ballot, proposal)
  }

  #same(a: Decision, b: Decision): boolean {
    return a === b || this.#text(a) === this.#text(b)
  }

  #text(decision: Decision): string {
    const known = this.#texts.get(decision)
    if (known !== undefined) return known
    const text = JSON.stringify(decision)
    this.#texts.set(decision, text)
    return text
  }
}
