/** What all must see: one signed topic a run. */

import { TopicValidatorResult } from '@chainsafe/libp2p-gossipsub'
import type { Message } from '../barrier/mod.ts'
import { limits } from './limits.ts'
import type { Node } from './node.ts'
import { checkGossip, type Gossip } from './wire.ts'

export interface GossipEvents {
  onMessage(from: string, incarnation: string, message: Message): void
  onProgress(from: string, incarnation: string, data: unknown): void
  onRefused(reason: string, from: string, expected: string, got: string): void
}

/** Only these are ever gossiped; anything else by gossip is refused. */
const gossiped: ReadonlySet<Message['type']> = new Set(['heartbeat', 'decided'])

export class GossipTopic {
  readonly #node: Node
  readonly #run: string
  readonly #incarnation: string
  readonly #topic: string
  readonly #encoder = new TextEncoder()
  #decided: Extract<Message, { type: 'decided' }> | undefined
  #decidedTimer: NodeJS.Timeout | undefined

  constructor(node: Node, run: string, incarnation: string, events: GossipEvents) {
    this.#node = node
    this.#run = run
    this.#incarnation = incarnation
    this.#topic = `/paceline/${run}/1`
    const { pubsub } = node.services
    pubsub.topicValidators.set(this.#topic, (from, message) => {
      const author = 'from' in message ? message.from.toString() : ''
      const checked = this.#check(message.data)
      if (author === '' || typeof checked === 'string') {
        events.onRefused(
          'gossip',
          author === '' ? from.toString() : author,
          'a signed message of this run',
          String(checked),
        )
        return TopicValidatorResult.Reject
      }
      return TopicValidatorResult.Accept
    })
    pubsub.addEventListener('message', ({ detail }) => {
      if (detail.topic !== this.#topic || !('from' in detail)) return
      const checked = this.#check(detail.data)
      if (typeof checked === 'string') return
      const from = detail.from.toString()
      if (checked.type === 'message') events.onMessage(from, checked.incarnation, checked.message)
      else events.onProgress(from, checked.incarnation, checked.data)
    })
    pubsub.subscribe(this.#topic)
  }

  message(message: Message): void {
    if (message.type === 'decided') this.#later(message)
    else this.#publish({ type: 'message', run: this.#run, incarnation: this.#incarnation, message })
  }

  close(): void {
    clearTimeout(this.#decidedTimer)
  }

  progress(data: unknown): void {
    this.#publish({ type: 'progress', run: this.#run, incarnation: this.#incarnation, data })
  }

  /** Off the way of a release; who misses an older decision learns by the newest that it is behind. */
  #later(message: Extract<Message, { type: 'decided' }>): void {
    this.#decided = message
    this.#decidedTimer ??= setTimeout(() => {
      this.#decidedTimer = undefined
      if (this.#decided === undefined) return
      this.#publish({ type: 'message', run: this.#run, incarnation: this.#incarnation, message: this.#decided })
    }, limits.decidedGossipMs)
  }

  #publish(document: Gossip): void {
    const data = this.#encoder.encode(JSON.stringify(document))
    // Gossip may be lost; what must arrive also goes by a stream.
    this.#node.services.pubsub.publish(this.#topic, data).catch(() => undefined)
  }

  /** The document, or why it is refused. */
  #check(data: Uint8Array): Gossip | string {
    if (data.length > limits.gossipBytesMax) return `${data.length} bytes`
    let document: unknown
    try {
      document = JSON.parse(new TextDecoder().decode(data))
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
