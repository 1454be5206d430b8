/** The log of operations: what lanes write down, as a table in one zstd frame. One file a plan. */

import { createWriteStream } from 'node:fs'
import { finished, pipeline } from 'node:stream/promises'
import { constants, createZstdCompress } from 'node:zlib'
import { messageOf } from './errors.ts'
import type { OpLogLink } from './lanes/jobs.ts'
import { OP_COLUMNS } from './lanes/op-rows.ts'

/** Fast: it takes less time than making the text. */
const ZSTD = { params: { [constants.ZSTD_c_compressionLevel]: 1, [constants.ZSTD_c_checksumFlag]: 1 } }

export class OpLog {
  readonly #counter = new SharedArrayBuffer(8)
  #file = 'no file'
  readonly #compress = createZstdCompress(ZSTD)
  readonly #ended: Promise<void>
  #failure: unknown = null

  /** `file` must not exist, its folder must. Null: what lanes write down goes nowhere. */
  constructor(file: string | Promise<string | null>) {
    this.#ended = this.#writeTo(file).catch((error) => {
      this.#failure = error
    })
    this.#compress.write(`${OP_COLUMNS.join('\t')}\n`)
  }

  async #writeTo(given: string | Promise<string | null>): Promise<void> {
    const file = await given
    if (file !== null) {
      this.#file = file
      await pipeline(this.#compress, createWriteStream(file, { flags: 'wx' }))
    } else await finished(this.#compress.resume())
  }

  /** For one thread. */
  link(): OpLogLink {
    return { counter: this.#counter, pending: new SharedArrayBuffer(4) }
  }

  /** Lines from the thread that has this link. It may send more once they are written, or cannot be. */
  take(lines: string, { pending }: OpLogLink): void {
    const count = new Int32Array(pending)
    const done = (): void => {
      Atomics.sub(count, 0, 1)
      Atomics.notify(count, 0)
    }
    if (this.#failure === null) this.#compress.write(lines, done)
    else done()
  }

  /** Lets the file have what was written so far. Returns why it cannot, or null. */
  async flush(): Promise<string | null> {
    if (this.#failure === null) {
      const flushed = new Promise<void>((resolve) => this.#compress.flush(resolve))
      await Promise.race([flushed, this.#ended])
    }
    return this.#trouble()
  }

  /** Returns why the file is not whole, or null. */
  async close(): Promise<string | null> {
    this.#compress.end()
    await this.#ended
    return this.#trouble()
  }

  #trouble(): string | null {
    if (this.#failure === null) return null
    return `Operations are not all logged in ${this.#file}: ${messageOf(this.#failure)}`
  }
}
