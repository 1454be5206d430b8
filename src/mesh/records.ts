/** Who is known of, and what is kept about each peer. Bounded: others may tell of anybody. */

import type { PeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { Guard } from './guard.ts'
import type { Inbound } from './inbound.ts'
import { limits } from './limits.ts'
import type { Link } from './link.ts'
import type { PeerInfo } from './types.ts'
import { type Tended, Tending } from './upkeep.ts'

export interface PeerRecord extends Tended {
  readonly peer: string
  readonly id: PeerId
  readonly guard: Guard
  addrs: readonly string[]
  link: Link | undefined
  opening: boolean
  inbound: Inbound | undefined
  info: PeerInfo | undefined
  /** Linked: both sides have said who they are. */
  up: boolean
  /** Not linked, but known to be there: it is connected to once there is something to say. */
  present: boolean
  /** Its process was seen on this host. */
  near: boolean
  /** What it is to be told once it is linked. */
  unsent: Uint8Array[]
  dialing: boolean
}

export class Records {
  readonly #records = new Map<string, PeerRecord>()
  /** Peers that others told of and that were never met. */
  readonly #hearsay = new Set<string>()

  all(): Iterable<PeerRecord> {
    return this.#records.values()
  }

  get(peer: string): PeerRecord | undefined {
    return this.#records.get(peer)
  }

  /** Of one that is there. Throws for what is no peer ID. */
  of(peer: string): PeerRecord {
    const known = this.#records.get(peer)
    if (known !== undefined) return known
    const record = newRecord(peer)
    if (this.#records.size >= limits.peersMax) this.#forgetOne(this.#records.keys())
    this.#records.set(peer, record)
    return record
  }

  /** Of one that was told of. Undefined for what is no peer ID, and while too many are told of that nobody has met. */
  ofHearsay(peer: string): PeerRecord | undefined {
    const known = this.#records.get(peer)
    if (known !== undefined) return known
    if (this.#hearsay.size >= limits.hearsayMax) this.#forgetOne(this.#hearsay)
    if (this.#hearsay.size >= limits.hearsayMax) return undefined
    try {
      const record = this.of(peer)
      this.#hearsay.add(peer)
      return record
    } catch {
      return undefined
    }
  }

  /** It has said itself who it is. */
  met(peer: string): void {
    this.#hearsay.delete(peer)
  }

  /** Who was here for a moment is not worth remembering, unless it is to stay out. */
  gone(record: PeerRecord): void {
    const isKept = record.info?.role === 'agent' || record.dialing || record.guard.banned
    if (!isKept || this.#records.size > limits.peersMax) this.#forget(record)
  }

  /** True for a peer of the run that is here, in this incarnation. */
  isHere(peer: string, incarnation: string): boolean {
    const record = this.#records.get(peer)
    const isHere = record?.up === true || record?.present === true
    return isHere && record.info?.incarnation === incarnation && record.info.role === 'agent'
  }

  /** Peers that are up, and those that were. */
  infos(): PeerInfo[] {
    const infos: PeerInfo[] = []
    for (const { info, up, present } of this.#records.values()) {
      if (info !== undefined) infos.push({ ...info, connected: up || present })
    }
    return infos
  }

  /** Makes room: of these the first one that is not here, nor on its way, is forgotten. */
  #forgetOne(peers: Iterable<string>): void {
    for (const peer of peers) {
      const record = this.#records.get(peer)
      if (record !== undefined && isAway(record)) return this.#forget(record)
    }
  }

  #forget({ peer }: PeerRecord): void {
    this.#records.delete(peer)
    this.#hearsay.delete(peer)
  }
}

function isAway({ up, present, link, opening, inbound, dialing, guard }: PeerRecord): boolean {
  return !(up || present || link !== undefined || opening || inbound !== undefined || dialing || guard.banned)
}

function newRecord(peer: string): PeerRecord {
  return {
    peer,
    id: peerIdFromString(peer),
    guard: new Guard(),
    addrs: [],
    link: undefined,
    opening: false,
    inbound: undefined,
    info: undefined,
    up: false,
    present: false,
    near: false,
    unsent: [],
    dialing: false,
    tending: new Tending(),
  }
}
