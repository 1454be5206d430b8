/** What is kept about each peer. */

import type { PeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { Guard } from './guard.ts'
import type { Inbound } from './inbound.ts'
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

/** Throws for what is no peer ID. */
export function newRecord(peer: string): PeerRecord {
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
