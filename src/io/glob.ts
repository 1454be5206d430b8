/**
 * Patterns over object names. As in object stores, `*` matches any characters, slashes included, so `data/*` is
 * everything below `data/`. `?` is one character, a doubled star with a slash also matches no folder at all. Pure.
 */

import { splitName } from './uri.ts'

export interface Pattern {
  /** The part before the first wildcard, cut after its last slash: where a listing starts. */
  readonly folder: string
  /** Matches the rest of a name below `folder`. */
  readonly rest: RegExp
  /** True when there is no wildcard and no folder at the end: one object. */
  readonly single: boolean
}

/** Reads `file:///a/b*`, `file:///a/` (all below) or `file:///a/b` (one object). */
export function parsePattern(uri: string): Pattern {
  const wild = uri.search(/[*?]/)
  const [folder] = splitName(wild === -1 ? uri : uri.slice(0, wild))
  const rest = uri.slice(folder.length)
  if (rest === '') return { folder, rest: /^/, single: false }
  return { folder, rest: globToRegExp(rest), single: wild === -1 }
}

export function globToRegExp(glob: string): RegExp {
  // Longest first: "**/" may match nothing. Runs of stars are one star, so that matching cannot explode.
  const tokens = glob.match(/\*\*\/|\*+|\?|[^*?]+/g) ?? []
  const source = tokens.map((token) => {
    if (token === '**/') return '(?:.*/)?'
    if (token.startsWith('*')) return '.*'
    if (token === '?') return '[^/]'
    return token.replace(/[.+^${}()|[\]\\]/g, '\\$&')
  })
  return new RegExp(`^${source.join('')}$`, 's')
}
