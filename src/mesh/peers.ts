/** The peers of the run: met, greeted, linked by one stream a direction, up while both sides have said who they are. */

import type { Connection, Stream } from '@libp2p/interface'
import { isGone } from './dial-errors.ts'
import { Dialer } from './dialer.ts'
import { allMessages } from './errors.ts'
import { encodeFrame } from './frames.ts'
import type { Gate } from './gate.ts'
import { judgeHello } from './greeting.ts'
import type { Guard } from './guard.ts'
import { Inbound } from './inbound.ts'
import { type Acquaintance, Introductions } from './introductions.ts'
import { limits, protocols } from './limits.ts'
import { Link } from './link.ts'
import type { Node } from './node.ts'
import { Outbox } from './outbox.ts'
import { type PeerRecord, Records } from './records.ts'
import type { PeerInfo, RefuseReason } from './types.ts'
import { Upkeep } from './upkeep.ts'
import { alive, checkIntroduction, type Hello, type Identity, isOfType, wireVersion } from './wire.ts'

export interface PeersEvents {
  onUp(peer: PeerInfo): void
  onDown(peer: PeerInfo): void
  /** A frame of a peer that is up; not yet checked. `at`: own clock, when it arrived. */
  onFrame(peer: PeerInfo, document: unknown, at: number, bytes: number): void
  onUnreachable(peer: string): void
  /** Others know a peer that is new here: it is looked for on this host. */
  onHearsay(peer: string): void
  onRefused(reason: RefuseReason, from: string, expected: string, got: string): void
}

/** What this peer says of itself. */
export type SelfInfo = Omit<Identity, 'wire'>

export class Peers {
  readonly #node: Node
  readonly #gate: Gate
  readonly #self: SelfInfo
  readonly #events: PeersEvents
  readonly #records = new Records()
  readonly #dialer: Dialer
  readonly #outbox = new Outbox()
  readonly #upkeep: Upkeep<PeerRecord>
  readonly #introductions: Introductions
  readonly #inbounds = new Set<Inbound>()
  #closed = false

