/** What went wrong with a request, as stable codes and sentences. Pure. */

import { codeOf, IoError, type IoErrorCode, messageOf } from '../../errors.ts'
import { parseFault } from './xml.ts'

const MESSAGE_CHARS_MAX = 200

/** Answers that ask to come again later, whatever their status. */
const THROTTLES = new Set(['SlowDown', 'SlowDownRead', 'SlowDownWrite', 'Throttling', 'RequestLimitExceeded'])

/** Of HTTP; S3 itself is never full, other storage that speaks S3 is. */
const INSUFFICIENT_STORAGE = 507

/** What to do about answers that people meet first. */
const HINTS: Readonly<Record<string, string>> = {
  NoSuchBucket: 'create the bucket, or correct its name',
  InvalidAccessKeyId: 'check the access key',
  SignatureDoesNotMatch: 'check the secret key',
  RequestTimeTooSkewed: "set this machine's clock",
  AuthorizationHeaderMalformed: 'check the region (AWS_REGION)',
  PermanentRedirect: 'check the region and the endpoint',
  ExpiredToken: 'get new credentials: the session token has expired',
}

/** An answer that is not a success. `text`: its body. */
export function answerError(status: number, text: string): IoError {
  const fault = text === '' ? null : parseFault(text)
  const code = fault?.code ?? ''
  const what = code === '' ? `${status}` : `${status} ${code}`
  const hint = HINTS[code]
  const advice = hint === undefined ? '' : `: ${hint}`
  const words = clean(fault?.message ?? '')
  if (status === 404) {
    const thing = code === 'NoSuchBucket' ? 'the bucket does not exist' : 'does not exist'
    return new IoError('NOT_FOUND', `${thing} (${what})${advice}`)
  }
  const kind = kindOf(status, code)
  const told = hint === undefined && words !== '' ? `: ${words}` : advice
  return new IoError(kind, `${SENTENCES[kind]} (${what})${told}`)
}

const SENTENCES = {
  FORBIDDEN: 'access was denied',
  NO_SPACE: 'the storage is full',
  THROTTLED: 'the storage was too busy',
  STORE_REFUSED: 'the storage answered with an error',
} as const

function kindOf(status: number, code: string): keyof typeof SENTENCES {
  if (isThrottle(status, code)) return 'THROTTLED'
  if (status === INSUFFICIENT_STORAGE) return 'NO_SPACE'
  return status === 401 || status === 403 ? 'FORBIDDEN' : 'STORE_REFUSED'
}

export function isThrottle(status: number, code = ''): boolean {
  return status === 503 || status === 429 || THROTTLES.has(code)
}

/** Answers that the same request may not get again. */
export function isPassing(status: number): boolean {
  return status === 500 || status === 502 || status === 504 || status === 408 || isThrottle(status)
}

/** Names of the codes that connections fail with, for people. */
const TRANSPORT: Readonly<Record<string, readonly [IoErrorCode, string]>> = {
  ECONNREFUSED: ['CONNECTION_LOST', 'nothing listens there'],
  ECONNRESET: ['CONNECTION_LOST', 'the connection was reset'],
  EPIPE: ['CONNECTION_LOST', 'the connection was closed'],
  UND_ERR_SOCKET: ['CONNECTION_LOST', 'the connection was closed'],
  EHOSTUNREACH: ['CONNECTION_LOST', 'the host cannot be reached'],
  ENETUNREACH: ['CONNECTION_LOST', 'the network cannot be reached'],
  ETIMEDOUT: ['CONNECTION_LOST', 'the connection timed out'],
  UND_ERR_CONNECT_TIMEOUT: ['CONNECTION_LOST', 'no connection within 10 s'],
  ENOTFOUND: ['CONNECTION_LOST', 'the host name is unknown'],
  EAI_AGAIN: ['CONNECTION_LOST', 'the host name cannot be looked up now'],
  UND_ERR_HEADERS_TIMEOUT: ['TIMED_OUT', 'no answer in time'],
  UND_ERR_BODY_TIMEOUT: ['TIMED_OUT', 'the answer stalled'],
}

/** A request that got no complete answer. */
export function transportError(error: unknown): IoError {
  if (error instanceof IoError) return error
  const code = transportCode(error)
  const [kind, words] = TRANSPORT[code] ?? ['CONNECTION_LOST', clean(messageOf(error))]
  return new IoError(kind, code === '' ? words : `${words} (${code})`)
}

/** Connections that were never made: nothing was sent. */
export function isUnconnected(error: unknown): boolean {
  return /^(ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|UND_ERR_CONNECT_TIMEOUT)$/.test(
    transportCode(error),
  )
}

/** The code of the first cause that has one: attempts at several addresses fail together. */
function transportCode(error: unknown): string {
  const own = codeOf(error)
  if (own !== '' && own !== 'UND_ERR_SOCKET') return own
  const inner = error instanceof AggregateError ? error.errors[0] : error instanceof Error ? error.cause : undefined
  const cause = codeOf(inner)
  return cause === '' ? own : cause
}

/** One line of what a server says, not too long. */
function clean(text: string): string {
  return text.replace(/\s+/g, ' ').trim().slice(0, MESSAGE_CHARS_MAX)
}
