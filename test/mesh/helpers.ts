/** Peers of the mesh in this process, a folder of their own to find each other, and waiting for what they say. */

import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createMesh, type Mesh, type MeshEvent, type MeshOptions } from '../../src/mesh/mod.ts'

const WAIT_MS = 30_000

/** One peer with everything it has said. */
export class TestPeer {
  readonly mesh: Mesh
  readonly events: MeshEvent[] = []
  readonly #watchers = new Set<() => void>()

  constructor(mesh: Mesh) {
    this.mesh = mesh
    mesh.onEvent((event) => {
      this.events.push(event)
      for (const look of [...this.#watchers]) look()
    })
  }

  get name(): string {
    return this.mesh.name
  }

  /** An address with the peer ID. */
  get address(): string {
    const [address] = this.mesh.addrs()
    if (address === undefined) throw new Error(`${this.name} does not listen`)
    return address
  }

  of<T extends MeshEvent['type']>(type: T): Extract<MeshEvent, { type: T }>[] {
    return this.events.filter((event): event is Extract<MeshEvent, { type: T }> => event.type === type)
  }

  /** Names of the peers that are connected now. */
  connected(): string[] {
    return this.mesh
      .peers()
      .slice(1)
      .filter((peer) => peer.connected)
      .map((peer) => peer.name)
      .sort()
  }

  /** Resolves once the condition holds; looked at after each event. */
  async until(what: string, holds: () => boolean, timeoutMs = WAIT_MS): Promise<void> {
    if (holds()) return
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const timer = setTimeout(() => {
      const last = this.events.slice(-12).map((event) => JSON.stringify(event))
      reject(new Error(`${this.name} waited in vain until ${what}\n${last.join('\n')}`))
    }, timeoutMs)
    const look = () => {
      if (holds()) resolve()
    }
    this.#watchers.add(look)
    try {
      await promise
    } finally {
      clearTimeout(timer)
      this.#watchers.delete(look)
    }
  }

  async untilRefused(reason: string, timeoutMs = WAIT_MS): Promise<Extract<MeshEvent, { type: 'refused' }>> {
    const found = () => this.of('refused').find((event) => event.reason === reason)
    await this.until(`"${reason}" is refused`, () => found() !== undefined, timeoutMs)
    const event = found()
    if (event === undefined) throw new Error('unreachable')
    return event
  }
}

/** The peers of one test. */
export class World implements AsyncDisposable {
  readonly runId = `t-${randomBytes(6).toString('hex')}`
  readonly folder: string
  readonly peers: TestPeer[] = []

  constructor(folder: string) {
    this.folder = folder
  }

  static async create(): Promise<World> {
    return new World(await mkdtemp(path.join(tmpdir(), 'paceline-mesh-')))
  }

  get rendezvousDir(): string {
    return path.join(this.folder, 'peers')
  }

  async peer(name: string, options: Partial<MeshOptions> = {}): Promise<TestPeer> {
    const mesh = await createMesh({
      runId: this.runId,
      name,
      listen: [],
      join: [],
      secret: null,
      insecure: false,
      mdns: false,
      rendezvousDir: this.rendezvousDir,
      role: 'agent',
      version: '0.0.0',
      ...options,
    })
    const peer = new TestPeer(mesh)
    this.peers.push(peer)
    return peer
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.peers.map(({ mesh }) => mesh.close()))
    await rm(this.folder, { recursive: true, force: true })
  }
}

/** Every peer is connected to every other one. */
export async function met(peers: readonly TestPeer[], timeoutMs = WAIT_MS): Promise<void> {
  const names = peers.map(({ name }) => name)
  await Promise.all(
    peers.map((peer) =>
      peer.until(
        `it has met ${names.join(', ')}`,
        () => names.every((name) => name === peer.name || peer.connected().includes(name)),
        timeoutMs,
      ),
    ),
  )
}

/** One of them leads, and all know it. */
export async function led(peers: readonly TestPeer[]): Promise<void> {
  const leaders = () => new Set(peers.map(({ mesh }) => mesh.status().leader?.name))
  const agreed = () => leaders().size === 1 && !leaders().has(undefined)
  // Whoever learns it last has the event.
  await Promise.race(peers.map((peer) => peer.until('one leads them all', agreed)))
}
