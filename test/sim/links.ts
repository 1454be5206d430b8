/** Who is connected to whom: made, lost, found again, as far as the network lets them. */

import type { PeerId } from '../../src/barrier/mod.ts'
import type { Cluster } from './cluster.ts'
import type { Prng } from './prng.ts'
import type { Proc } from './proc.ts'

export class Links {
  readonly #world: Cluster
  readonly #prng: Prng
  /** Two peers that can reach each other find each other within this, ms. */
  readonly #meetMs: number
  #reconnecting = false

  constructor(world: Cluster, prng: Prng, meetMs: number) {
    this.#world = world
    this.#prng = prng
    this.#meetMs = meetMs
  }

  connect(a: Proc, b: Proc): void {
    if (a.state !== 'up' || b.state !== 'up' || !this.#world.network.connects(a.host, b.host)) return
    for (const [proc, other] of [
      [a, b],
      [b, a],
    ] as const) {
      this.#world.after(this.#world.network.delay(), () => this.#connected(proc, other))
    }
  }

  #connected(proc: Proc, other: Proc): void {
    if (proc.state === 'gone') return
    if (other.state === 'gone') return
    const before = proc.links.get(other.member.peer)
    if (before !== undefined && before !== other) this.disconnected(proc, before)
    proc.links.set(other.member.peer, other)
    this.#world.arrive(proc, { type: 'peer_up', member: other.member })
  }

  disconnected(proc: Proc, other: Proc): void {
    if (proc.state === 'gone' || proc.links.get(other.member.peer) !== other) return
    proc.links.delete(other.member.peer)
    this.#world.arrive(proc, { type: 'peer_down', peer: other.member.peer })
    if (other.state !== 'gone') this.reconnectSoon(this.#prng.between(100, 2000))
  }

  breakAll(proc: Proc): void {
    for (const other of this.#world.procs) {
      if (other.links.get(proc.member.peer) !== proc) continue
      this.#world.after(this.#prng.between(0, 100), () => this.disconnected(other, proc))
      this.#world.after(this.#prng.between(0, 100), () => this.disconnected(proc, other))
    }
  }

  /** Discovery: peers that live and can reach each other find each other again. */
  reconnectSoon(delayMs: number): void {
    if (this.#reconnecting) return
    this.#reconnecting = true
    this.#world.after(delayMs, () => {
      this.#reconnecting = false
      const live = this.#world.procs.filter((proc) => proc.state === 'up')
      for (const [index, a] of live.entries()) {
        for (const b of live.slice(index + 1)) {
          const whole = a.links.get(b.member.peer) === b && b.links.get(a.member.peer) === a
          if (!whole && this.#world.network.connects(a.host, b.host))
            this.#world.after(this.#prng.between(0, this.#meetMs), () => this.connect(a, b))
        }
      }
    })
  }

  probe(proc: Proc, peer: PeerId): void {
    const wanted = this.#world.procs.filter((other) => other.member.peer === peer).at(-1)
    if (wanted === undefined || !this.#world.network.connects(proc.host, wanted.host)) return
    const roundTrip = this.#world.network.delay() + this.#world.network.delay()
    this.#world.after(roundTrip, () => {
      if (wanted.state === 'up') this.connect(proc, wanted)
      else if (wanted.state === 'gone' && wanted.ending !== 'power')
        this.#world.arrive(proc, { type: 'unreachable', peer })
    })
  }

  relayed(proc: Proc, target: Proc): boolean {
    return this.#world.procs.some(
      (relay) =>
        relay.state === 'up' &&
        relay !== proc &&
        this.#world.network.passes(proc.host, relay.host) &&
        this.#world.network.passes(relay.host, target.host),
    )
  }
}
