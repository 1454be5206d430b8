/** How many errors a workload puts up with, counted over all lanes of the stage on this agent. */

import type { ErrorLimitSpec } from '../types.ts'
import { CONTROL } from './board.ts'

export class ErrorLimits {
  readonly #spec: ErrorLimitSpec
  readonly #control: Int32Array
  readonly #startAt: number

  /** `startAt` of the stage, in the clock that `count` is told, ms. */
  constructor(spec: ErrorLimitSpec, control: Int32Array, startAt: number) {
    this.#spec = spec
    this.#control = control
    this.#startAt = startAt
  }

  /** Counts an error at `at`. Returns how long the lane is to pause, ms; 'stop' for the end of the stage. */
  count(at: number): number | 'stop' {
    const { total, perSecond, windowMs, backoffMs } = this.#spec
    if (total !== null && Atomics.add(this.#control, CONTROL.ERRORS, 1) + 1 >= total) return 'stop'
    if (perSecond === null) return 0
    const window = Math.floor((at - this.#startAt) / windowMs)
    const before = Atomics.exchange(this.#control, CONTROL.ERROR_WINDOW, window)
    if (before !== window) Atomics.store(this.#control, CONTROL.WINDOW_ERRORS, 0)
    const errors = Atomics.add(this.#control, CONTROL.WINDOW_ERRORS, 1) + 1
    return errors >= (perSecond * windowMs) / 1000 ? backoffMs : 0
  }
}
