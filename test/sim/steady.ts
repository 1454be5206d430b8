/**
 * A healthy leader is not deposed: whoever comes back from a pause, or is cut off from the leader alone, must not
 * disturb a plan whose leader is in touch with a majority of its members. And a healthy member is not taken for dead.
 */

import { type Decision, type Member, type Output, showDecision } from '../../src/barrier/mod.ts'
import { majority, sameBallot } from './ballots.ts'
import type { Checker } from './checker.ts'
import type { Cluster, Proc, Watcher } from './cluster.ts'
import { violated } from './failure.ts'

/** After this long without troubles, ms, everything that they had upset has come to rest. */
const REST_MS = 10_000

/** A leader elected less than this ago, ms, may still meet rivals that stood at the same time. */
const SETTLED_MS = 1000

/** Later than this after the start was chosen, ms, a member is a latecomer. */
const LATE_MS = 100

/** A leader that goes by itself: in order, or because it needs a new ballot. */
const ownWill = /^(leaving|excluded|a new ballot|it takes part)|takes part in the plan and leads it/

export class SteadyRule implements Watcher {
  readonly #cluster: Cluster
  readonly #checker: Checker
  /** By host, by pair of hosts, by plan: disturbed until then. */
  readonly #until = new Map<string, number>()
  readonly #electedAt = new Map<Proc, number>()

  constructor(cluster: Cluster, checker: Checker) {
    this.#cluster = cluster
    this.#checker = checker
  }

  disturbed(host: string, lastsMs: number): void {
    this.#note(host, lastsMs)
  }

  cut(a: string, b: string, lastsMs: number): void {
    this.#note(pair(a, b), lastsMs)
  }

  booted(proc: Proc): void {
    this.#note(proc.host, 0)
  }

  fed(): void {}

  carried(proc: Proc, output: Output): void {
    if (output.type === 'plan_started') {
      const startedAt = this.#checker.plans.get(output.plan.uid)?.chosenAt.get(0) ?? 0
      // A member that heard of the start late may have promised others more by then: one new election is due.
      if (this.#cluster.now - startedAt > LATE_MS) this.#note(output.plan.uid, 0)
    }
    if (output.type === 'leader_elected' && output.ballot.peer === proc.member.peer) {
      this.#electedAt.set(proc, this.#cluster.now)
    }
    if (output.type === 'send' && output.message.type === 'propose') {
      const { ballot, decision } = output.message
      if (sameBallot(ballot, decision.ballot)) this.#deadAreDead(proc, decision)
    }
    if (output.type !== 'leader_lost' || output.ballot.peer !== proc.member.peer || ownWill.test(output.reason)) return
    const { plan, sequence } = this.#cluster.statusOf(proc)
    const uid = this.#checker.planOf(proc)
    if (plan === null || plan.uid !== uid || sequence === 0) return
    if (this.#cluster.now - (this.#electedAt.get(proc) ?? 0) < SETTLED_MS) return
    const book = this.#checker.plans.get(uid)
    const members = book && this.#checker.membersAt(book, sequence)
    if (members === undefined || !this.#calm(proc.host) || !this.#calm(uid)) return
    const inTouch = members.filter((member) => this.#inTouch(proc, member, uid))
    if (inTouch.length < majority(members.length)) return
    violated(
      'a healthy leader stays',
      `${proc.member.peer} lost its place (${output.reason}), though ${inTouch.length} of ${members.length} were in touch`,
    )
  }

  /** Nothing has happened for long to either of them, nor between them. */
  #inTouch(proc: Proc, member: Member, uid: string): boolean {
    const other = this.#cluster.procs.findLast(({ member: { peer } }) => peer === member.peer)
    if (other === proc) return true
    if (other === undefined || other.state !== 'up' || other.member.incarnation !== member.incarnation) return false
    if (this.#checker.planOf(other) !== uid) return false
    return this.#calm(other.host) && this.#calm(pair(proc.host, other.host))
  }

  #deadAreDead(proc: Proc, decision: Decision): void {
    const { uid } = decision.plan
    if (decision.kind === 'start' || !this.#calm(proc.host) || !this.#calm(uid)) return
    const members = this.#checker.membersAt(this.#checker.plans.get(uid) ?? violated('3 order', uid), decision.sequence)
    for (const { peer, reason } of decision.excluded) {
      const member = members?.find((one) => one.peer === peer)
      if (reason !== 'dead' || member === undefined || !this.#inTouch(proc, member, uid)) continue
      violated('4 policy', `${showDecision(decision)} calls ${peer} dead, to which nothing happened`)
    }
  }

  #note(key: string, lastsMs: number): void {
    const until = this.#cluster.now + lastsMs
    this.#until.set(key, Math.max(this.#until.get(key) ?? 0, until))
  }

  #calm(key: string): boolean {
    return this.#cluster.now >= (this.#until.get(key) ?? Number.NEGATIVE_INFINITY) + REST_MS
  }
}

function pair(a: string, b: string): string {
  return a < b ? `${a}|${b}` : `${b}|${a}`
}
