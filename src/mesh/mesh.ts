/** One peer of the mesh: libp2p below, the barrier core inside, the command line above. */

import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Stream } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import type {
  CoreStatus,
  Member,
  Message,
  Output,
  PlanRef,
  PlanSpec,
  ReadyStatus,
  StartDecision,
} from '../barrier/mod.ts'
import { clientChannel, requestBudget } from './client.ts'
import { now } from './clock.ts'
import { type Carrier, Driver } from './driver.ts'
import { allMessages, MeshError } from './errors.ts'
import { Gate } from './gate.ts'
import { GossipTopic } from './gossip.ts'
import { keepJoining } from './join.ts'
import { limits, protocols } from './limits.ts'
import { type Node, startNode } from './node.ts'
import { Peers } from './peers.ts'
import { type Entry, Rendezvous, sealOf } from './rendezvous.ts'
import type { ClientChannel, Mesh, MeshEvent, MeshOptions, PeerInfo, RefuseReason } from './types.ts'
import { checkMessage, namePattern } from './wire.ts'

/** Joins the mesh of a run. Throws MeshError for bad options and where the node cannot listen. */
export async function createMesh(options: MeshOptions): Promise<Mesh> {
  if (!namePattern.test(options.name)) {
    throw new MeshError(
      'MESH_NAME',
      `"${options.name}" is no name for a peer: use letters, digits, ".", "_" and "-", at most 64`,
    )
  }
  if (!namePattern.test(options.runId)) {
    throw new MeshError(
      'MESH_RUN_ID',
      `"${options.runId}" is no run ID: use letters, digits, ".", "_" and "-", at most 64`,
    )
  }
  for (const address of [...options.listen, ...options.join]) checkAddress(address)
  const gate = new Gate(options.secret !== null)
  const node = await startNode(options, gate)
  const mesh = new RunningMesh(node, gate, options)
  try {
    await mesh.open()
  } catch (error) {
    await mesh.close()
    throw error
  }
  return mesh
}

function checkAddress(address: string): void {
  try {
    multiaddr(address)
  } catch (error) {
    throw new MeshError(
      'MESH_ADDRESS',
      `"${address}" is no multiaddr: write it like /ip4/192.0.2.7/tcp/4001 or /dns4/host.example/tcp/4001`,
      error,
    )
  }
}

class RunningMesh implements Mesh {
  readonly peerId: string
  readonly name: string
  readonly incarnation = randomBytes(8).toString('hex')
  readonly #node: Node
  readonly #options: MeshOptions
  readonly #peers: Peers
  readonly #driver: Driver | undefined
  #gossip: GossipTopic | undefined
  #rendezvous: Rendezvous | undefined
  readonly #listeners = new Set<(event: MeshEvent) => void>()
  #clientHandler: ((channel: ClientChannel) => void) | undefined
  #proposedHandler: (start: StartDecision) => Promise<void> = async () => undefined
  #clients = 0
  readonly #closing = new AbortController()
  readonly #refusedAt = new Map<string, number>()
  /** The core has left in order. */
  readonly #left = Promise.withResolvers<void>()
  /** What happened before anybody listened: for all who listen from the same moment on, so that nothing is missed. */
  #early: MeshEvent[] | undefined = []

