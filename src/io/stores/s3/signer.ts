/**
 * Signature version 4, with everything that does not change from request to request kept. Payloads are not signed:
 * hashing them would cost more than sending them, and a load generator gains nothing by it.
 */

import { createHmac, hash } from 'node:crypto'
import type { S3Credentials } from './settings.ts'

const UNSIGNED = 'UNSIGNED-PAYLOAD'
const ALGORITHM = 'AWS4-HMAC-SHA256'
const BLOCK_BYTES = 64
const DIGEST_BYTES = 32
/** Longest text that a key signs here: a string to sign has some 140 characters. */
const TEXT_BYTES_MAX = 512

/** HMAC-SHA256 with one key: two one-shot hashes are a tenth of what an `Hmac` object costs. */
class KeyedHash {
  readonly #inner = Buffer.alloc(BLOCK_BYTES + TEXT_BYTES_MAX)
  readonly #outer = Buffer.alloc(BLOCK_BYTES + DIGEST_BYTES)

  /** `key`: at most a block long. */
  constructor(key: Buffer) {
    for (let i = 0; i < BLOCK_BYTES; i++) {
      this.#inner[i] = 0x36 ^ (key[i] ?? 0)
      this.#outer[i] = 0x5c ^ (key[i] ?? 0)
    }
  }

  /** `text`: ASCII. */
  hex(text: string): string {
    const length = this.#inner.write(text, BLOCK_BYTES, 'latin1')
    const digest = hash('sha256', this.#inner.subarray(0, BLOCK_BYTES + length), 'buffer')
    this.#outer.set(digest, BLOCK_BYTES)
    return hash('sha256', this.#outer, 'hex')
  }
}

/** Signs requests to one host. */
export class Signer {
  readonly #credentials: S3Credentials
  readonly #region: string
  readonly #signedHeaders: string
  readonly #host: string
  readonly #token: string
  #second = -1
  #date = ''
  #day = ''
  #scope = ''
  #canonicalTail = ''
  #authorizationHead = ''
  #key: KeyedHash | null = null

  /** `host` as it is sent. */
  constructor(credentials: S3Credentials, region: string, host: string) {
    this.#credentials = credentials
    this.#region = region
    this.#host = host
    const { sessionToken } = credentials
    this.#token = sessionToken === null ? '' : `x-amz-security-token:${sessionToken}\n`
    this.#signedHeaders = `host;x-amz-content-sha256;x-amz-date${sessionToken === null ? '' : ';x-amz-security-token'}`
  }

  /** Headers of a request, names and values in turn. `path` and `query` are encoded; the query's keys are sorted. */
  sign(method: string, path: string, query: string, at = Date.now()): string[] {
    const second = Math.floor(at / 1000)
    if (second !== this.#second) this.#moveTo(second)
    this.#key ??= this.#keyFor(this.#day)
    const canonical = hash('sha256', `${method}\n${path}\n${query}\n${this.#canonicalTail}`, 'hex')
    const signature = this.#key.hex(`${ALGORITHM}\n${this.#date}\n${this.#scope}\n${canonical}`)
    const headers = [
      'x-amz-content-sha256',
      UNSIGNED,
      'x-amz-date',
      this.#date,
      'authorization',
      this.#authorizationHead + signature,
    ]
    const { sessionToken } = this.#credentials
    if (sessionToken !== null) headers.push('x-amz-security-token', sessionToken)
    return headers
  }

  #moveTo(second: number): void {
    this.#second = second
    this.#date = new Date(second * 1000).toISOString().replace(/[-:]|\.\d{3}/g, '')
    const day = this.#date.slice(0, 8)
    if (day !== this.#day) this.#key = null
    this.#day = day
    this.#scope = `${day}/${this.#region}/s3/aws4_request`
    this.#canonicalTail =
      `host:${this.#host}\nx-amz-content-sha256:${UNSIGNED}\nx-amz-date:${this.#date}\n${this.#token}\n` +
      `${this.#signedHeaders}\n${UNSIGNED}`
    this.#authorizationHead =
      `${ALGORITHM} Credential=${this.#credentials.accessKeyId}/${this.#scope}, ` +
      `SignedHeaders=${this.#signedHeaders}, Signature=`
  }

  #keyFor(day: string): KeyedHash {
    const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest()
    const date = hmac(`AWS4${this.#credentials.secretAccessKey}`, day)
    return new KeyedHash(hmac(hmac(hmac(date, this.#region), 's3'), 'aws4_request'))
  }
}
