/** What goes out to peers: a message to many is encoded once, and what one peer gets in a turn leaves together. */

import { encodeFrame } from './frames.ts'
import { limits } from './limits.ts'
import type { Link } from './link.ts'
import type { PeerRecord } from './records.ts'

export class Outbox {
  /** Links with frames that are not written yet. */
  readonly #waiting = new Set<Link>()
  /** The last message: one to all members is encoded once. */
  #encoded: { readonly document: unknown; readonly frame: Uint8Array } | undefined

  /** False where there is no link: the message waits for one to a peer that is present, and is lost to any other. */
  send(record: PeerRecord, document: unknown): boolean {
    const link = record.link?.open ? record.link : undefined
    if (link === undefined && !record.present) return false
    if (this.#encoded === undefined || this.#encoded.document !== document) {
      this.#encoded = { document, frame: encodeFrame(document) }
    }
    const { frame } = this.#encoded
    if (link !== undefined) this.#sendOver(link, record, frame)
    else if (record.unsent.length < limits.unsentMax) record.unsent.push(frame)
    return link !== undefined
  }

  /** It is linked now. */
  sendUnsent(record: PeerRecord, link: Link): void {
    for (const frame of record.unsent.splice(0)) this.#sendOver(link, record, frame)
  }

  /** Writes what was sent since the last turn of the event loop, a packet a peer. */
  writeOut(): void {
    for (const link of this.#waiting) link.flush()
    this.#waiting.clear()
  }

  #sendOver(link: Link, record: PeerRecord, frame: Uint8Array): void {
    record.tending.sent = true
    if (!link.send(frame)) return
    if (this.#waiting.size === 0) queueMicrotask(() => this.writeOut())
    this.#waiting.add(link)
  }
}
