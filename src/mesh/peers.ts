/** Connections to the peers of the run: who they are (hello), one stream a direction, dialling, probing. */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Connection, Stream } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { isGone, isRefusal } from './dial-errors.ts'
import { allMessages } from './errors.ts'
import { encodeFrame } from './frames.ts'
import type { Gate } from './gate.ts'
import type { Guard } from './guard.ts'
import { Inbound } from './inbound.ts'
import { type Acquaintance, Introductions } from './introductions.ts'
import { knock } from './knock.ts'
import { limits, protocols } from './limits.ts'
import { Link } from './link.ts'
import type { Node } from './node.ts'
import { newRecord, type PeerRecord } from './record.ts'
import type { PeerInfo, RefuseReason } from './types.ts'
import { Upkeep } from './upkeep.ts'
import { alive, checkHello, checkIntroduction, type Hello, type Identity, isOfType, wireVersion } from './wire.ts'

export interface PeersEvents {
  onUp(peer: PeerInfo): void
  onDown(peer: PeerInfo): void
  /** A frame of a peer that is up; not yet checked. `at`: own clock, when it arrived. */
  onFrame(peer: PeerInfo, document: unknown, at: number): void
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
  readonly #records = new Map<string, PeerRecord>()
  readonly #upkeep: Upkeep<PeerRecord>
  readonly #introductions: Introductions
  readonly #inbounds = new Set<Inbound>()
  /** Peers that others told of and that were never met. */
  readonly #hearsay = new Set<string>()
  #closed = false
  /** Links with frames that are not written yet. */
  readonly #waiting = new Set<Link>()
  /** The last message: one to all members is encoded once. */
  #encoded: { readonly document: unknown; readonly frame: Uint8Array } | undefined

