/** Where an `s3:` URI leads, and how keys are written in requests. Pure. */

import { IoError } from '../../errors.ts'
import { asFolder, parseUri } from '../../uri.ts'

export interface S3Place {
  /** `host:port` of a URI that names one (one endpoint of several); null: the configured endpoint. */
  readonly host: string | null
  readonly bucket: string
  /** Start of all keys: '' or with a slash at its end. */
  readonly prefix: string
}

/** What no bucket's name looks like: a port, or an IP address. */
const HOST = /^(?:[^/]+:\d{1,5}|\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-fA-F:]+\])$/
const BUCKET = /^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$/

/** Reads `s3://bucket/prefix/` and `s3://host:port/bucket/prefix/`. Throws IoError BAD_URI. */
export function parsePlace(uri: string): S3Place {
  const [first = '', ...rest] = parseUri(asFolder(uri)).path.split('/')
  const host = HOST.test(first) ? first : null
  const bucket = host === null ? first : (rest.shift() ?? '')
  if (!BUCKET.test(bucket)) {
    throw new IoError('BAD_URI', `Cannot use ${uri}: "${bucket}" is no bucket; expected is s3://bucket/prefix/`)
  }
  return { host, bucket, prefix: rest.join('/') }
}

/**
 * Base URL of an endpoint that a URI names: it is spoken to like the configured one, except for port 443. Throws IoError
 * BAD_URI.
 */
export function endpointFor(host: string, configured: string): string {
  const isSecure = host.endsWith(':443') || configured.startsWith('https://')
  const url = URL.parse(`${isSecure ? 'https' : 'http'}://${host}`)
  if (url === null) throw new IoError('BAD_URI', `Cannot use s3://${host}/: "${host}" is no host and port`)
  return url.origin
}

const PLAIN = /^[A-Za-z0-9_.~/-]*$/

/** As SigV4 and the wire want it: everything but unreserved characters and slashes in percents. */
export function encodeKey(key: string): string {
  return PLAIN.test(key) ? key : key.split('/').map(encodePart).join('/')
}

/** Slashes too. */
export function encodePart(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
}

/**
 * Keys have no folders, but what sits between here and the storage may resolve `..` in a path.
 * `path` begins with a slash. Throws IoError NOT_ALLOWED.
 */
export function checkPath(path: string): string {
  if (path.includes('/.') && /\/\.\.?(?:\/|$)/.test(path)) {
    throw new IoError('NOT_ALLOWED', `A key may not have parts named "." or "..": ${path}`)
  }
  return path
}
