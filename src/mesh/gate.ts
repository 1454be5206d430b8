/** Who may connect: handshakes that fail are told of, those who misbehaved stay out, nobody takes more than his share. */

import type { Connection, ConnectionGater, ConnectionProtector, MultiaddrConnection } from '@libp2p/interface'
import { limits } from './limits.ts'
import type { RefuseReason } from './types.ts'

export interface GateEvents {
  isBanned(peer: string): boolean
  onRefused(reason: RefuseReason, from: string, expected: string, got: string): void
}

export class Gate {
  /** For libp2p, from its start on. */
  readonly gater: ConnectionGater = {
    // libp2p refuses to dial loopback and private addresses in some set-ups; here they are the rule.
    denyDialMultiaddr: () => false,
    denyInboundConnection: (raw) => {
      this.#watch(raw)
      return false
    },
    denyInboundEncryptedConnection: (peer, raw) => {
      this.#shaken.add(raw)
      return this.#events?.isBanned(peer.toString()) ?? false
    },
  }
  readonly #shaken = new WeakSet<MultiaddrConnection>()
  /** Those whose other side has begun a handshake. */
  readonly #begun = new WeakSet<object>()
  readonly #isPrivate: boolean
  #events: GateEvents | undefined
  /** Looks that a connection is there, while its peer has not said who it is. */
  readonly #ungreeted = new Map<Connection, number>()

  constructor(isPrivate: boolean) {
    this.#isPrivate = isPrivate
  }

  open(events: GateEvents): void {
    this.#events = events
  }

  /** Of connections to a private network: notes whose other side has said its part. */
  watched(protector: ConnectionProtector): ConnectionProtector {
    return {
      protect: async (raw, options) => {
        const sealed = await protector.protect(raw, options)
        this.#begun.add(raw)
        return sealed
      },
    }
  }

  onConnection(connection: Connection, ofSamePeer: number): void {
    const peer = connection.remotePeer.toString()
    if (ofSamePeer > limits.connectionsPerPeer) {
      this.#events?.onRefused('connections', peer, `at most ${limits.connectionsPerPeer} connections`, 'more')
      connection.abort(new Error('too many connections'))
    } else this.#ungreeted.set(connection, 0)
  }

  onClosed(connection: Connection): void {
    this.#ungreeted.delete(connection)
  }

  /** Closes connections whose peers do not say who they are. Called in turns. */
  look(isGreeted: (peer: string) => boolean): void {
    for (const [connection, looks] of this.#ungreeted) {
      const peer = connection.remotePeer.toString()
      if (isGreeted(peer)) this.#ungreeted.delete(connection)
      else if (looks < limits.helloLooks) this.#ungreeted.set(connection, looks + 1)
      else {
        this.#ungreeted.delete(connection)
        this.#events?.onRefused('hello', peer, 'a hello at once', 'a connection without one')
        connection.abort(new Error('no hello'))
      }
    }
  }

  #watch(raw: MultiaddrConnection): void {
    raw.addEventListener('close', (event) => {
      if (this.#shaken.has(raw)) return
      const error = 'error' in event && event.error instanceof Error ? event.error : undefined
      // Who only looks whether anybody listens here closes it again without a word.
      if (error === undefined && !this.#begun.has(raw)) return
      const got = error?.message ?? 'one that closed it again'
      const expected = this.#isPrivate ? 'a peer with the secret of this run' : 'a peer without a secret'
      this.#events?.onRefused('handshake', hostOf(raw), expected, got.slice(0, 300))
    })
  }
}

/** Without the port, which is another one each time. */
function hostOf(raw: MultiaddrConnection): string {
  return raw.remoteAddr.toString().replace(/\/tcp\/.*$/, '')
}
