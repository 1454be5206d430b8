/** `s3:` for one stage on one thread: stores by base URI, connections by endpoint. */

import { BodyBuffers } from './buffers.ts'
import { S3Endpoint } from './endpoint.ts'
import { endpointFor, parsePlace } from './place.ts'
import type { S3Settings } from './settings.ts'
import { S3Store } from './store.ts'

export interface S3Options {
  readonly settings: S3Settings
  /** For one operation; null: no limit but for answers that make no progress. */
  readonly timeoutMs: number | null
  readonly onRepeat: (isThrottle: boolean) => void
}

export class S3Client {
  readonly #options: S3Options
  readonly #endpoints = new Map<string, S3Endpoint>()
  readonly #buffers = new BodyBuffers()
  #isCancelled = false

  constructor(options: S3Options) {
    this.#options = options
  }

  /** Touches no storage. Throws IoError BAD_URI. */
  open(base: string): S3Store {
    return new S3Store(base, this.#endpointOf(base), this.#buffers)
  }

  /** Ends what is under way, and everything that comes later. */
  cancel(): void {
    this.#isCancelled = true
    for (const endpoint of this.#endpoints.values()) endpoint.cancel()
  }

  close(): void {
    for (const endpoint of this.#endpoints.values()) endpoint.close()
    this.#endpoints.clear()
  }

  #endpointOf(base: string): S3Endpoint {
    const { host } = parsePlace(base)
    const { settings } = this.#options
    const url = host === null ? settings.endpoint : endpointFor(host, settings.endpoint)
    let endpoint = this.#endpoints.get(url)
    if (endpoint === undefined) {
      endpoint = new S3Endpoint({ ...this.#options, url })
      if (this.#isCancelled) endpoint.cancel()
      this.#endpoints.set(url, endpoint)
    }
    return endpoint
  }
}
