/** What all must see: one signed topic a run. */

import { TopicValidatorResult } from '@chainsafe/libp2p-gossipsub'
import type { Message } from '../barrier/mod.ts'
import { now } from './clock.ts'
import { watchGossip } from './gossip-watch.ts'
import type { Guard } from './guard.ts'
import { limits } from './limits.ts'
import { type Node, topicOf } from './node.ts'
import type { RefuseReason } from './types.ts'
import { checkGossip, type Gossip } from './wire.ts'

export interface GossipEvents {
  onMessage(from: string, incarnation: string, message: Message, at: number): void
  onProgress(from: string, incarnation: string, data: unknown): void
  onRefused(reason: RefuseReason, from: string, expected: string, got: string): void
  /** True for an agent of this run that is here, in this incarnation. */
  knows(peer: string, incarnation: string): boolean
  guardOf(peer: string): Guard | undefined
}

/** Only these are ever gossiped; anything else by gossip is refused. */
const gossiped: ReadonlySet<Message['type']> = new Set(['heartbeat', 'decided'])

type Draft = Gossip extends infer One
  ? One extends Gossip
    ? Omit<One, 'run' | 'incarnation' | 'number'>
    : never
  : never

export class GossipTopic {
  readonly #node: Node
  readonly #run: string
  readonly #incarnation: string
  readonly #topic: string
  readonly #events: GossipEvents
  readonly #encoder = new TextEncoder()
  #number = 0
  /** Of each author and incarnation the highest number seen: nobody counts on for another. */
  readonly #seen = new Map<string, number>()
  #decided: Extract<Message, { type: 'decided' }> | undefined
  #decidedTimer: NodeJS.Timeout | undefined

  constructor(node: Node, run: string, incarnation: string, events: GossipEvents) {
    this.#node = node
    this.#run = run
    this.#incarnation = incarnation
    this.#topic = topicOf(run)
    this.#events = events
    const { pubsub } = node.services
    watchGossip(pubsub, {
      admit: (source) => events.guardOf(source)?.messages.take() ?? true,
      onForged: (source, fault) => events.onRefused('gossip', source, 'a message signed by its author', fault),
      onFlood: (source) =>
        events.onRefused('rate', source, `at most ${limits.messagesPerSecond} messages a second`, 'more'),
    })
    pubsub.topicValidators.set(this.#topic, (source, message) => {
      // Its signature was good: the author is who it says it is.
      const author = 'from' in message ? message.from.toString() : source.toString()
      return this.#take(source.toString(), author, message.data)
    })
    pubsub.subscribe(this.#topic)
  }

  message(message: Message): void {
    if (message.type === 'decided') this.#later(message)
    else this.#publish({ type: 'message', message })
  }

  close(): void {
    clearTimeout(this.#decidedTimer)
  }

  progress(data: unknown): void {
    this.#publish({ type: 'progress', data })
  }

  /** Off the way of a release; who misses an older decision learns by the newest that it is behind. */
  #later(message: Extract<Message, { type: 'decided' }>): void {
    this.#decided = message
    this.#decidedTimer ??= setTimeout(() => {
      this.#decidedTimer = undefined
      if (this.#decided !== undefined) this.#publish({ type: 'message', message: this.#decided })
    }, limits.decidedGossipMs)
  }

  #publish(draft: Draft): void {
    this.#number += 1
    const document = { ...draft, run: this.#run, incarnation: this.#incarnation, number: this.#number }
    const data = this.#encoder.encode(JSON.stringify(document))
    // Gossip may be lost; what must arrive also goes by a stream.
    this.#node.services.pubsub.publish(this.#topic, data).catch(() => undefined)
  }

  /** Passes on what is good; refused is what its author should not have said, ignored what only comes too late. */
  #take(source: string, author: string, data: Uint8Array): TopicValidatorResult {
    const at = now()
    const gossip = this.#decode(data)
    if (typeof gossip === 'string') {
      this.#events.onRefused('gossip', author, 'a message of this run', gossip)
      return TopicValidatorResult.Reject
    }
    const { incarnation } = gossip
    if (!this.#events.knows(author, incarnation)) {
      this.#events.onRefused('stranger', author, 'an agent of this run that is here', `incarnation ${incarnation}`)
      return TopicValidatorResult.Ignore
    }
    const counted = `${author} ${incarnation}`
    const newest = this.#seen.get(counted) ?? 0
    if (gossip.number <= newest) {
      if (newest - gossip.number > limits.gossipLateMax) {
        this.#events.onRefused('replay', source, `gossip after number ${newest}`, `number ${gossip.number}`)
      }
      return TopicValidatorResult.Ignore
    }
    if (this.#events.guardOf(author)?.gossip.take() === false) {
      this.#events.onRefused('rate', author, `at most ${limits.gossipPerSecond} messages a second by gossip`, 'more')
      return TopicValidatorResult.Ignore
    }
    this.#remember(counted, gossip.number)
    if (gossip.type === 'message') this.#events.onMessage(author, incarnation, gossip.message, at)
    else this.#events.onProgress(author, incarnation, gossip.data)
    return TopicValidatorResult.Accept
  }

  #remember(counted: string, number: number): void {
    // The oldest are left out: of peers that went long ago.
    this.#seen.delete(counted)
    this.#seen.set(counted, number)
    for (const oldest of this.#seen.keys()) {
      if (this.#seen.size <= limits.peersMax) return
      this.#seen.delete(oldest)
    }
  }

  /** The document, or why it is refused. */
  #decode(data: Uint8Array): Gossip | string {
    if (data.length > limits.gossipBytesMax) return `${data.length} bytes`
    let document: unknown
    try {
      document = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(data))
    } catch {
      return 'no JSON text'
    }
    const checked = checkGossip(document)
    if (!checked.ok) return checked.fault
    if (checked.value.run !== this.#run) return `run ${checked.value.run}`
    if (checked.value.type === 'message' && !gossiped.has(checked.value.message.type)) return checked.value.message.type
    return checked.value
  }
}