  constructor(node: Node, gate: Gate, self: SelfInfo, events: PeersEvents) {
    this.#node = node
    this.#gate = gate
    this.#self = self
    this.#events = events
    this.#upkeep = new Upkeep<PeerRecord>({
      peers: () => this.#records.values(),
      goesFirst: ({ peer }) => this.#node.peerId.toString() < peer,
      sayAlive: ({ peer }) => this.send(peer, alive),
      reach: (record) => this.#reach(record),
      hangUp: (record, why) => this.#hangUp(record, why),
    })
    this.#introductions = new Introductions({
      linked: () =>
        [...this.#records.values()]
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
    this.#node.addEventListener('peer:connect', ({ detail }) => void this.#openLink(this.#recordOf(detail.toString())))
    this.#node.addEventListener('peer:disconnect', ({ detail }) => this.#onDisconnect(detail.toString()))
    this.#node.addEventListener('connection:open', ({ detail }) => {
      this.#gate.onConnection(detail, this.#node.getConnections(detail.remotePeer).length)
    })
    this.#node.addEventListener('connection:close', ({ detail }) => this.#gate.onClosed(detail))
    this.#upkeep.start(() => this.#look())
  }

  close(): void {
    this.#closed = true
    this.#upkeep.stop()
    this.#introductions.close()
  }

  #look(): void {
    for (const inbound of this.#inbounds) inbound.look()
    this.#gate.look((peer) => this.#records.get(peer)?.info !== undefined)
  }

  /** True for a peer of the run that is here, in this incarnation. */
  knows(peer: string, incarnation: string): boolean {
    const record = this.#records.get(peer)
    const isHere = record?.up === true || record?.present === true
    return isHere && record.info?.incarnation === incarnation && record.info.role === 'agent'
  }

  /** What a peer may still send; undefined for one that is not here. */
  guardOf(peer: string): Guard | undefined {
    return this.#records.get(peer)?.guard
  }

  /** Peers that are up, and those that were. */
  list(): PeerInfo[] {
    const infos: PeerInfo[] = []
    for (const { info, up, present } of this.#records.values()) {
      if (info !== undefined) infos.push({ ...info, connected: up || present })
    }
    return infos
  }

  /** Where the peer is not here the message is lost, as on any network. */
  send(peer: string, document: unknown): void {
    const record = this.#records.get(peer)
    if (record === undefined) return
    const link = record.link?.open ? record.link : undefined
    if (link === undefined && !record.present) return
    if (this.#encoded === undefined || this.#encoded.document !== document) {
      this.#encoded = { document, frame: encodeFrame(document) }
    }
    const { frame } = this.#encoded
    if (link === undefined) this.#sendOnceLinked(record, frame)
    else this.#sendOver(link, record, frame)
  }

  isLinked(peer: string): boolean {
    return this.#records.get(peer)?.link?.open ?? false
  }

  #sendOver(link: Link, record: PeerRecord, frame: Uint8Array): void {
    record.tending.sent = true
    if (!link.send(frame)) return
    if (this.#waiting.size === 0) queueMicrotask(() => this.writeOut())
    this.#waiting.add(link)
  }

  #sendOnceLinked(record: PeerRecord, frame: Uint8Array): void {
    if (record.unsent.length < limits.unsentMax) record.unsent.push(frame)
    this.#dialSoon(record)
  }

  /** Writes what was sent since the last turn of the event loop, a packet a peer. */
  writeOut(): void {
    for (const link of this.#waiting) link.flush()
    this.#waiting.clear()
  }

  /** Writes out what waits, and ends the streams. */
  async flush(): Promise<void> {
    const links = [...this.#records.values()].map(({ link }) => link?.close())
    await Promise.allSettled(links)
  }

  /** Connects to a peer of the run that somebody told of. The one with the lower ID dials first. */
  meet(peer: string, addrs: readonly string[]): void {
    if (this.#closed || peer === this.#node.peerId.toString()) return
    const record = this.#tryRecord(peer)
    if (record === undefined) return
    // What a peer has said of itself is not overwritten by what others say.
    if (addrs.length > 0 && record.info === undefined) record.addrs = addrs.slice(0, limits.addressesMax)
    if (!record.present) this.#dialSoon(record)
  }

  #hearOf(teller: PeerRecord, others: readonly Acquaintance[]): void {
    this.#introductions.note(teller.peer, others)
    for (const { peer, addrs } of others) {
      if (this.#records.get(peer)?.info === undefined) this.#events.onHearsay(peer)
      this.meet(peer, addrs)
    }
  }

  /** One of `count` peers of this host. Of many only a few are connected to before there is something to say to them. */
  meetHere(peer: string, addrs: readonly string[], who: Identity, count: number): void {
    const { wire, run, ...info } = who
    const isOurs = wire === wireVersion && run === this.#self.run && who.role === 'agent'
    const record = peer === this.#node.peerId.toString() ? undefined : this.#tryRecord(peer)
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
    for (const { up, dialing } of this.#records.values()) if (up || dialing) count += 1
    return count
  }

  #dialSoon(record: PeerRecord): void {
    if (record.dialing || record.guard.banned || this.#isConnected(record)) return
    record.dialing = true
    const goesFirst = this.#node.peerId.toString() < record.peer || this.#self.role === 'client'
    setTimeout(() => void this.#dial(record), goesFirst ? 0 : limits.dialCourtesyMs)
  }

  /** Dials an address given by a person. Throws when nobody answers there. */
  async join(address: string): Promise<string> {
    const connection = await this.#node.dial(multiaddr(address), { signal: AbortSignal.timeout(limits.dialMs) })
    return connection.remotePeer.toString()
  }

  /** A connection to a peer of the run, made where there is none. Throws when nobody answers at its addresses. */
  async connect(peer: string, addrs: readonly string[], signal: AbortSignal): Promise<Connection> {
    const record = this.#recordOf(peer)
    if (record.addrs.length === 0) record.addrs = addrs
    const open = this.#node.getConnections(record.id).find((connection) => connection.status === 'open')
    return open ?? (await this.#node.dial(this.#targets(record), { signal }))
  }

  /** Is it there? Ends in `onUp`, in `onUnreachable`, or in silence when nobody can say in time. */
  async probe(peer: string): Promise<void> {
    const record = this.#records.get(peer)
    if (record === undefined || record.addrs.length === 0) return
    const signal = AbortSignal.timeout(limits.probeMs)
    for (let waitMs: number = limits.probeAgainMs; !record.up && !signal.aborted && !this.#closed; waitMs *= 2) {
      if (await this.#isGone(record, waitMs >= limits.probeDialMs, signal)) {
        if (!this.#closed) this.#events.onUnreachable(peer)
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
    if (this.#isConnected(record)) {
      await this.#openLink(record)
      return false
    }
    const knocked = await knock(record.addrs, limits.probeMs)
    if (knocked === 'refused') return true
    if (knocked === 'open' && !staysOpen) return false
    try {
      await this.#node.dial(this.#targets(record), { signal })
      return false
    } catch (error) {
      return isRefusal(error)
    }
  }

  async #dial(record: PeerRecord): Promise<void> {
    try {
      if (this.#closed || this.#isConnected(record)) return
      const patience = record.near ? limits.patientDialMs : limits.dialMs
      await this.#node.dial(this.#targets(record), { signal: AbortSignal.timeout(patience) })
    } catch (error) {
      if (!isRefusal(error)) record.tending.seek()
      if (record.present) this.#down(record)
    } finally {
      record.dialing = false
    }
  }

  async #reach(record: PeerRecord): Promise<'there' | 'gone' | 'silent'> {
    try {
      await this.#node.dial(this.#targets(record), { signal: AbortSignal.timeout(limits.dialMs), force: record.up })
      return 'there'
    } catch (error) {
      return isRefusal(error) ? 'gone' : 'silent'
    }
  }

  #hangUp(record: PeerRecord, why: string): void {
    for (const connection of this.#node.getConnections(record.id)) connection.abort(new Error(why))
  }

  #targets(record: PeerRecord): ReturnType<typeof multiaddr>[] {
    return record.addrs.map((address) =>
      multiaddr(address.includes('/p2p/') ? address : `${address}/p2p/${record.peer}`),
    )
  }

  #isConnected(record: PeerRecord): boolean {
    return this.#node.getConnections(record.id).some((connection) => connection.status === 'open')
  }

  #recordOf(peer: string): PeerRecord {
    const known = this.#records.get(peer)
    if (known !== undefined) return known
    const record = newRecord(peer)
    this.#records.set(peer, record)
    return record
  }

  /** Undefined for what is no peer ID, and where too many are told of that nobody has ever met. */
  #tryRecord(peer: string): PeerRecord | undefined {
    const known = this.#records.get(peer)
    if (known !== undefined) return known
    if (this.#hearsay.size >= limits.hearsayMax || this.#records.size >= limits.peersMax) return undefined
    try {
      const record = this.#recordOf(peer)
      this.#hearsay.add(peer)
      return record
    } catch {
      return undefined
    }
  }

  async #openLink(record: PeerRecord): Promise<void> {
    if (this.#closed || record.opening || record.link?.open) return
    const connection = this.#node.getConnections(record.id).find((one) => one.status === 'open')
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
      if (this.#isConnected(record) && !this.#closed && !isGone(error)) {
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
    const others = [...this.#records.values()].filter(
      ({ up, info, near }) => up && info?.role === 'agent' && !(isNear && near),
    )
    return {
      type: 'hello',
      wire: wireVersion,
      ...this.#self,
      addrs: this.#ownAddrs(),
      peers: others.slice(0, limits.peersInHelloMax).map(({ peer, addrs }) => ({ peer, addrs: [...addrs] })),
    }
  }

  #ownAddrs(): string[] {
    return this.#node
      .getMultiaddrs()
      .map((address) => address.toString())
      .slice(0, limits.addressesMax)
  }

  #onInbound(stream: Stream, connection: Connection): void {
    const record = this.#recordOf(connection.remotePeer.toString())
    const inbound: Inbound = new Inbound(stream, record.guard, {
      onHello: (document) => this.#onHello(record, inbound, document),
      onDocument: (document, at) => {
        if (record.inbound !== inbound || record.info === undefined) return
        if (isOfType(document, 'introduction')) this.#onIntroduction(record, document)
        else this.#events.onFrame(record.info, document, at)
      },
      onBytes: () => {
        record.tending.heard = true
      },
      heldByAll: () => [...this.#inbounds].reduce((sum, { held }) => sum + held, 0),
      onRefused: (reason, expected, got) => this.refuse(record.peer, reason, expected, got),
      onEnd: () => {
        this.#inbounds.delete(inbound)
        if (record.inbound !== inbound) return
        record.inbound = undefined
        this.#down(record)
      },
    })
    this.#inbounds.add(inbound)
  }

  /** True when the sender is a peer of this run. */
  #onHello(record: PeerRecord, inbound: Inbound, document: unknown): boolean {
    const checked = checkHello(document)
    if (!checked.ok) return this.#turnAway(record, 'a hello', checked.fault)
    const hello = checked.value
    if (hello.wire !== wireVersion) return this.#turnAway(record, `wire version ${wireVersion}`, `${hello.wire}`)
    if (hello.run !== this.#self.run) return this.#turnAway(record, `run ${this.#self.run}`, `run ${hello.run}`)
    const { name, incarnation, role, version, runtime, addrs } = hello
    const before = record.info
    // A peer ID is made at each start: the same one is the same process, and that does not change.
    if (before !== undefined && !(before.name === name && before.incarnation === incarnation && before.role === role)) {
      return this.#turnAway(record, `${before.role} ${before.name}, as before`, `${role} ${name}`)
    }
    this.#hearsay.delete(record.peer)
    const old = record.inbound
    record.inbound = inbound
    old?.abort('replaced by a newer stream')
    if (addrs.length > 0) record.addrs = addrs
    record.info = { peerId: record.peer, name, incarnation, role, version, runtime, addrs, connected: true }
    this.#upIfReady(record)
    void this.#openLink(record)
    if (role === 'agent') this.#hearOf(record, hello.peers)
    return true
  }

  #onIntroduction(record: PeerRecord, document: unknown): void {
    const checked = checkIntroduction(document)
    if (!checked.ok) this.refuse(record.peer, 'malformed', 'an introduction', checked.fault)
    else if (record.info?.role === 'agent') this.#hearOf(record, checked.value.peers)
    else this.refuse(record.peer, 'role', 'introductions by agents', 'one by a client')
  }

  #turnAway(record: PeerRecord, expected: string, got: string): false {
    this.#events.onRefused('hello', record.peer, expected, got)
    for (const connection of this.#node.getConnections(record.id)) void connection.close().catch(() => undefined)
    return false
  }

  /** Counts a refusal against the peer, and disconnects it after too many. */
  refuse(peer: string, reason: RefuseReason, expected: string, got: string): void {
    this.#events.onRefused(reason, peer, expected, got)
    const record = this.#records.get(peer)
    if (record === undefined || !record.guard.refuse()) return
    for (const connection of this.#node.getConnections(record.id)) connection.abort(new Error('too many refusals'))
  }

  #upIfReady(record: PeerRecord): void {
    if (record.up || record.inbound === undefined || record.info === undefined || !record.link?.open) return
    record.up = true
    record.tending.silentLooks = 0
    const wasPresent = record.present
    record.present = false
    for (const frame of record.unsent.splice(0)) this.#sendOver(record.link, record, frame)
    if (this.#self.role === 'agent') this.#introductions.soon()
    if (!wasPresent) this.#events.onUp(record.info)
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
    // Who was here for a moment is not worth remembering, unless it is to stay out; nobody is where so many came and went.
    const isKept = record.info?.role === 'agent' || record.dialing || record.guard.banned
    if (isKept && this.#records.size <= limits.peersMax) return
    this.#records.delete(peer)
    this.#hearsay.delete(peer)
  }
}
