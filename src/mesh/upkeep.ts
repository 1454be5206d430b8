/**
 * Links without a word are looked into, lost peers are looked for: a mesh that was split finds itself again. TCP alone
 * takes up to a quarter of an hour to notice a cut, and minutes to notice that it has healed.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { limits } from './limits.ts'

/** What is kept about each peer. A look is one turn of the timer: after a pause of this process few have passed. */
export class Tending {
  /** Something came, something went out since the last look. */
  heard = false
  sent = false
  /** Looks in a row in which nothing came, and in which nothing went out. */
  silentLooks = 0
  quietLooks = 0
  busy = false
  /** Looks until it is dialled again; undefined where it is not looked for. */
  search: { left: number; wait: number; looks: number } | undefined

  seek(): void {
    this.search ??= { left: 1, wait: 1, looks: 0 }
  }
}

export interface Tended {
  readonly peer: string
  readonly up: boolean
  readonly addrs: readonly string[]
  readonly tending: Tending
}

export interface UpkeepActs<T extends Tended> {
  peers(): Iterable<T>
  /** Of two that miss each other this one looks first, so that they do not cross. */
  goesFirst(peer: T): boolean
  sayAlive(peer: T): void
  /** Makes a new connection, also beside old ones. `gone`: its process is not there any more; `silent`: who knows. */
  reach(peer: T): Promise<'there' | 'gone' | 'silent'>
  /** Closes all connections to it. */
  hangUp(peer: T, why: string): void
}

export class Upkeep<T extends Tended> {
  readonly #acts: UpkeepActs<T>
  readonly #closing = new AbortController()
  #timer: NodeJS.Timeout | undefined

  constructor(acts: UpkeepActs<T>) {
    this.#acts = acts
  }

  /** `also`: what else is looked after as often. */
  start(also: () => void): void {
    this.#timer = setInterval(() => {
      this.look()
      also()
    }, limits.lookMs)
    this.#timer.unref()
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#closing.abort()
  }

  look(): void {
    for (const peer of this.#acts.peers()) {
      if (peer.up) this.#lookAt(peer)
      else if (peer.tending.search !== undefined) this.#lookFor(peer, peer.tending.search)
    }
  }

  #lookAt(peer: T): void {
    const { tending } = peer
    tending.search = undefined
    tending.silentLooks = tending.heard ? 0 : tending.silentLooks + 1
    tending.quietLooks = tending.sent ? 0 : tending.quietLooks + 1
    tending.heard = false
    tending.sent = false
    if (tending.quietLooks >= limits.quietLooks) this.#acts.sayAlive(peer)
    const looksMax = limits.silentLooks + (this.#acts.goesFirst(peer) ? 0 : 2)
    if (tending.silentLooks >= looksMax && !tending.busy && peer.addrs.length > 0) void this.#lookInto(peer)
  }

  /** Silent, but is it cut off? A new connection tells, and costs nothing where the peer was only paused. */
  async #lookInto(peer: T): Promise<void> {
    const { tending } = peer
    tending.busy = true
    try {
      const found = await this.#acts.reach(peer)
      // A peer that only woke up speaks on its old link too, after at most so long.
      const patience = (limits.quietLooks + 1) * limits.lookMs
      if (found === 'there') await sleep(patience, undefined, { signal: this.#closing.signal, ref: false })
      const isSilent = !tending.heard && tending.silentLooks > 0 && peer.up
      if (!isSilent || this.#closing.signal.aborted) return
      const forgotten = tending.silentLooks >= limits.forgottenLooks
      if (found !== 'silent' || forgotten) this.#acts.hangUp(peer, 'its link was dead')
    } catch {
      // Closing.
    } finally {
      tending.busy = false
    }
  }

  #lookFor(peer: T, search: { left: number; wait: number; looks: number }): void {
    search.looks += 1
    search.left -= 1
    if (search.looks > limits.searchLooksMax || peer.addrs.length === 0) peer.tending.search = undefined
    else if (search.left <= 0 && !peer.tending.busy) {
      search.wait = Math.min(search.wait * 2, limits.searchLooksApart)
      search.left = search.wait
      void this.#seek(peer)
    }
  }

  async #seek(peer: T): Promise<void> {
    const { tending } = peer
    tending.busy = true
    const found = await this.#acts.reach(peer)
    tending.busy = false
    // What listens at its address now, if anything, is another process: that one introduces itself.
    if (found === 'gone') tending.search = undefined
  }
}