  constructor(node: Node, gate: Gate, self: SelfInfo, events: PeersEvents) {
    this.#node = node
    this.#gate = gate
    this.#self = self
    this.#events = events
    this.#dialer = new Dialer(node, self.role === 'client', {
      greet: (record) => this.#openLink(record),
      onFailed: (record) => {
        if (record.present) this.#down(record)
      },
      onUnreachable: (peer) => events.onUnreachable(peer),
    })
    this.#upkeep = new Upkeep<PeerRecord>({
      peers: () => this.#records.all(),
      goesFirst: (record) => this.#dialer.goesFirst(record),
      sayAlive: ({ peer }) => this.send(peer, alive),
      reach: (record) => this.#dialer.reach(record),
      hangUp: (record, why) => this.#dialer.hangUp(record, why),
    })
    this.#introductions = new Introductions({
      linked: () =>
        [...this.#records.all()]
          .filter(({ up }) => up)
          .map(({ peer, addrs, info, near }) => ({ peer, addrs, isAgent: info?.role === 'agent', isNear: near })),
      introduce: (to, peers) => this.send(to, { type: 'introduction', peers }),
    })
    gate.open({
      isBanned: (peer) => this.#records.get(peer)?.guard.banned ?? false,
      onRefused: (reason, from, expected, got) => events.onRefused(reason, from, expected, got),
    })
  }

  async open(): Promise<void> {
    await this.#node.handle(protocols.peer, (stream, connection) => this.#onInbound(stream, connection), {
      maxInboundStreams: 8,
      maxOutboundStreams: 8,
    })
    this.#node.addEventListener('peer:connect', ({ detail }) => {
      void this.#openLink(this.#records.of(detail.toString()))
    })
    this.#node.addEventListener('peer:disconnect', ({ detail }) => this.#onDisconnect(detail.toString()))
    this.#node.addEventListener('connection:open', ({ detail }) => {
      this.#gate.onConnection(detail, this.#node.getConnections(detail.remotePeer).length)
    })
    this.#node.addEventListener('connection:close', ({ detail }) => this.#gate.onClosed(detail))
    this.#upkeep.start(() => this.#look())
  }

  close(): void {
    this.#closed = true
    this.#dialer.close()
    this.#upkeep.stop()
    this.#introductions.close()
  }

  #look(): void {
    for (const inbound of this.#inbounds) inbound.look()
    // Of two connections the one on which a link was to be opened may have closed; no other event tells of that.
    for (const record of this.#records.all()) void this.#openLink(record)
    this.#gate.look((peer) => this.#records.get(peer)?.info !== undefined)
  }

  /** True for a peer of the run that is here, in this incarnation. */
  knows(peer: string, incarnation: string): boolean {
    return this.#records.isHere(peer, incarnation)
  }

  /** What a peer may still send; undefined for one that is not here. */
  guardOf(peer: string): Guard | undefined {
    return this.#records.get(peer)?.guard
  }

  /** Peers that are up, and those that were. */
  list(): PeerInfo[] {
    return this.#records.infos()
  }

  isLinked(peer: string): boolean {
    return this.#records.get(peer)?.link?.open ?? false
  }

  /** Where the peer is not here the message is lost, as on any network. */
  send(peer: string, document: unknown): void {
    const record = this.#records.get(peer)
    if (record === undefined) return
    if (!this.#outbox.send(record, document) && record.present) this.#dialer.dialSoon(record)
  }

  /** Writes what was sent since the last turn of the event loop. */
  writeOut(): void {
    this.#outbox.writeOut()
  }

  /** Writes out what waits, and ends the streams. */
  async flush(): Promise<void> {
    const links = [...this.#records.all()].map(({ link }) => link?.close())
    await Promise.allSettled(links)
  }

  /** Dials an address given by a person. Throws when nobody answers there. */
  async join(address: string): Promise<string> {
    return await this.#dialer.join(address)
  }

  /** A connection to a peer of the run, made where there is none. Throws when nobody answers at its addresses. */
  async connect(peer: string, addrs: readonly string[], signal: AbortSignal): Promise<Connection> {
    const record = this.#records.of(peer)
    if (record.addrs.length === 0) record.addrs = addrs
    return await this.#dialer.connect(record, signal)
  }

  /** Is it there? Ends in `onUp`, in `onUnreachable`, or in silence when nobody can say in time. */
  async probe(peer: string): Promise<void> {
    const record = this.#records.get(peer)
    if (record !== undefined) await this.#dialer.probe(record)
  }

  /** Connects to a peer of the run that somebody told of. The one with the lower ID dials first. */
  meet(peer: string, addrs: readonly string[]): void {
    if (this.#closed || peer === this.#node.peerId.toString()) return
    const record = this.#records.ofHearsay(peer)
    if (record === undefined) return
    // What a peer has said of itself is not overwritten by what others say.
    if (addrs.length > 0 && record.info === undefined) record.addrs = addrs.slice(0, limits.addressesMax)
    if (!record.present) this.#dialer.dialSoon(record)
  }

  /** One of `count` peers of this host. Of many only a few are connected to before there is something to say to them. */
  meetHere(peer: string, addrs: readonly string[], who: Identity, count: number): void {
    const { wire, run, ...info } = who
    const isOurs = wire === wireVersion && run === this.#self.run && who.role === 'agent'
    const record = peer === this.#node.peerId.toString() ? undefined : this.#records.ofHearsay(peer)
    if (record !== undefined) record.near = isOurs
    const isKnown = record?.info !== undefined || record?.dialing === true
    const isNeighbour = count <= limits.neighboursMax || this.#linkedOrSoon() < limits.newcomerLinks
    if (record === undefined || isKnown || !isOurs || isNeighbour) {
      return this.meet(peer, addrs)
    }
    record.addrs = addrs
    record.info = { peerId: peer, addrs, connected: true, ...info }
    record.present = true
    this.#events.onUp(record.info)
  }

  /** A peer of this host is gone; of one that is linked its connection tells. */
  goneHere(peer: string): void {
    const record = this.#records.get(peer)
    if (record?.present) this.#down(record)
  }

  #linkedOrSoon(): number {
    let count = 0
    for (const { up, dialing } of this.#records.all()) if (up || dialing) count += 1
    return count
  }

  #hearOf(teller: PeerRecord, others: readonly Acquaintance[]): void {
    this.#introductions.note(teller.peer, others)
    for (const { peer, addrs } of others) {
      if (peer === this.#node.peerId.toString()) continue
      // Once: the folder of this host is read now and then anyway.
      const isNew = this.#records.get(peer) === undefined
      if (isNew && this.#records.ofHearsay(peer) !== undefined) this.#events.onHearsay(peer)
      this.meet(peer, addrs)
    }
  }

  async #openLink(record: PeerRecord): Promise<void> {
    if (this.#closed || record.opening || record.link?.open) return
    const connection = this.#dialer.openTo(record)
    if (connection === undefined) return
    record.opening = true
    try {
      const signal = AbortSignal.timeout(limits.linkOpenMs)
      const stream = await connection.newStream(protocols.peer, { signal })
      record.link = new Link(stream)
      stream.addEventListener('close', () => {
        if (record.link?.open) return
        record.link = undefined
        this.#down(record)
        if (!this.#closed) queueMicrotask(() => void this.#openLink(record))
      })
      const hello = this.#hello(record)
      record.link.send(encodeFrame(hello))
      record.link.flush()
      this.#introductions.note(record.peer, hello.peers)
      this.#upIfReady(record)
    } catch (error) {
      if (this.#dialer.isConnected(record) && !this.#closed && !isGone(error)) {
        this.#events.onRefused('hello', record.peer, `a peer that speaks ${protocols.peer}`, allMessages(error))
        await connection.close().catch(() => undefined)
      }
    } finally {
      record.opening = false
    }
  }

  identity(): Identity {
    return { wire: wireVersion, ...this.#self }
  }

  #hello({ near: isNear }: PeerRecord): Hello {
    const others = [...this.#records.all()].filter(
      ({ up, info, near }) => up && info?.role === 'agent' && !(isNear && near),
    )
    const addrs = this.#node.getMultiaddrs().map((address) => address.toString())
    return {
      type: 'hello',
      ...this.identity(),
      addrs: addrs.slice(0, limits.addressesMax),
      peers: others.slice(0, limits.peersInHelloMax).map(({ peer, addrs }) => ({ peer, addrs: [...addrs] })),
    }
  }

  #onInbound(stream: Stream, connection: Connection): void {
    const record = this.#records.of(connection.remotePeer.toString())
    const inbound: Inbound = new Inbound(stream, record.guard, {
      onHello: (document) => this.#onHello(record, inbound, document),
      onDocument: (document, at, bytes) => {
        if (record.inbound !== inbound || record.info === undefined) return
        if (isOfType(document, 'introduction')) this.#onIntroduction(record, document, bytes)
        else this.#events.onFrame(record.info, document, at, bytes)
      },
      onBytes: () => {
        record.tending.heard = true
      },
      heldByAll: () => [...this.#inbounds].reduce((sum, { held }) => sum + held, 0),
      onRefused: (reason, expected, got, bytes) => this.refuse(record.peer, reason, expected, got, bytes),
      onEnd: () => {
        this.#inbounds.delete(inbound)
        if (record.inbound !== inbound) return
        record.inbound = undefined
        this.#down(record)
      },
    })
    this.#inbounds.add(inbound)
  }

  /** What frames may be long of a peer of this run; 0 of others. */
  #onHello(record: PeerRecord, inbound: Inbound, document: unknown): number {
    const greeting = judgeHello(document, this.#self.run, record.info)
    if (!greeting.ok) {
      this.#events.onRefused('hello', record.peer, greeting.expected, greeting.got)
      for (const connection of this.#node.getConnections(record.id)) void connection.close().catch(() => undefined)
      return 0
    }
    const { name, incarnation, role, version, runtime, addrs, peers } = greeting.hello
    this.#records.met(record.peer)
    const old = record.inbound
    record.inbound = inbound
    old?.abort('replaced by a newer stream')
    if (addrs.length > 0) record.addrs = addrs
    record.info = { peerId: record.peer, name, incarnation, role, version, runtime, addrs, connected: true }
    this.#upIfReady(record)
    void this.#openLink(record)
    if (role !== 'agent') return limits.helloBytesMax
    this.#hearOf(record, peers)
    return limits.frameBytesMax
  }

  #onIntroduction(record: PeerRecord, document: unknown, bytes: number): void {
    const checked = checkIntroduction(document)
    if (!checked.ok) this.refuse(record.peer, 'malformed', 'an introduction', checked.fault, bytes)
    else if (record.info?.role === 'agent') this.#hearOf(record, checked.value.peers)
    else this.refuse(record.peer, 'role', 'introductions by agents', 'one by a client')
  }

  /** Counts a refusal against the peer, of a message of so many bytes, and disconnects it after too many. */
  refuse(peer: string, reason: RefuseReason, expected: string, got: string, bytes = 0): void {
    this.#events.onRefused(reason, peer, expected, got)
    const record = this.#records.get(peer)
    if (record?.guard.refuse(bytes)) this.#dialer.hangUp(record, 'too many refusals')
  }

  #upIfReady(record: PeerRecord): void {
    const { link, info } = record
    if (this.#closed || record.up || record.inbound === undefined || info === undefined || !link?.open) return
    record.up = true
    record.tending.silentLooks = 0
    const wasPresent = record.present
    record.present = false
    this.#outbox.sendUnsent(record, link)
    if (this.#self.role === 'agent') this.#introductions.soon()
    if (!wasPresent) this.#events.onUp(info)
  }

  #down(record: PeerRecord): void {
    if (!(record.up || record.present) || record.info === undefined) return
    record.up = false
    record.present = false
    record.unsent = []
    if (record.info.role === 'agent') record.tending.seek()
    if (!this.#closed) this.#events.onDown(record.info)
  }

  #onDisconnect(peer: string): void {
    const record = this.#records.get(peer)
    if (record === undefined) return
    record.link = undefined
    record.inbound = undefined
    this.#introductions.forget(peer)
    this.#down(record)
    this.#records.gone(record)
  }
}
