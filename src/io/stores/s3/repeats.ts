/**
 * How much one client may repeat, as the AWS clients reckon: a storage that is down or overloaded gets no multiple of
 * the load. Pure.
 */

const TOKENS_MAX = 500
const COST = 5
const TIMEOUT_COST = 10
const REFUND = 1

export class RepeatBudget {
  #tokens = TOKENS_MAX

  /** False when nothing may be repeated now. */
  take(isTimeout: boolean): boolean {
    const cost = isTimeout ? TIMEOUT_COST : COST
    if (this.#tokens < cost) return false
    this.#tokens -= cost
    return true
  }

  /** After an operation that needed no repetition. */
  give(): void {
    this.#tokens = Math.min(TOKENS_MAX, this.#tokens + REFUND)
  }
}
