/** Keeps one peer from costing more than its share: budgets that fill up again, and a count of what was refused. */

import { now } from './clock.ts'
import { limits } from './limits.ts'

/** A token bucket. */
export class Budget {
  readonly #perSecond: number
  readonly #burst: number
  #left: number
  #filledAt = now()

  constructor(perSecond: number, burst: number) {
    this.#perSecond = perSecond
    this.#burst = burst
    this.#left = burst
  }

  /** False, and nothing is taken, when there is not enough. */
  take(amount = 1): boolean {
    const at = now()
    this.#left = Math.min(this.#burst, this.#left + ((at - this.#filledAt) / 1000) * this.#perSecond)
    this.#filledAt = at
    if (this.#left < amount) return false
    this.#left -= amount
    return true
  }
}

export class Guard {
  /** Everything that the peer sends, or passes on for others. */
  readonly messages = new Budget(limits.messagesPerSecond, limits.messageBurst)
  readonly bytes = new Budget(limits.bytesPerSecond, limits.bytesBurst)
  /** Its own gossip. */
  readonly gossip = new Budget(limits.gossipPerSecond, limits.gossipBurst)
  readonly #refusals = new Budget(limits.refusalsForgivenPerSecond, limits.refusalsMax)
  #bannedUntil = 0

  /** Counts a refusal, of a message of so many bytes; true when it was one too many. */
  refuse(bytes = 0): boolean {
    if (this.#refusals.take(1 + bytes / limits.refusedBytesPerRefusal)) return false
    this.#bannedUntil = now() + limits.banMs
    return true
  }

  get banned(): boolean {
    return now() < this.#bannedUntil
  }
}
