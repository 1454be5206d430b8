/** Connections to one S3 endpoint: as many as there are requests under way. */

import { Client } from 'undici'
import { IoError } from '../../errors.ts'
import { Operation, type OperationHost, type S3Request, type S3Response } from './operation.ts'
import { RepeatBudget } from './repeats.ts'
import { readCertificates, type S3Settings } from './settings.ts'
import { Signer } from './signer.ts'

/** A connection that nobody uses is closed after this. */
const KEEP_ALIVE_MS = 60_000
const CONNECT_MS = 10_000
/** Without a limit for whole operations: how long an answer may make no progress. */
const STALL_MS = 60_000
/** Deadlines are looked after this often, at most and at least. */
const SWEEP_MS_MAX = 100
const SWEEP_MS_MIN = 5
/** What tidies up after a cancellation. */
const LAST_WORDS_MS = 500

export interface EndpointOptions {
  readonly url: string
  readonly settings: S3Settings
  /** For one operation, repeated attempts included; null: no limit but for answers that make no progress. */
  readonly timeoutMs: number | null
  readonly onRepeat: (isThrottle: boolean) => void
}

export class S3Endpoint implements OperationHost {
  readonly attemptsMax: number
  readonly #options: EndpointOptions
  readonly #origin: string
  /** Path that comes before the bucket. */
  readonly #base: string
  readonly #signer: Signer
  readonly #ca: string | null
  readonly #idle: Client[] = []
  readonly #underWay = new Set<Operation>()
  readonly #budget = new RepeatBudget()
  #sweep: ReturnType<typeof setInterval> | null = null
  #isCancelled = false

  /** Throws IoError BAD_URI where the certificates to trust cannot be read. */
  constructor(options: EndpointOptions) {
    const { origin, pathname, host } = new URL(options.url)
    const { credentials, region, attempts } = options.settings
    this.#options = options
    this.#origin = origin
    this.#base = pathname === '/' ? '' : pathname.replace(/\/$/, '')
    this.#signer = new Signer(credentials, region, host)
    this.#ca = readCertificates(options.settings, origin)
    this.attemptsMax = attempts
  }

  get url(): string {
    return this.#options.url
  }

  /** Operations under way. */
  get active(): number {
    return this.#underWay.size
  }

  /** When an operation that starts now must be over. */
  deadline(): number {
    const { timeoutMs } = this.#options
    return timeoutMs === null ? Number.POSITIVE_INFINITY : performance.now() + timeoutMs
  }

  /** Resolves with a success; rejects with an IoError. */
  request(request: S3Request): Promise<S3Response> {
    return new Promise((resolve, reject) => {
      if (this.#isCancelled && request.isLast !== true) {
        reject(cancelled())
        return
      }
      const deadline =
        request.isLast === true ? performance.now() + LAST_WORDS_MS : (request.deadline ?? this.deadline())
      const operation = new Operation(request, deadline, this, resolve, reject)
      this.#underWay.add(operation)
      if (deadline !== Number.POSITIVE_INFINITY) this.#sweep ??= this.#startSweep()
      operation.start()
    })
  }

  #startSweep(): ReturnType<typeof setInterval> {
    const share = (this.#options.timeoutMs ?? LAST_WORDS_MS) / 10
    const timer = setInterval(() => this.#cutLate(), Math.min(SWEEP_MS_MAX, Math.max(SWEEP_MS_MIN, share)))
    timer.unref()
    return timer
  }

  #cutLate(): void {
    const now = performance.now()
    const { timeoutMs } = this.#options
    for (const operation of this.#underWay) {
      if (operation.deadline > now) continue
      operation.cut(new IoError('TIMED_OUT', `no complete answer within ${timeoutMs ?? LAST_WORDS_MS} ms`))
    }
  }

  /** Cuts off what is under way; nothing new is begun but what tidies up. */
  cancel(): void {
    this.#isCancelled = true
    for (const operation of this.#underWay) if (operation.request.isLast !== true) operation.cut(cancelled())
  }

  close(): void {
    this.cancel()
    for (const operation of this.#underWay) operation.cut(cancelled())
    if (this.#sweep !== null) clearInterval(this.#sweep)
    for (const client of this.#idle.splice(0)) drop(client)
  }

  take(): Client {
    return this.#idle.pop() ?? this.#connect()
  }

  giveBack(client: Client, isClean: boolean): void {
    if (isClean) this.#idle.push(client)
    else drop(client)
  }

  #connect(): Client {
    const stall = this.#options.timeoutMs === null ? STALL_MS : 0
    return new Client(this.#origin, {
      pipelining: 1,
      keepAliveTimeout: KEEP_ALIVE_MS,
      headersTimeout: stall,
      bodyTimeout: stall,
      connect: { timeout: CONNECT_MS, ...(this.#ca === null ? {} : { ca: this.#ca }) },
    })
  }

  /** The path of a request as it is sent. */
  pathOf(path: string): string {
    return this.#base + path
  }

  headersFor({ method, path, query }: S3Request): string[] {
    return this.#signer.sign(method, path, query)
  }

  redact(text: string): string {
    const { accessKeyId, secretAccessKey, sessionToken } = this.#options.settings.credentials
    const secrets = [secretAccessKey, accessKeyId, sessionToken ?? '']
    return secrets.reduce((rest, secret) => (secret === '' ? rest : rest.replaceAll(secret, '***')), text)
  }

  mayRepeat(isTimeout: boolean): boolean {
    return !this.#isCancelled && this.#budget.take(isTimeout)
  }

  onRepeat(isThrottle: boolean): void {
    this.#options.onRepeat(isThrottle)
  }

  onEnd(operation: Operation, isPlainSuccess: boolean): void {
    this.#underWay.delete(operation)
    if (isPlainSuccess) this.#budget.give()
  }
}

function drop(client: Client): void {
  // It may have failed already: then there is nothing left to do.
  client.destroy().catch(() => {})
}

function cancelled(): IoError {
  return new IoError('CANCELLED', 'the stage was cancelled')
}
