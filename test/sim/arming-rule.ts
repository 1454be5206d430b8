/** Stages begin together: nobody accepts a start before it is ready for its plan, and nothing got ready is forgotten. */

import type { Ballot, Message, Output, PlanRef } from '../../src/barrier/mod.ts'
import { majority, sameBallot } from './ballots.ts'
import { type Books, type CheckerOptions, idOf, keyOf, type Proposal } from './books.ts'
import { violated } from './failure.ts'
import type { Proc } from './proc.ts'

export class ArmingRule {
  readonly #books: Books
  readonly #options: CheckerOptions

  constructor(books: Books, options: CheckerOptions) {
    this.#books = books
    this.#options = options
  }

  armed(proc: Proc, plan: PlanRef): void {
    const { proposed } = this.#books.ofPeer(proc)
    if (proposed?.uid === plan.uid) proposed.armed = true
  }

  proposed(proc: Proc, { plan, decision }: Extract<Output, { type: 'plan_proposed' }>): void {
    const own = this.#books.ofPeer(proc)
    const busy = own.proposed?.uid ?? own.plan
    if (busy !== null) violated('one plan at a time', `${proc.member.peer} gets ready for ${plan.uid} during ${busy}`)
    own.proposed = { uid: plan.uid, until: this.#ownNow(proc) + decision.armMs, armed: false }
    // Rounding apart.
    if (decision.armMs > decision.spec.agentReadyTimeoutMs / 2 + 0.001)
      violated('5 progress', `members may get ready for ${plan.uid} for ${decision.armMs} ms`)
  }

  withdrawn(proc: Proc, { plan }: Extract<Output, { type: 'plan_withdrawn' }>): void {
    const own = this.#books.ofPeer(proc)
    if (own.plan !== null) violated('3 order', `${proc.member.peer} gives up ${plan.uid} during ${own.plan}`)
    if (own.proposed !== null && own.proposed.uid !== plan.uid)
      violated('3 order', `${proc.member.peer} gives up ${plan.uid} while it gets ready for ${own.proposed.uid}`)
    own.proposed = null
  }

  started(proc: Proc, { plan }: Extract<Output, { type: 'plan_started' }>): void {
    const own = this.#books.ofPeer(proc)
    if (own.proposed !== null && own.proposed.uid !== plan.uid)
      violated('one plan at a time', `${proc.member.peer} starts ${plan.uid}, not ${own.proposed.uid}`)
    own.proposed = null
  }

  /** Who leads accepts its own start when it announces it; what it carried over, a majority may have accepted without it. */
  said(proc: Proc, message: Message): void {
    const isOwn = message.type === 'decided' && message.ballot.peer === proc.member.peer
    if ((message.type !== 'accept' && !isOwn) || message.sequence !== 0) return
    const { ballot, plan } = message
    const proposal = this.#books.ofPlan(plan.uid).proposals.get(keyOf(0, ballot))
    if (proposal?.decision.kind !== 'start' || (isOwn && isChosenWithout(proc, proposal, ballot))) return
    const { proposed } = this.#books.ofPeer(proc)
    // Who had accepted before, and takes part by now, says it again.
    if (proposed === null || proposed.uid !== plan.uid || proposed.armed) return
    if (this.#ownNow(proc) >= proposed.until) return
    violated('a start waits', `${proc.member.peer} accepts ${plan.uid} before it is ready for it`)
  }

  #ownNow(proc: Proc): number {
    return proc.clock.at(this.#options.now())
  }
}

/** Its own accept is not needed. */
function isChosenWithout({ member }: Proc, { decision, accepts }: Proposal, ballot: Ballot): boolean {
  if (sameBallot(decision.ballot, ballot)) return false
  const others = decision.members.filter((other) => other.peer !== member.peer && accepts.has(idOf(other)))
  return others.length >= majority(decision.members.length)
}
