/**
 * A healthy leader is not deposed: whoever comes back from a pause, or is cut off from the leader alone, must not
 * disturb a plan whose leader is in touch with a majority of its members. A healthy member is not taken for dead. And a
 * majority that is in touch finds itself a leader.
 */

import { type Decision, type Member, type Output, showDecision } from '../../src/barrier/mod.ts'
import { majority, sameBallot } from './ballots.ts'
import { isSame, membersAt, type PlanBook } from './books.ts'
import type { Checker } from './checker.ts'
import type { Cluster } from './cluster.ts'
import { violated } from './failure.ts'
import type { Proc, Watcher } from './proc.ts'

/** After this long without troubles, ms, everything that they had upset has come to rest. */
const REST_MS = 10_000

/** A leader elected less than this ago, ms, may still meet rivals that stood at the same time. */
const SETTLED_MS = 1000

/** Members in touch for longer than this before their leader was lost, ms, have another one after so long at the latest. */
const ELECTION_MS = 2000

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
  /** Since when they have no leader. */
  readonly #leaderless = new Map<Proc, number>()

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
    this.#leaderless.set(proc, this.#cluster.now)
  }

  fed(): void {}

  carried(proc: Proc, output: Output): void {
    if (output.type === 'plan_started') {
      const startedAt = this.#checker.books.plans.get(output.plan.uid)?.chosenAt.get(0) ?? 0
      // A member that heard of the start late may have promised others more by then: one new election is due.
      if (this.#cluster.now - startedAt > LATE_MS) this.#note(output.plan.uid, 0)
    }
    if (output.type === 'leader_elected') this.#leaderless.delete(proc)
    if (output.type === 'leader_lost') this.#leaderless.set(proc, this.#cluster.now)
    if (output.type === 'plan_finished' && output.status === 'quorum_lost') this.#hadNobody(proc, output.plan.uid)
    if (output.type === 'decided' && output.unilateral) this.#hadNobody(proc, output.decision.plan.uid)
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
    const book = this.#checker.books.plans.get(uid)
    const members = book && membersAt(book, sequence)
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

  /** It gives up: then those that it is in touch with are too few to elect a leader, or have one that it does not reach. */
  #hadNobody(proc: Proc, uid: string): void {
    const since = this.#leaderless.get(proc)
    const book = this.#checker.books.plans.get(uid)
    if (since === undefined || book === undefined || this.#cluster.now - since < ELECTION_MS) return
    const quiet = since - ELECTION_MS
    // Those that it knows of: more may have been chosen, which none of them has heard of.
    const members = membersAt(book, this.#checker.books.openAt(proc)) ?? []
    const there = this.#cluster.live().filter((other) => {
      const isMember = members.some((member) => isSame(member, other.member))
      const isQuiet = [other.host, proc.host, pair(proc.host, other.host)].every((key) => this.#undisturbed(key, quiet))
      return isMember && other.state === 'up' && isQuiet && this.#takesPart(other, proc, book)
    })
    if (!there.includes(proc) || there.length < majority(members.length)) return
    const led = there.some((other) => other !== proc && this.#cluster.statusOf(other).leader !== null)
    if (led) return
    const ms = (this.#cluster.now - since).toFixed(0)
    violated(
      '5 progress',
      `${proc.member.peer} gives up: ${there.length} of ${members.length} elected nobody in ${ms} ms`,
    )
  }

  #takesPart(other: Proc, proc: Proc, book: PlanBook): boolean {
    if (other === proc) return true
    return this.#checker.planOf(other) === book.uid && !book.gaveUp.has(other) && !this.#checker.isAlone(other)
  }

  #undisturbed(key: string, since: number): boolean {
    return (this.#until.get(key) ?? Number.NEGATIVE_INFINITY) <= since
  }

  #deadAreDead(proc: Proc, decision: Decision): void {
    const { uid } = decision.plan
    if (decision.kind === 'start' || !this.#calm(proc.host) || !this.#calm(uid)) return
    const members = membersAt(this.#checker.books.plans.get(uid) ?? violated('3 order', uid), decision.sequence)
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
