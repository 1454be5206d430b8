/** Intended starts of a rate-controlled lane: they do not wait for the storage, so that slow answers are not hidden. */

import type { Random } from '../random.ts'
import type { RateSpec } from '../types.ts'

export class Pacer {
  /** Between two operations of this lane on average, ms. */
  readonly #intervalMs: number
  readonly #arrivals: RateSpec['arrivals']
  readonly #random: Random
  #next: number

  /** `share` of the rate is this lane's; `phase` (0..1) spreads the lanes over the first interval. */
  constructor(
    rate: RateSpec & { opsPerSecond: number },
    lanes: number,
    phase: number,
    startAt: number,
    random: Random,
  ) {
    this.#intervalMs = (1000 * lanes) / rate.opsPerSecond
    this.#arrivals = rate.arrivals
    this.#random = random
    this.#next = startAt + (rate.arrivals === 'fixed' ? this.#intervalMs * phase : this.#gap())
  }

  /** When the next operation should start, lane's clock, ms. */
  next(): number {
    const at = this.#next
    this.#next += this.#arrivals === 'fixed' ? this.#intervalMs : this.#gap()
    return at
  }

  #gap(): number {
    const u = this.#random.fraction()
    if (this.#arrivals === 'uniform') return 2 * u * this.#intervalMs
    return -Math.log(1 - u) * this.#intervalMs
  }
}
