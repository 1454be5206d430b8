/** What the mesh offers to the command line. No libp2p type appears here. */

import type { CoreStatus, Output, PlanRef, PlanSpec, ReadyStatus, StartDecision } from '../barrier/mod.ts'
import type { MeshError } from './errors.ts'

export interface MeshOptions {
  readonly runId: string
  /** This peer's name; must be a plain file name (it becomes a folder in the results). */
  readonly name: string
  /** Multiaddrs to listen on; empty: loopback port 0, or all interfaces when there is a secret or `insecure`. */
  readonly listen: readonly string[]
  readonly join: readonly string[]
  /** Pre-shared key file content (libp2p pnet, /key/swarm/psk/1.0.0/ format); null for none. */
  readonly secret: Uint8Array | null
  readonly insecure: boolean
  readonly mdns: boolean
  /** Folder in which peers of one host find each other; null switches it off. */
  readonly rendezvousDir: string | null
  /** `agent`: runs plans. `client`: submit, status, abort: never votes, never on a roster. */
  readonly role: 'agent' | 'client'
  readonly version: string
}

export interface PeerInfo {
  readonly peerId: string
  readonly name: string
  readonly incarnation: string
  readonly role: 'agent' | 'client'
  readonly version: string
  /** For people: "node 24.18.0", "deno 2.9.6". */
  readonly runtime: string
  readonly addrs: readonly string[]
  readonly connected: boolean
}

/** Why something was refused before it reached the core; docs/troubleshooting.md explains each. */
export type RefuseReason =
  | 'clients'
  | 'connections'
  | 'frame'
  | 'gossip'
  | 'handshake'
  | 'hello'
  | 'join'
  | 'malformed'
  | 'rate'
  | 'replay'
  | 'request'
  | 'role'
  | 'stranger'

/** Outputs of the core that concern the command line, and what the mesh itself has to say. */
export type MeshEvent =
  | Exclude<Output, { type: 'send' | 'broadcast' | 'probe' }>
  | { readonly type: 'listening'; readonly addrs: readonly string[] }
  | { readonly type: 'peer_joined'; readonly peer: PeerInfo }
  | { readonly type: 'peer_left'; readonly peer: PeerInfo }
  /** A message refused before it reached the core: forged, malformed, too large, too many, wrong run. */
  | {
      readonly type: 'refused'
      readonly reason: RefuseReason
      readonly from: string
      readonly expected: string
      readonly got: string
    }
  /** Gossip of another agent's stage progress (opaque to the mesh), at most one a second and agent. */
  | { readonly type: 'agent_progress'; readonly from: string; readonly name: string; readonly data: unknown }
  /** Something cannot be had here; the rest of the mesh works. */
  | { readonly type: 'trouble'; readonly error: MeshError }
  /** The core broke an invariant: this peer takes no part in anything any more. */
  | { readonly type: 'fault'; readonly error: Error }

/** One request of a client to a node: JSON documents both ways on one libp2p stream. */
export interface ClientChannel {
  readonly peer: string
  /** Sends one document; rejects when the other side is gone. Waits when the other side is slow. */
  send(document: unknown): Promise<void>
  /** Documents of the other side, until it closes. */
  readonly documents: AsyncIterable<unknown>
  close(): Promise<void>
}

export interface Mesh {
  readonly peerId: string
  readonly name: string
  readonly incarnation: string
  addrs(): readonly string[]
  /** Known peers of this run, self first. */
  peers(): readonly PeerInfo[]
  status(): CoreStatus
  /**
   * Events in the order in which they happened; the listener must not throw. Returns a function that ends it. What
   * happened before the first listener came is told to all that are added in the same turn of the event loop.
   */
  onEvent(listener: (event: MeshEvent) => void): () => void
  /**
   * Role agent: called when the start of a plan is proposed to this peer, which accepts it once the promise resolves (never
   * mind how). At once where there is no handler.
   */
  onProposed(handler: (start: StartDecision) => Promise<void>): void
  submit(spec: PlanSpec): void
  abort(reason: string): void
  ready(plan: PlanRef, sequence: number, status: ReadyStatus, payload: string): void
  publishProgress(data: unknown): void
  /** Role agent: called for each client stream. */
  onClient(handler: (channel: ClientChannel) => void): void
  /**
   * Role client: opens a request to one peer; `addrs`: where it is, when this mesh has not met it. Throws MeshError with
   * code `MESH_CHANNEL` when it cannot be reached.
   */
  openClient(peerId: string, signal: AbortSignal, addrs?: readonly string[]): Promise<ClientChannel>
  /** Leaves in order, for which it waits at most `timeoutMs` (a leader hands over), then closes everything. */
  leave(timeoutMs?: number): Promise<void>
  /** Closes everything at once. */
  close(): Promise<void>
}
