/**
 * Patterns over object names. As in object stores, `*` matches any characters, slashes included, so `data/*` is
 * everything below `data/`. `?` is one character, a doubled star with a slash also matches no folder at all. Matching
 * takes time that grows with the lengths of pattern and name, whatever a plan has written. Pure.
 */

import { splitName } from './uri.ts'

export interface Pattern {
  /** The part before the first wildcard, cut after its last slash: where a listing starts. */
  readonly folder: string
  /** Matches the rest of a name below `folder`. */
  readonly rest: Matcher
  /** True when there is no wildcard and no folder at the end: one object. */
  readonly single: boolean
}

export interface Matcher {
  test(name: string): boolean
}

/** Reads `file:///a/b*`, `file:///a/` (all below) or `file:///a/b` (one object). */
export function parsePattern(uri: string): Pattern {
  const wild = uri.search(/[*?]/)
  const [folder] = splitName(wild === -1 ? uri : uri.slice(0, wild))
  const rest = uri.slice(folder.length)
  if (rest === '') return { folder, rest: /^/, single: false }
  return { folder, rest: compileGlob(rest), single: wild === -1 }
}

export function compileGlob(glob: string): Matcher {
  // Any folders and then anything are anything; runs of stars are one.
  const plain = glob.replace(/(?:\*\*\/)+(?!\*\*\/)\*+|\*{3,}/g, '*').replace(/(?:\*\*\/)+/g, '**/')
  const tokens: readonly string[] = plain.match(/\*\*\/|\*+|\?|[^*?]+/g) ?? []
  return tokens.includes('**/') ? new Simulation(tokens) : toRegExp(tokens)
}

/**
 * Where a star is followed by more, the first place at which the text up to the next star fits is as good as any later
 * one: a lookahead finds it, and is not gone back into.
 */
function toRegExp(tokens: readonly string[]): RegExp {
  const parts = ['']
  for (const token of tokens) {
    if (token.startsWith('*')) parts.push('')
    else parts[parts.length - 1] += token === '?' ? '[^/]' : token.replace(/[.+^${}()|[\]\\]/g, '\\$&')
  }
  const [first = '', ...others] = parts
  const last = others.pop()
  const middle = others.map((part, at) => `(?=(.*?${part}))\\${at + 1}`)
  return new RegExp(`^${first}${middle.join('')}${last === undefined ? '' : `.*${last}`}$`, 's')
}

/** `char` and `one` take a character; `star` any number; `folders` none, or what its `within` takes up to a slash. */
type Step = { readonly kind: 'char'; readonly text: string } | { readonly kind: 'one' | 'star' | 'folders' | 'within' }

/** All ways to match at once, a character at a time. */
class Simulation implements Matcher {
  readonly #steps: readonly Step[]

  constructor(tokens: readonly string[]) {
    this.#steps = tokens.flatMap((token): Step[] => {
      if (token === '**/') return [{ kind: 'folders' }, { kind: 'within' }]
      if (token.startsWith('*')) return [{ kind: 'star' }]
      return token === '?' ? [{ kind: 'one' }] : token.split('').map((text) => ({ kind: 'char', text }))
    })
  }

  test(name: string): boolean {
    let active = new Set<number>()
    this.#enter(active, 0)
    for (const text of name.split('')) {
      const next = new Set<number>()
      for (const at of active) this.#take(next, at, text)
      active = next
    }
    return active.has(this.#steps.length)
  }

  #take(next: Set<number>, at: number, text: string): void {
    const step = this.#steps[at]
    if (step?.kind === 'star' || step?.kind === 'within') this.#enter(next, at)
    const isTaken = step?.kind === 'char' ? step.text === text : step?.kind === 'one' ? text !== '/' : false
    if (isTaken || (step?.kind === 'within' && text === '/')) this.#enter(next, at + 1)
  }

  /** A step, and those that follow without a character. */
  #enter(active: Set<number>, at: number): void {
    if (active.has(at)) return
    active.add(at)
    const kind = this.#steps[at]?.kind
    if (kind === 'star' || kind === 'folders') this.#enter(active, at + 1)
    if (kind === 'folders') this.#enter(active, at + 2)
  }
}
