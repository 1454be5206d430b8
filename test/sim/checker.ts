/**
 * Rules across peers, checked at every output. It keeps its own books of who accepted what, who was ready when, and
 * what was therefore chosen; it believes no peer's word for it.
 */

import {
  type Ballot,
  barrierLimits,
  type Decision,
  type Input,
  type Member,
  type Message,
  type Output,
  type PeerId,
  type ReleaseDecision,
  type StageSpec,
  showBallot,
  showDecision,
} from '../../src/barrier/mod.ts'
import { isNewer, majority, sameBallot } from './ballots.ts'
import type { Proc, Watcher } from './cluster.ts'
import { violated } from './failure.ts'
import { checkPolicy } from './policy-rules.ts'
import { Tally } from './tally.ts'

export interface GivenReady {
  readonly status: 'ok' | 'failed'
  readonly payload: string
  /** Simulated time. */
  readonly at: number
}

interface Proposal {
  readonly decision: Decision
  readonly at: number
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
  readonly abortsAsked: Set<string>
  readonly ended: Map<Proc, string>
  /** Those that accepted the start, and gave up before they knew that it was decided. */
  readonly gaveUp: Set<Proc>
}

interface ProcBook {
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
}

export interface CheckerOptions {
  now(): number
  /** Nothing is ever disturbed in this history: no exclusion as dead, no lost quorum. */
  readonly calm: boolean
  /** Clocks that jump make measured waits meaningless. */
  readonly clocksJump: boolean
}

export class Checker implements Watcher {
  readonly tally = new Tally()
  readonly plans = new Map<string, PlanBook>()
  readonly options: CheckerOptions
  readonly #procs = new Map<Proc, ProcBook>()
  readonly #texts = new WeakMap<Decision, string>()
  /** Reasons of aborts that people asked for. */
  readonly #abortsAsked = new Set<string>()
  /** Undisturbed from here on: nobody may lose a quorum that is there. */
  healedAt = Number.POSITIVE_INFINITY

  constructor(options: CheckerOptions) {
    this.options = options
  }

