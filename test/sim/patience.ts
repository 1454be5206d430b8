/** Nobody gives up on the others, or goes on alone, before an election had its time. */

import type { Output } from '../../src/barrier/mod.ts'
import type { Books } from './books.ts'
import type { Cluster } from './cluster.ts'
import { violated } from './failure.ts'
import type { Proc, Watcher } from './proc.ts'

export class PatienceRule implements Watcher {
  readonly #cluster: Cluster
  readonly #books: Books
  /** Since when each has no leader, by its own clock. */
  readonly #leaderless = new Map<Proc, number>()
  /** The plan in which each goes on alone: it waits for nobody. */
  readonly #alone = new Map<Proc, string>()

  constructor(cluster: Cluster, books: Books) {
    this.#cluster = cluster
    this.#books = books
  }

  booted(proc: Proc): void {
    this.#leaderless.set(proc, this.#ownNow(proc))
  }

  fed(): void {}

  carried(proc: Proc, output: Output): void {
    if (output.type === 'leader_elected') this.#leaderless.delete(proc)
    if (output.type === 'leader_lost') this.#leaderless.set(proc, this.#ownNow(proc))
    if (output.type === 'plan_finished' && output.status === 'quorum_lost') this.#givesUp(proc, output.plan.uid)
    if (output.type !== 'decided' || !output.unilateral) return
    const { uid } = output.decision.plan
    if (this.#alone.get(proc) !== uid) this.#givesUp(proc, uid)
    this.#alone.set(proc, uid)
  }

  #givesUp(proc: Proc, uid: string): void {
    if (this.#alone.get(proc) === uid) return
    const { stages } = this.#books.ofPlan(uid)
    const waitsFor = stages[this.#books.ofPeer(proc).position - 1]?.barrier
    const open = (stages[this.#books.openAt(proc) - 1] ?? stages[0])?.barrier
    if (waitsFor === undefined || open === undefined) return
    const since = this.#leaderless.get(proc)
    const needed = Math.min(waitsFor.barrierTimeoutMs, open.heartbeatIntervalMs * open.missedThreshold)
    const waited = since === undefined ? 0 : this.#ownNow(proc) - since
    if (waited >= needed - 1) return
    violated('4 policy', `${proc.member.peer} gave up ${waited.toFixed(0)} ms after it lost its leader, not ${needed}`)
  }

  #ownNow(proc: Proc): number {
    return proc.clock.at(this.#cluster.now)
  }
}
