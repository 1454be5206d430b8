/** Reaches peers: makes connections to them, and asks whether one that was lost is still there. */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Connection } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { isRefusal } from './dial-errors.ts'
import { knock } from './knock.ts'
import { limits } from './limits.ts'
import type { Node } from './node.ts'
import type { PeerRecord } from './records.ts'

export interface DialerActs {
  /** It is connected: says hello to it where that was not done. */
  greet(record: PeerRecord): Promise<void>
  /** Nobody answered at its addresses. */
  onFailed(record: PeerRecord): void
  /** Nothing listens where it was. */
  onUnreachable(peer: string): void
}

export class Dialer {
  readonly #node: Node
  /** Does not wait for the other side to dial. */
  readonly #isEager: boolean
  readonly #acts: DialerActs
  #closed = false

  constructor(node: Node, isEager: boolean, acts: DialerActs) {
    this.#node = node
    this.#isEager = isEager
    this.#acts = acts
  }

  close(): void {
    this.#closed = true
  }

  openTo({ id }: PeerRecord): Connection | undefined {
    return this.#node.getConnections(id).find((connection) => connection.status === 'open')
  }

  isConnected(record: PeerRecord): boolean {
    return this.openTo(record) !== undefined
  }

  /** Of two peers the one with the lower ID dials first. */
  goesFirst({ peer }: PeerRecord): boolean {
    return this.#node.peerId.toString() < peer
  }

  dialSoon(record: PeerRecord): void {
    if (this.#closed || record.dialing || record.guard.banned || this.isConnected(record)) return
    record.dialing = true
    const isFirst = this.#isEager || this.goesFirst(record)
    setTimeout(() => void this.#dial(record), isFirst ? 0 : limits.dialCourtesyMs)
  }

  /** Dials an address given by a person. Throws when nobody answers there. */
  async join(address: string): Promise<string> {
    const connection = await this.#node.dial(multiaddr(address), { signal: AbortSignal.timeout(limits.dialMs) })
    return connection.remotePeer.toString()
  }

  /** A connection to a peer, made where there is none. Throws when nobody answers at its addresses. */
  async connect(record: PeerRecord, signal: AbortSignal): Promise<Connection> {
    return this.openTo(record) ?? (await this.#node.dial(targets(record), { signal }))
  }

  /** A new connection to a peer, also beside old ones. */
  async reach(record: PeerRecord): Promise<'there' | 'gone' | 'silent'> {
    try {
      await this.#node.dial(targets(record), { signal: AbortSignal.timeout(limits.dialMs), force: record.up })
      return 'there'
    } catch (error) {
      return isRefusal(error) ? 'gone' : 'silent'
    }
  }

  hangUp({ id }: PeerRecord, why: string): void {
    for (const connection of this.#node.getConnections(id)) connection.abort(new Error(why))
  }

  /** Is it there? Ends in a link to it, in `onUnreachable`, or in silence when nobody can say in time. */
  async probe(record: PeerRecord): Promise<void> {
    if (record.addrs.length === 0) return
    const signal = AbortSignal.timeout(limits.probeMs)
    for (let waitMs: number = limits.probeAgainMs; !record.up && !signal.aborted && !this.#closed; waitMs *= 2) {
      if (await this.#isGone(record, waitMs >= limits.probeDialMs, signal)) {
        if (!this.#closed) this.#acts.onUnreachable(record.peer)
        return
      }
      if (!record.up) await sleep(waitMs, undefined, { ref: false })
    }
  }

  /**
   * True where nobody listens. A process that dies closes its connections one after another, and the port that it listens
   * on last: only who keeps that open is dialled, which costs both sides more, and is greeted.
   */
  async #isGone(record: PeerRecord, staysOpen: boolean, signal: AbortSignal): Promise<boolean> {
    if (this.isConnected(record)) {
      await this.#acts.greet(record)
      return false
    }
    const knocked = await knock(record.addrs, limits.probeMs)
    if (knocked === 'refused') return true
    if (knocked === 'open' && !staysOpen) return false
    try {
      await this.#node.dial(targets(record), { signal })
      return false
    } catch (error) {
      return isRefusal(error)
    }
  }

  async #dial(record: PeerRecord): Promise<void> {
    try {
      if (this.#closed || this.isConnected(record)) return
      const patience = record.near ? limits.patientDialMs : limits.dialMs
      await this.#node.dial(targets(record), { signal: AbortSignal.timeout(patience) })
    } catch (error) {
      if (!isRefusal(error)) record.tending.seek()
      this.#acts.onFailed(record)
    } finally {
      record.dialing = false
    }
  }
}

function targets({ peer, addrs }: PeerRecord): ReturnType<typeof multiaddr>[] {
  return addrs.map((address) => multiaddr(address.includes('/p2p/') ? address : `${address}/p2p/${peer}`))
}