  booted(proc: Proc): void {
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
    })
  }

  fed(proc: Proc, input: Input): void {
    if (input.type === 'abort') this.#abortsAsked.add(input.reason)
    if (input.type === 'ready') {
      const book = this.#plan(input.plan.uid)
      const { status, payload } = input
      book.readies.set(`${input.sequence}/${proc.member.peer}`, { status, payload, at: this.options.now() })
      const own = this.#book(proc)
      own.waitingSince = this.#ownNow(proc)
      own.running = false
    }
  }

  carried(proc: Proc, output: Output): void {
    this.tally.count(proc, output)
    switch (output.type) {
      case 'send':
        this.#onSend(proc, output.message)
        return
      case 'plan_started':
        this.#onStarted(proc, output)
        return
      case 'decided':
        if (output.unilateral) this.#onUnilateral(proc, output.decision)
        else this.#onDecided(proc, output.decision)
        this.#checkWaited(proc, output)
        return
      case 'cancel_stage':
        this.#onCancel(proc, output)
        return
      case 'run_stage':
        this.#onRun(proc, output)
        return
      case 'plan_finished':
        this.#onFinished(proc, output)
        return
      case 'leader_elected':
        if (output.ballot.peer === proc.member.peer) this.#onElected(proc, output.ballot)
        return
      default:
        return
    }
  }

  /** The plan that this peer takes part in, as far as it has shown. */
  planOf(proc: Proc): string | null {
    return this.#book(proc).plan
  }

  /** The sequence that is open for this peer. */
  openAt(proc: Proc): number {
    return Math.max(1, this.#book(proc).decided)
  }

  /** It went on without the others in the plan that it takes part in. */
  isAlone(proc: Proc): boolean {
    return this.#book(proc).unilateral
  }

  membersAt(book: PlanBook, sequence: number): readonly Member[] | undefined {
    const before = book.chosen.get(Math.max(0, sequence - 1))?.decision
    return before?.members
  }

  #onSend(proc: Proc, message: Message): void {
    if (message.type === 'propose') {
      const { ballot, decision } = message
      if (ballot.peer !== proc.member.peer)
        violated('one proposer a ballot', `${proc.member.peer} proposed for another`)
      this.#proposed(proc, ballot, decision)
    } else if (message.type === 'accept') {
      const book = this.#plan(message.plan.uid)
      const proposal = book.proposals.get(keyOf(message.sequence, message.ballot))
      if (proposal === undefined)
        violated('accepts answer proposals', `${proc.member.peer} accepted what nobody proposed`)
      proposal.accepts.add(idOf(proc.member))
      this.#chooseIfQuorum(book, message.sequence, message.ballot, proposal)
    } else if (message.type === 'decided' && message.sequence === 0 && message.ballot.peer === proc.member.peer) {
      const book = this.#plan(message.plan.uid)
      const proposal = book.proposals.get(keyOf(0, message.ballot))
      if (proposal === undefined) violated('2 no early start', `${proc.member.peer} announces what it did not propose`)
      proposal.accepts.add(idOf(proc.member))
      this.#chooseIfQuorum(book, 0, message.ballot, proposal)
    } else if (message.type === 'refuse' && message.accepted) this.#plan(message.plan.uid).gaveUp.add(proc)
  }

  #proposed(proc: Proc, ballot: Ballot, decision: Decision): Proposal {
    const book = this.#plan(decision.plan.uid)
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
    // A leader accepts what it proposes, except its own new start: that when it decides it.
    const late = decision.kind === 'start' && sameBallot(decision.ballot, ballot)
    const proposal = { decision, at: this.options.now(), accepts: new Set(late ? [] : [idOf(proc.member)]) }
    book.proposals.set(key, proposal)
    const made = keyOf(sequence, decision.ballot)
    if (!book.proposedAt.has(made)) book.proposedAt.set(made, this.options.now())
    this.tally.proposed(book, decision, ballot, chosen === undefined)
    return proposal
  }

  #chooseIfQuorum(book: PlanBook, sequence: number, ballot: Ballot, proposal: Proposal): void {
    const { decision, accepts } = proposal
    const members = sequence === 0 ? decision.members : this.membersAt(book, sequence)
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
    book.chosenAt.set(sequence, this.options.now())
    const proposedAt = book.proposedAt.get(keyOf(sequence, decision.ballot)) ?? this.options.now()
    checkPolicy({ book, decision, members, proposedAt, options: this.options, abortsAsked: this.#abortsAsked })
    this.tally.chosen(decision)
  }

  #onStarted(proc: Proc, output: Extract<Output, { type: 'plan_started' }>): void {
    const own = this.#book(proc)
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

  #onDecided(proc: Proc, decision: Decision): void {
    const own = this.#book(proc)
    const { sequence } = decision
    if (own.plan !== decision.plan.uid) violated('3 order', `${proc.member.peer} decides for a plan it is not in`)
    if (own.unilateral) violated('7 honesty', `${proc.member.peer} went on alone and now decides with others`)
    if (sequence !== own.decided)
      violated('3 order', `${proc.member.peer} decides ${sequence} after ${own.decided - 1}`)
    const book = this.#plan(decision.plan.uid)
    this.#chooseAlone(proc, book, decision)
    const chosen = book.chosen.get(sequence)
    if (chosen === undefined) {
      violated('2 no early start', `${proc.member.peer} acts on ${showDecision(decision)}, which no quorum accepted`)
    }
    if (!this.#same(chosen.decision, decision)) {
      violated(
        '1 agreement',
        `${proc.member.peer} acts on ${showDecision(decision)}, not on ${showDecision(chosen.decision)}`,
      )
    }
    own.decided += 1
    own.lastDecision = decision
  }

  /** A member that is alone has nobody to send its proposal to. */
  #chooseAlone(proc: Proc, book: PlanBook, decision: Decision): void {
    if (book.chosen.has(decision.sequence)) return
    const members = decision.sequence === 0 ? decision.members : this.membersAt(book, decision.sequence)
    if (members?.length !== 1 || members[0] === undefined || !isSame(members[0], proc.member)) return
    const ballot = decision.ballot
    const proposal = this.#proposed(proc, ballot, decision)
    proposal.accepts.add(idOf(proc.member))
    this.#chooseIfQuorum(book, decision.sequence, ballot, proposal)
  }

  #onUnilateral(proc: Proc, decision: Decision): void {
    const own = this.#book(proc)
    const stage = this.#plan(decision.plan.uid).stages[decision.sequence - 1]
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
    if (this.options.calm) violated('5 progress', `${proc.member.peer} goes on alone although all is well`)
    own.unilateral = true
    own.lastDecision = decision
  }

  /** It goes on without all others, and carries no report twice. */
  #checkAlone(proc: Proc, decision: ReleaseDecision): void {
    const own = this.#book(proc)
    const before = own.unilateral ? null : own.lastDecision?.members
    const others = before?.filter((member) => !isSame(member, proc.member)).map(({ peer }) => peer)
    const named = decision.excluded.map(({ peer }) => peer)
    const [first, ...more] = decision.members
    const isAlone = first !== undefined && isSame(first, proc.member) && more.length === 0
    if (!isAlone || named.includes(proc.member.peer) || !(others ?? []).every((peer) => named.includes(peer))) {
      violated('7 honesty', `${proc.member.peer} goes on alone, and says ${showDecision(decision)}`)
    }
    for (const { peer, sequence } of decision.reports) {
      const key = `${sequence}/${peer}`
      if (own.reportedAlone.has(key)) violated('6 nothing lost', `${proc.member.peer}, alone, carries ${key} twice`)
      own.reportedAlone.add(key)
    }
  }

  /** Figures say how long a peer waited: since it was ready, if it was. */
  #checkWaited(proc: Proc, { decision, waitedMs }: Extract<Output, { type: 'decided' }>): void {
    const own = this.#book(proc)
    const waits = !own.running && decision.sequence === own.position
    const expected = waits ? this.#ownNow(proc) - own.waitingSince : 0
    if (decision.sequence === 0 || Math.abs(waitedMs - expected) < 1) return
    violated('7 honesty', `${proc.member.peer} waited ${expected.toFixed(0)} ms, and says ${waitedMs.toFixed(0)}`)
  }

  #onCancel(proc: Proc, { sequence }: Extract<Output, { type: 'cancel_stage' }>): void {
    const own = this.#book(proc)
    if (!own.running || sequence !== own.position)
      violated('3 order', `${proc.member.peer} cancels a stage it does not run`)
    own.running = false
  }

  #mustHaveWaited(proc: Proc, timeoutMs: number): void {
    const waited = this.#ownNow(proc) - this.#book(proc).waitingSince
    if (waited < timeoutMs - 1) violated('4 policy', `${proc.member.peer} gave up after ${waited.toFixed(0)} ms`)
  }

  #onRun(proc: Proc, output: Extract<Output, { type: 'run_stage' }>): void {
    const own = this.#book(proc)
    const { plan, sequence, startAt } = output
    const name = proc.member.peer
    if (own.plan !== plan.uid) violated('2 no early start', `${name} runs a stage of ${plan.uid}, which it is not in`)
    if (sequence !== own.position + 1) violated('3 order', `${name} runs stage ${sequence} after ${own.position}`)
    const book = this.#plan(plan.uid)
    if (sequence > 1 && !book.readies.has(`${sequence - 1}/${proc.member.peer}`)) {
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

  #onFinished(proc: Proc, output: Extract<Output, { type: 'plan_finished' }>): void {
    const own = this.#book(proc)
    const { status, plan } = output
    const name = proc.member.peer
    if (own.plan !== plan.uid) violated('3 order', `${name} ends a plan that it is not in`)
    if (own.running) violated('3 order', `${name} ends its plan, and its stage runs on`)
    if (output.unilateral !== own.unilateral)
      violated('7 honesty', `${name} ends ${status} and hides that it was alone`)
    const book = this.#plan(plan.uid)
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
    book.ended.set(proc, status)
    own.plan = null
  }

  #checkQuorumLost(proc: Proc, book: PlanBook): void {
    const own = this.#book(proc)
    const name = proc.member.peer
    const stage = book.stages[own.position - 1]
    if (!own.unilateral && stage?.barrier.policy === 'best_effort') {
      violated('4 policy', `${name} stops at a best_effort barrier instead of going on`)
    }
    if (this.options.calm) violated('5 progress', `${name} loses a quorum although all is well`)
    if (stage !== undefined) this.#mustHaveWaited(proc, stage.barrier.barrierTimeoutMs)
    // Long after the healing a majority that lives must be found.
    if (this.options.now() < this.healedAt + 10_000 || own.unilateral) return
    const members = this.membersAt(book, this.openAt(proc)) ?? []
    const there = members.filter((member) =>
      [...this.#procs].some(
        ([other, { plan }]) => isSame(other.member, member) && other.state === 'up' && plan === book.uid,
      ),
    )
    if (there.length >= majority(members.length)) {
      violated('5 progress', `${name} loses a quorum: ${there.length} of ${members.length} members are there`)
    }
  }

  #onElected(proc: Proc, ballot: Ballot): void {
    const key = `${showBallot(ballot)} of incarnation ${proc.member.incarnation}`
    const before = this.#elected.get(key)
    if (before !== undefined && before !== proc) violated('one leader a ballot', key)
    this.#elected.set(key, proc)
  }

  readonly #elected = new Map<string, Proc>()

  #plan(uid: string): PlanBook {
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
      abortsAsked: new Set(),
      ended: new Map(),
      gaveUp: new Set(),
    }
    this.plans.set(uid, book)
    return book
  }

  #book(proc: Proc): ProcBook {
    const book = this.#procs.get(proc)
    if (book === undefined) throw new Error('an unknown peer')
    return book
  }

  #ownNow(proc: Proc): number {
    return proc.clock.at(this.options.now())
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

export function keyOf(sequence: number, ballot: Ballot): string {
  return `${sequence}@${ballot.term}/${ballot.peer}`
}

function idOf(member: Member): string {
  return `${member.peer}/${member.incarnation}`
}

export function isSame(a: Member, b: Member): boolean {
  return a.peer === b.peer && a.incarnation === b.incarnation
}

export function readyKey(sequence: number, peer: PeerId): string {
  return `${sequence}/${peer}`
}
