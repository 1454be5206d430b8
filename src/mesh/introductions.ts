/**
 * Who is here is made known to those who do not know of each other: peers that join at the same time are in neither's
 * hello. Each is told once of each other one. Peers of one host find each other by themselves.
 */

import { limits } from './limits.ts'

/** A peer, and where it can be dialled. */
export interface Acquaintance {
  readonly peer: string
  readonly addrs: readonly string[]
}

export interface Linked extends Acquaintance {
  readonly isAgent: boolean
  /** It is seen in this host's rendezvous folder, as others in there see it. */
  readonly isNear: boolean
}

export interface IntroductionActs {
  /** Everybody that is linked; clients are told of agents, and nobody of clients. */
  linked(): Iterable<Linked>
  introduce(to: string, peers: readonly Acquaintance[]): void
}

export class Introductions {
  readonly #acts: IntroductionActs
  /** Of whom each one was told, or has told. */
  readonly #known = new Map<string, Set<string>>()
  #timer: NodeJS.Timeout | undefined

  constructor(acts: IntroductionActs) {
    this.#acts = acts
  }

  /** `peer` knows these. */
  note(peer: string, others: readonly Acquaintance[]): void {
    const known = this.#known.get(peer) ?? new Set<string>()
    this.#known.set(peer, known)
    // Of whom else it has told, however many, it is told again.
    for (const { peer: other } of others) if (known.size < limits.peersMax) known.add(other)
  }

  /** It is gone: should it come back, all begins anew. */
  forget(peer: string): void {
    this.#known.delete(peer)
  }

  /** Somebody came: those who come a moment later are introduced with it. */
  soon(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#introduce()
    }, limits.introductionMs)
  }

  close(): void {
    clearTimeout(this.#timer)
  }

  #introduce(): void {
    const linked = [...this.#acts.linked()]
    const agents = linked.filter(({ isAgent, addrs }) => isAgent && addrs.length > 0)
    for (const { peer, isNear } of linked) {
      const known = this.#known.get(peer)
      const isNews = (other: Linked): boolean =>
        other.peer !== peer && !(isNear && other.isNear) && known?.has(other.peer) !== true
      const news = agents.filter(isNews)
      if (news.length === 0) continue
      const peers = news.slice(0, limits.peersInHelloMax).map(({ peer: other, addrs }) => ({ peer: other, addrs }))
      this.note(peer, peers)
      this.#acts.introduce(peer, peers)
    }
  }
}
