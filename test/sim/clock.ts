/** A host's own clock: off by some time, fast or slow, and now and then it jumps ahead. It never falls. */

export class Clock {
  #since = 0
  #base: number
  #rate: number
  jumped = false

  constructor(offsetMs: number, rate: number) {
    this.#base = offsetMs
    this.#rate = rate
  }

  /** Own time at a moment of the simulation, ms. */
  at(time: number): number {
    return this.#base + (time - this.#since) * this.#rate
  }

  /** The moment of the simulation at which this clock will show `own`. */
  when(own: number): number {
    return this.#since + (own - this.#base) / this.#rate
  }

  jump(time: number, byMs: number): void {
    this.#base = this.at(time) + byMs
    this.#since = time
    this.jumped = true
  }

  drift(time: number, rate: number): void {
    this.#base = this.at(time)
    this.#since = time
    this.#rate = rate
  }
}
