/** Memory for bodies under way: used again and again, no more of it than operations at the same time need. */

import { CHUNK_BYTES, PAGE_BYTES } from '../../limits.ts'

export class BodyBuffers {
  readonly #free: Buffer[] = []

  /** At least `bytes` long, which may be CHUNK_BYTES at most. */
  take(bytes: number): Buffer {
    const free = this.#free.pop()
    if (free !== undefined && free.length >= bytes) return free
    // Objects of a stage are of similar sizes: a power of two is soon large enough for all.
    const length = Math.min(CHUNK_BYTES, Math.max(PAGE_BYTES, 2 ** Math.ceil(Math.log2(Math.max(1, bytes)))))
    return Buffer.allocUnsafeSlow(length)
  }

  giveBack(buffer: Buffer): void {
    this.#free.push(buffer)
  }
}
