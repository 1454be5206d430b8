/** Keeps one peer from costing more than its share: a token bucket, and a count of what was refused. */

import { now } from './clock.ts'
import { limits } from './limits.ts'

export class Guard {
  #tokens: number = limits.messageBurst
  #filledAt = now()
  #refusals = 0

  /** Takes one message from the budget. */
  admit(): boolean {
    const at = now()
    const filled = this.#tokens + ((at - this.#filledAt) / 1000) * limits.messagesPerSecond
    this.#tokens = Math.min(limits.messageBurst, filled)
    this.#filledAt = at
    if (this.#tokens < 1) return false
    this.#tokens -= 1
    return true
  }

  /** Counts a refusal; true when it was one too many. */
  refuse(): boolean {
    this.#refusals += 1
    return this.#refusals > limits.refusalsMax
  }
}
