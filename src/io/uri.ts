/** Target URIs. Paths are kept as written: `file:///a%20b` means a folder named `a%20b`, as its peers read it. */

import { IoError } from './errors.ts'

export type Scheme = 'file' | 'direct' | 's3' | 'null'

const SCHEMES: readonly string[] = ['file', 'direct', 's3', 'null']

export interface TargetUri {
  readonly scheme: Scheme
  /** `file`, `direct`: an absolute path. `s3`: `bucket/key` or `host:port/bucket/key`. `null`: anything. */
  readonly path: string
}

/** Throws IoError BAD_URI for other schemes, relative paths, NUL characters and s3 URIs without a bucket. */
export function parseUri(uri: string): TargetUri {
  const match = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/s.exec(uri)
  const scheme = match?.[1]
  const path = match?.[2]
  if (scheme === undefined || path === undefined || !isScheme(scheme)) {
    throw new IoError(
      'BAD_URI',
      `Cannot use ${uri}: a target is file:///path, direct:///path, s3://bucket/prefix or null://`,
    )
  }
  if (path.includes('\0')) throw new IoError('BAD_URI', 'Cannot use a URI that contains a NUL character')
  if ((scheme === 'file' || scheme === 'direct') && !path.startsWith('/')) {
    throw new IoError(
      'BAD_URI',
      `Cannot use ${uri}: the path must be absolute (${scheme}:///${path.replace(/^\.?\/*/, '')})`,
    )
  }
  if (scheme === 's3' && path.replace(/^\/+/, '') === '')
    throw new IoError('BAD_URI', `Cannot use ${uri}: it names no bucket`)
  return { scheme, path }
}

function isScheme(text: string): text is Scheme {
  return SCHEMES.includes(text)
}

/** True for storage that is reached through files. */
export function isLocal(scheme: Scheme): boolean {
  return scheme === 'file' || scheme === 'direct'
}

/** With exactly one slash at its end. */
export function asFolder(uri: string): string {
  return uri.endsWith('/') ? uri : `${uri}/`
}

/** Splits after the last slash of the path: `['file:///a/', 'b']`. */
export function splitName(uri: string): readonly [string, string] {
  const start = uri.indexOf('://') + 3
  const cut = Math.max(uri.lastIndexOf('/') + 1, start)
  return [uri.slice(0, cut), uri.slice(cut)]
}
