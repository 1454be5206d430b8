/** Notices that this process stood still: it was stopped, or had no CPU. Its lanes stood still as well. Pure. */

/** Timers may be late by less than this on a machine that is merely busy, ms. */
const STALL_MIN_MS = 1500

export class StallMeter {
  #last: number
  #total = 0

  constructor(startedAt: number) {
    this.#last = startedAt
  }

  /** To be called often. `at`: ms. */
  tick(at: number): void {
    const gap = at - this.#last
    if (gap > STALL_MIN_MS) this.#total += gap
    this.#last = at
  }

  get totalMs(): number {
    return this.#total
  }
}
