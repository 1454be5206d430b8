/**
 * Server-sent events: whoever comes gets the newest of each kind at once, then again whenever it is another. Nothing is
 * queued: a browser that is slow skips what it missed, one that takes nothing for long is sent away.
 */

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Answer } from './server.ts'

export interface HubOptions<K extends string> {
  /** In the order in which they are sent. */
  readonly kinds: readonly K[]
  /** The newest document of a kind as JSON; null: there is none. Asked only while somebody looks, at most once a tick. */
  readonly document: (kind: K) => string | null
  /** A document that could not be made is left out. */
  readonly onDefect: (error: unknown) => void
  readonly tickMs: number
}

const CLIENTS_MAX = 32
/** Comments keep the connection open through whatever lies between. */
const HEARTBEAT_MS = 10_000
const STALLED_MS = 30_000
/** Browsers come back after so long. */
const RETRY_MS = 1000

interface Client<K extends string> {
  readonly response: ServerResponse
  /** Kinds of which it does not have the newest. */
  readonly stale: Set<K>
  writtenAt: number
  drainedAt: number
}

export class EventHub<K extends string> {
  readonly #options: HubOptions<K>
  readonly #clients = new Set<Client<K>>()
  #timer: NodeJS.Timeout | undefined

  constructor(options: HubOptions<K>) {
    this.#options = options
  }

  get clients(): number {
    return this.#clients.size
  }

  /** Takes over the response, or says why not. */
  connect(request: IncomingMessage, response: ServerResponse): Answer | null {
    if (this.#clients.size >= CLIENTS_MAX) {
      const headers = { 'retry-after': '10' }
      return { status: 503, type: 'text/plain; charset=utf-8', body: 'Too many are looking already\n', headers }
    }
    const headers = {
      'content-type': 'text/event-stream; charset=utf-8',
      'x-accel-buffering': 'no',
      connection: 'close',
    }
    response.writeHead(200, headers)
    if (request.method === 'HEAD') {
      response.end()
      return null
    }
    const now = performance.now()
    const client: Client<K> = { response, stale: new Set(this.#options.kinds), writtenAt: now, drainedAt: now }
    this.#clients.add(client)
    response.on('close', () => this.#leave(client))
    // What is shown live must not wait to fill a packet.
    request.socket.setNoDelay(true)
    // First: a client to which something was just written gets no more before the next tick.
    this.#tick()
    response.write(`retry: ${RETRY_MS}\n\n`)
    this.#timer ??= setInterval(() => this.#tick(), this.#options.tickMs)
    return null
  }

  /** There is a newer document of this kind. */
  changed(kind: K): void {
    for (const { stale } of this.#clients) stale.add(kind)
  }

  /** Sends what is new at once, then ends all streams. */
  close(): void {
    this.#tick()
    for (const client of [...this.#clients]) {
      client.response.end()
      this.#leave(client)
    }
  }

  #leave(client: Client<K>): void {
    this.#clients.delete(client)
    if (this.#clients.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #tick(): void {
    const texts = new Map<K, string>()
    for (const client of [...this.#clients]) this.#send(client, texts)
  }

  #send(client: Client<K>, texts: Map<K, string>): void {
    const { response, stale } = client
    const now = performance.now()
    if (response.writableLength > 0) {
      if (now - client.drainedAt > STALLED_MS) response.destroy()
      return
    }
    client.drainedAt = now
    for (const kind of this.#options.kinds) {
      if (!stale.delete(kind)) continue
      let text = texts.get(kind)
      if (text === undefined) {
        text = this.#text(kind)
        texts.set(kind, text)
      }
      if (text === '') continue
      response.write(text)
      client.writtenAt = now
    }
    if (now - client.writtenAt < HEARTBEAT_MS) return
    response.write(': still here\n\n')
    client.writtenAt = now
  }

  /** Empty where there is no document. Does not throw: this runs by a timer, and showing must not end the peer. */
  #text(kind: K): string {
    try {
      const document = this.#options.document(kind)
      return document === null ? '' : `event: ${kind}\ndata: ${document}\n\n`
    } catch (error) {
      this.#options.onDefect(error)
      return ''
    }
  }
}
