/** Which places this node may touch. The operator decides, not the plan; paths are resolved before they are judged. */

import { lstatSync, readlinkSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { codeOf, IoError } from './errors.ts'
import type { Containment } from './types.ts'
import { isLocal, parseUri } from './uri.ts'

/** As many as Linux follows. */
const LINKS_MAX = 40

/**
 * Resolves the operator's `--allow` prefixes (URIs, or absolute paths); without any, a `paceline` folder in the temp
 * directory and one in the working directory. `file:` prefixes allow `direct:` too: it is the same storage.
 * Throws IoError BAD_URI for a prefix that cannot be read.
 */
export function resolveContainment(prefixes: readonly string[], allowExec: boolean): Containment {
  if (prefixes.length === 0) return { allow: defaultPrefixes(), allowExec }
  const allow = prefixes.map((prefix) => {
    const { scheme, path: place } = parseUri(prefix.startsWith('/') ? `file://${prefix}` : prefix)
    if (isLocal(scheme)) return `file://${resolvePath(place)}`
    return `${scheme}://${place.replace(/\/+$/, '')}`
  })
  return { allow, allowExec }
}

function defaultPrefixes(): string[] {
  const folders = [os.tmpdir(), process.cwd()].map((folder) => path.join(resolvePath(folder), 'paceline'))
  // The temp directory is shared: a link that somebody else put there must not widen what is allowed.
  return folders.filter((folder) => !isLink(folder)).map((folder) => `file://${folder}`)
}

function isLink(place: string): boolean {
  try {
    return lstatSync(place).isSymbolicLink()
  } catch {
    return false
  }
}

/** Where a path leads: links followed, `..` gone. Parts that do not exist yet are taken as they are. */
export function resolvePath(place: string): string {
  const parts = place.split('/').reverse()
  let current = '/'
  let links = 0
  for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
    if (part === '' || part === '.') continue
    if (part === '..') {
      current = path.dirname(current)
      continue
    }
    const next = current === '/' ? `/${part}` : `${current}/${part}`
    const target = linkTarget(next)
    if (target === null) {
      current = next
      continue
    }
    if (++links > LINKS_MAX) throw new IoError('BAD_URI', `Cannot use ${place}: too many symbolic links`)
    if (target.startsWith('/')) current = '/'
    parts.push(...target.split('/').reverse())
  }
  return current
}

function linkTarget(place: string): string | null {
  try {
    return readlinkSync(place)
  } catch (error) {
    // EINVAL: no link. Others (missing, forbidden) are for the one who opens it; there is nothing to follow here.
    // Deno's sandbox hides folders above those that its operator allowed, and judges links in them itself.
    const isHidden = error instanceof Error && error.name === 'NotCapable'
    if (codeOf(error) === '' && !isHidden) throw error
    return null
  }
}

/** True when a resolved absolute path is an allowed one or below it. */
function allowsPath(containment: Containment, resolved: string): boolean {
  return containment.allow.some((prefix) => {
    if (!prefix.startsWith('file://')) return false
    const root = prefix.slice('file://'.length)
    return root === '/' || resolved === root || resolved.startsWith(`${root}/`)
  })
}

/** Of the places named, those that may be touched: what a cleanup deletes is nowhere else, whatever was linked since. */
export function narrowed(containment: Containment, places: readonly string[]): Containment {
  const allow = places.filter((place) => !place.startsWith('file://') || allowsPath(containment, place.slice(7)))
  return { ...containment, allow, ownOnly: true }
}

/** Where a folder of a plan is now: links followed. Object stores have none. */
export function resolveUri(uri: string): string {
  const { scheme, path: place } = parseUri(uri)
  return isLocal(scheme) ? `file://${resolvePath(place)}` : uri
}

/** The allowed prefix (a path) that a resolved path is below, or null. */
export function allowedRoot(containment: Containment, resolved: string): string | null {
  for (const prefix of containment.allow) {
    if (!prefix.startsWith('file://')) continue
    if (allowsPath({ allow: [prefix], allowExec: false }, resolved)) return prefix.slice('file://'.length)
  }
  return null
}

/** Throws IoError NOT_ALLOWED, naming the flag that would allow it, or BAD_URI. `null:` touches nothing. */
export function checkAllowed(uri: string, containment: Containment): void {
  const { scheme, path: place } = parseUri(uri)
  if (scheme === 'null') return
  if (isLocal(scheme)) {
    const resolved = resolvePath(place)
    if (!allowsPath(containment, resolved)) throw refusal(uri, `file://${resolved}`, containment)
    return
  }
  // Object keys have no links, but `..` may be resolved by what sits between here and the storage.
  if (place.split('/').includes('..')) throw new IoError('NOT_ALLOWED', `${uri} is not allowed: it contains ".."`)
  const allowed = containment.allow.some((prefix) => {
    const root = prefix.startsWith(`${scheme}://`) ? prefix : null
    return root !== null && (root === `${scheme}://` || uri === root || uri.startsWith(`${root}/`))
  })
  if (!allowed) throw refusal(uri, uri.replace(/[^/]*[*?].*$/, ''), containment)
}

export function refusal(uri: string, place: string, { ownOnly = false }: Containment): IoError {
  const text = ownOnly
    ? `${uri} leads to ${place}, where this plan made nothing: a link was put there, and nothing is deleted`
    : `${uri} is outside of what this node may touch: start it with --allow ${place} to allow it`
  return new IoError('NOT_ALLOWED', text)
}

/** Throws IoError NOT_ALLOWED unless the operator allows commands. */
export function checkExecAllowed(command: string, containment: Containment): void {
  if (containment.allowExec) return
  throw new IoError('NOT_ALLOWED', `This node runs no commands (${command}): start it with --allow-exec to allow it`)
}
