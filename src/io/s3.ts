/** The way to S3 for everything that is not a lane. Loaded when it is needed: most plans are on files. */

import type { S3Client } from './stores/s3/mod.ts'
import type { S3Settings } from './stores/s3/settings.ts'

/** One request of a validation. */
const PROBE_MS = 10_000

export function isOnS3(uri: string): boolean {
  return uri.startsWith('s3:')
}

/** `endpoint`: the operator's; null: as the environment says. Throws IoError NO_CREDENTIALS or BAD_URI. */
export async function readSettings(endpoint: string | null): Promise<S3Settings> {
  const { readS3Settings } = await import('./stores/s3/settings.ts')
  return readS3Settings(endpoint, process.env)
}

/** For what is asked beside the lanes. Close it. */
export async function openS3(settings: S3Settings, timeoutMs: number | null): Promise<S3Client> {
  const { S3Client } = await import('./stores/s3/mod.ts')
  return new S3Client({ settings, timeoutMs, onRepeat: () => {} })
}

/** Checks places on S3 one after another; an abort ends it. */
export class S3Probe {
  readonly #endpoint: string | null
  readonly #name: string
  readonly #signal: AbortSignal
  #client: S3Client | null = null
  readonly #onAbort = (): void => this.#client?.cancel()

  /** `name`: of the object that is written and deleted. */
  constructor(endpoint: string | null, name: string, signal: AbortSignal) {
    this.#endpoint = endpoint
    this.#name = name
    this.#signal = signal
    signal.addEventListener('abort', this.#onAbort, { once: true })
  }

  /** Throws IoError: no credentials, no bucket, access denied, nobody there. */
  async check(folder: string, writes: boolean): Promise<void> {
    this.#client ??= await openS3(await readSettings(this.#endpoint), PROBE_MS)
    this.#signal.throwIfAborted()
    const { probe } = await import('./stores/s3/probe.ts')
    await probe(this.#client.open(folder), writes, this.#name)
  }

  close(): void {
    this.#signal.removeEventListener('abort', this.#onAbort)
    this.#client?.close()
  }
}