  constructor(node: Node, gate: Gate, options: MeshOptions) {
    this.#node = node
    this.#options = options
    this.peerId = node.peerId.toString()
    this.name = options.name
    const { runId: run, name, role, version } = options
    const self = { run, name, incarnation: this.incarnation, role, version, runtime: runtimeName() }
    this.#peers = new Peers(node, gate, self, {
      onUp: (peer) => this.#onUp(peer),
      onDown: (peer) => this.#onDown(peer),
      onFrame: (peer, document, at, bytes) => this.#onFrame(peer, document, at, bytes),
      onHearsay: (peer) => this.#rendezvous?.lookFor(peer),
      onUnreachable: (peer) => this.#driver?.feed({ type: 'unreachable', peer }),
      onRefused: (reason, from, expected, got) => this.#refused(reason, from, expected, got),
    })
    const member: Member = { peer: this.peerId, name, incarnation: this.incarnation }
    if (role === 'agent') this.#driver = new Driver(member, this.#carrier())
  }

  async open(): Promise<void> {
    await this.#peers.open()
    if (this.#driver !== undefined) await this.#openAgent()
    await this.#openRendezvous()
    this.#meetDiscovered()
    if (this.#options.join.length > 0) void this.#join()
    if (this.#driver !== undefined) {
      this.#emit({ type: 'listening', addrs: this.addrs() })
      this.#driver.start()
    }
  }

  addrs(): readonly string[] {
    return this.#node.getMultiaddrs().map((address) => address.toString())
  }

  peers(): readonly PeerInfo[] {
    const { role, version } = this.#options
    const runtime = runtimeName()
    const { peerId, name, incarnation } = this
    const self: PeerInfo = { peerId, name, incarnation, role, version, runtime, addrs: this.addrs(), connected: true }
    return [self, ...this.#peers.list()]
  }

  status(): CoreStatus {
    return this.#agent().status()
  }

  onEvent(listener: (event: MeshEvent) => void): () => void {
    this.#listeners.add(listener)
    for (const event of this.#early ?? []) listener(event)
    queueMicrotask(() => {
      this.#early = undefined
    })
    return () => this.#listeners.delete(listener)
  }

  onProposed(handler: (start: StartDecision) => Promise<void>): void {
    this.#proposedHandler = handler
  }

  submit(spec: PlanSpec): void {
    this.#agent().feed({ type: 'submit', spec })
  }

  abort(reason: string): void {
    this.#agent().feed({ type: 'abort', reason })
  }

  ready(plan: PlanRef, sequence: number, status: ReadyStatus, payload: string): void {
    this.#agent().feed({ type: 'ready', plan, sequence, status, payload })
  }

  publishProgress(data: unknown): void {
    this.#gossip?.progress(data)
  }

  onClient(handler: (channel: ClientChannel) => void): void {
    this.#clientHandler = handler
  }

  async openClient(peerId: string, signal: AbortSignal, addrs: readonly string[] = []): Promise<ClientChannel> {
    try {
      const connection = await this.#peers.connect(peerId, addrs, signal)
      const stream = await connection.newStream(protocols.client, { signal })
      return clientChannel(stream, { peer: peerId, bytesMax: limits.clientFrameBytesMax })
    } catch (error) {
      throw new MeshError('MESH_CHANNEL', `Peer ${peerId} takes no requests: ${allMessages(error)}`, error)
    }
  }

  async leave(timeoutMs: number = limits.leaveMs): Promise<void> {
    if (this.#driver !== undefined && !this.#closing.signal.aborted) {
      this.#driver.feed({ type: 'leave' })
      await atMost(timeoutMs, this.#left.promise)
      await atMost(limits.streamOpenMs, this.#peers.flush())
    }
    await this.close()
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return
    this.#closing.abort()
    this.#driver?.stop()
    this.#peers.close()
    this.#gossip?.close()
    await this.#rendezvous?.close().catch(() => undefined)
    // libp2p waits for slow peers; what it has not closed by then ends with the process.
    await atMost(limits.leaveMs, this.#node.stop())
  }

  async #openAgent(): Promise<void> {
    this.#gossip = new GossipTopic(this.#node, this.#options.runId, this.incarnation, {
      onMessage: (from, incarnation, message, at) => this.#take(from, incarnation, message, at),
      onProgress: (from, incarnation, data) => this.#onProgress(from, incarnation, data),
      onRefused: (reason, from, expected, got) => this.#peers.refuse(from, reason, expected, got),
      knows: (peer, incarnation) => this.#peers.knows(peer, incarnation),
      guardOf: (peer) => this.#peers.guardOf(peer),
    })
    const bounds = { maxInboundStreams: limits.clientStreamsPerConnection }
    await this.#node.handle(
      protocols.client,
      (stream, connection) => this.#openChannel(stream, connection.remotePeer.toString()),
      bounds,
    )
  }

  #openChannel(stream: Stream, peer: string): void {
    // Given up while it was agreed on: its end was told already.
    if (stream.status !== 'open') return
    const handler = this.#clientHandler
    if (handler === undefined || this.#clients >= limits.clientsMax) {
      stream.abort(new Error('too many clients'))
      if (handler !== undefined) this.#refused('clients', peer, `at most ${limits.clientsMax} at once`, 'one more')
      return
    }
    this.#clients += 1
    stream.addEventListener('close', () => {
      this.#clients -= 1
    })
    const onRefused = (expected: string, got: string) => this.#peers.refuse(peer, 'request', expected, got)
    handler(clientChannel(stream, { peer, bytesMax: limits.requestBytesMax, budget: requestBudget(), onRefused }))
  }

  async #openRendezvous(): Promise<void> {
    const { rendezvousDir, runId, role, secret } = this.#options
    if (rendezvousDir === null) return
    const { peerId } = this
    // An entry never changes, and is found again every few seconds.
    const sealed = new WeakMap<Entry, boolean>()
    this.#rendezvous = new Rendezvous(rendezvousDir, runId, peerId, {
      onFound: (entry, count) => {
        const { peer, addrs, who, seal } = entry
        const isSealed = sealed.get(entry) ?? seal === sealOf(secret, peer)
        sealed.set(entry, isSealed)
        if (isSealed) this.#peers.meetHere(peer, addrs, who, count)
        else this.#peers.meet(peer, addrs)
      },
      onGone: (peer) => this.#peers.goneHere(peer),
    })
    const addrs = this.addrs().slice(0, limits.addressesMax)
    try {
      const own = { peer: peerId, addrs, who: this.#peers.identity(), seal: sealOf(secret, peerId) }
      await this.#rendezvous.open(role === 'agent' ? own : null)
    } catch (error) {
      const message =
        `Peers of this host cannot find each other at ${rendezvousDir} (${allMessages(error)}): ` +
        'name one with --join or --peer, or set TMPDIR to a folder of your own'
      this.#emit({ type: 'trouble', error: new MeshError('MESH_RENDEZVOUS', message, error) })
    }
  }

  /** Peers that multicast DNS finds on the local network. */
  #meetDiscovered(): void {
    this.#node.addEventListener('peer:discovery', ({ detail }) => {
      const addrs = detail.multiaddrs.map((address) => address.toString())
      if (addrs.length > 0) this.#peers.meet(detail.id.toString(), addrs)
    })
  }

  async #join(): Promise<void> {
    const events = {
      dial: (address: string) => this.#peers.join(address),
      isConnected: (peer: string) => this.#peers.list().some((one) => one.peerId === peer && one.connected),
      isSelf: (peer: string) => peer === this.peerId,
      onFailure: (address: string, error: unknown) =>
        this.#refused('join', address, 'a peer of this run', allMessages(error)),
    }
    await keepJoining(this.#options.join, events, this.#closing.signal)
  }

  #carrier(): Carrier {
    return {
      send: (to, message) => {
        if (!isForLinked(message) || this.#peers.isLinked(to)) this.#peers.send(to, message)
      },
      broadcast: (message) => this.#gossip?.message(message),
      probe: (peer) => void this.#peers.probe(peer),
      act: (output) => {
        // A listener may take its time, or wait for a start: others must not wait for what was sent before.
        this.#peers.writeOut()
        this.#act(output)
      },
      fault: (error) => this.#emit({ type: 'fault', error }),
    }
  }

  #act(output: Exclude<Output, { type: 'send' | 'broadcast' | 'probe' }>): void {
    this.#emit(output)
    if (output.type === 'plan_proposed') void this.#arm(output.decision)
    if (output.type === 'left') this.#left.resolve()
  }

  async #arm(start: StartDecision): Promise<void> {
    await Promise.allSettled([this.#proposedHandler(start)])
    this.#driver?.feed({ type: 'armed', plan: start.plan })
  }

  #onUp(peer: PeerInfo): void {
    this.#emit({ type: 'peer_joined', peer })
    if (peer.role !== 'agent') return
    const { peerId, name, incarnation } = peer
    this.#driver?.feed({ type: 'peer_up', member: { peer: peerId, name, incarnation } })
  }

  #onDown(peer: PeerInfo): void {
    this.#emit({ type: 'peer_left', peer: { ...peer, connected: false } })
    if (peer.role === 'agent') this.#driver?.feed({ type: 'peer_down', peer: peer.peerId })
  }

  #onFrame(peer: PeerInfo, document: unknown, at: number, bytes: number): void {
    const checked = checkMessage(document)
    if (!checked.ok) this.#peers.refuse(peer.peerId, 'malformed', 'a message of the protocol', checked.fault, bytes)
    else if (peer.role === 'agent') this.#take(peer.peerId, peer.incarnation, checked.value, at)
    else this.#peers.refuse(peer.peerId, 'role', 'agreement messages of agents', `${checked.value.type} of a client`)
  }

  #take(from: string, incarnation: string, message: Message, at: number): void {
    this.#driver?.feed({ type: 'message', from, incarnation, message }, at)
  }

  #onProgress(from: string, incarnation: string, data: unknown): void {
    const peer = this.#peers.list().find((one) => one.peerId === from && one.incarnation === incarnation)
    if (peer !== undefined) this.#emit({ type: 'agent_progress', from, name: peer.name, data })
  }

  /** At most one a second for the same reason and sender: a flood must not become a flood of log lines. */
  #refused(reason: RefuseReason, from: string, expected: string, got: string): void {
    const key = `${reason} ${from}`
    const at = now()
    if (at - (this.#refusedAt.get(key) ?? 0) < 1000) return
    if (this.#refusedAt.size > 1000) this.#refusedAt.clear()
    this.#refusedAt.set(key, at)
    this.#emit({ type: 'refused', reason, from, expected, got })
  }

  #emit(event: MeshEvent): void {
    if (this.#early !== undefined) this.#early.push(event)
    for (const listener of this.#listeners) listener(event)
  }

  #agent(): Driver {
    if (this.#driver === undefined) throw new MeshError('MESH_CLOSED', 'A client takes no part in plans')
    return this.#driver
  }
}

/**
 * No connection is made to say this. Who was never told anything learns of a leaving as of everything here: from others.
 * In an election without a plan silence is consent, and of many peers that start together several may stand.
 */
function isForLinked(message: Message): boolean {
  const { type } = message
  return type === 'leave' || ((type === 'prevote' || type === 'vote') && message.plan === null)
}

/** Waits for something, but no longer than so; leaves no timer behind that would keep the process. */
async function atMost(ms: number, something: Promise<void> | void): Promise<void> {
  const over = new AbortController()
  try {
    await Promise.race([something, sleep(ms, undefined, { signal: over.signal })])
  } finally {
    over.abort()
  }
}

/** "node 24.18.0" or "deno 2.9.6". */
function runtimeName(): string {
  const { deno } = process.versions
  return deno === undefined ? `node ${process.versions.node}` : `deno ${deno}`
}
