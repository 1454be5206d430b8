/** The YAML text of a plan: its nodes with their places, and everything that is wrong with it. */

import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type YAMLMap,
} from 'yaml'
import { nearestWord } from '../nearest.ts'
import { PlanError } from './errors.ts'

export const planBytesMax = 1024 * 1024

/** Problems shown at once. */
const problemsMax = 20

interface Problem {
  readonly line: number
  readonly column: number
  readonly message: string
}

/** Collects problems and notices of one text; `finish` throws them all at once. */
export class PlanSource {
  readonly root: Fields
  readonly #file: string
  readonly #lines: readonly string[]
  readonly #counter = new LineCounter()
  readonly #problems: Problem[] = []
  readonly notices: { readonly message: string }[] = []

  /** Throws PlanError when the text is no YAML mapping at all. */
  constructor(text: string, file: string) {
    this.#file = file
    this.#lines = text.split(/\r?\n/)
    if (Buffer.byteLength(text) > planBytesMax) {
      throw new PlanError('PLAN_TOO_LARGE', `${file}: a plan may have at most ${planBytesMax} bytes`)
    }
    const document = this.#parse(text)
    for (const error of document.errors) {
      const at = error.linePos?.[0] ?? { line: 1, col: 1 }
      this.#problems.push({ line: at.line, column: at.col, message: firstLine(error.message) })
    }
    this.finish()
    const { contents } = document
    if (!isMap(contents)) {
      this.problem(contents, 'a plan is a mapping of keys to values, such as "target: file:///tmp/paceline/x/"')
      this.finish()
    }
    this.root = new Fields(this, isMap(contents) ? contents : undefined, contents, '')
  }

  problem(node: Node | null | undefined, message: string): void {
    const { line, col } = this.#place(node)
    this.#problems.push({ line, column: col, message })
  }

  notice(node: Node | null | undefined, message: string): void {
    const { line, col } = this.#place(node)
    this.notices.push({ message: `${this.#file}:${line}:${col}: ${message}` })
  }

  /** Throws PlanError with every problem found so far. */
  finish(): void {
    if (this.#problems.length === 0) return
    const sorted = [...this.#problems].sort((a, b) => a.line - b.line || a.column - b.column)
    const shown = sorted.slice(0, problemsMax).map((problem) => this.#show(problem))
    const more = sorted.length - shown.length
    if (more > 0) shown.push(`... and ${more} more problems`)
    throw new PlanError('PLAN_INVALID', shown.join('\n'))
  }

  #parse(text: string): Document.Parsed {
    // Aliases are refused below: a few of them can stand for billions of values.
    return parseDocument(text, {
      lineCounter: this.#counter,
      uniqueKeys: true,
      prettyErrors: false,
      version: '1.2',
      merge: false,
    })
  }

  #place(node: Node | null | undefined): { line: number; col: number } {
    const at = this.#counter.linePos(node?.range?.[0] ?? 0)
    return { line: Math.max(1, at.line), col: Math.max(1, at.col) }
  }

  #show({ line, column, message }: Problem): string {
    const text = (this.#lines[line - 1] ?? '').replace(/\t/g, ' ').slice(0, 160)
    return `${this.#file}:${line}:${column}: ${message}\n    ${text}\n    ${' '.repeat(Math.min(column - 1, 160))}^`
  }
}

export interface Field {
  readonly key: string
  /** Full path, as "prepare.ensure_objects[0].count". */
  readonly path: string
  readonly node: Node
}

/** The keys of one mapping. Each is taken by who understands it; what is left over at the end is unknown. */
export class Fields {
  readonly node: Node | null | undefined
  readonly path: string
  readonly #source: PlanSource
  readonly #fields = new Map<string, { readonly field: Field; readonly keyNode: Node }>()
  readonly #asked = new Set<string>()

  constructor(source: PlanSource, map: YAMLMap | undefined, node: Node | null | undefined, path: string) {
    this.#source = source
    this.node = node
    this.path = path
    for (const pair of map?.items ?? []) this.#add(pair)
  }

  keys(): string[] {
    return [...this.#fields.keys()]
  }

  has(key: string): boolean {
    return this.#fields.has(key)
  }

  /** The field, or undefined where it is left out or null. */
  take(key: string): Field | undefined {
    this.#asked.add(key)
    const found = this.#fields.get(key)?.field
    return found !== undefined && isScalar(found.node) && found.node.value === null ? undefined : found
  }

  map(key: string): Fields | undefined {
    const field = this.take(key)
    return field === undefined ? undefined : this.#mapOf(field.node, field.path)
  }

  /** Mappings of a list. */
  maps(key: string): Fields[] {
    return this.items(key).flatMap(({ node, path }) => this.#mapOf(node, path) ?? [])
  }

  items(key: string): Field[] {
    const field = this.take(key)
    if (field === undefined) return []
    if (!isSeq(field.node)) {
      this.#source.problem(field.node, `${field.path} must be a list`)
      return []
    }
    return field.node.items.flatMap((item, at) => {
      const path = `${field.path}[${at}]`
      if (isAlias(item)) this.#source.problem(item, `${path}: aliases are not allowed in plans`)
      return isScalar(item) || isMap(item) || isSeq(item) ? [{ key, path, node: item }] : []
    })
  }

  /** A scalar read by `parse`; `fallback` where it is left out or (after a problem) wrong. */
  value<T, F>(key: string, parse: (value: unknown) => T | undefined, expected: string, fallback: F): T | F {
    const field = this.take(key)
    if (field === undefined) return fallback
    const raw = isScalar(field.node) ? field.node.value : undefined
    const parsed = raw === undefined ? undefined : parse(raw)
    if (parsed !== undefined) return parsed
    const got = isScalar(field.node) ? JSON.stringify(field.node.value) : isMap(field.node) ? 'a mapping' : 'a list'
    this.#source.problem(field.node, `${field.path} must be ${expected}, not ${got}`)
    return fallback
  }

  /** Keys that are known elsewhere: says what will not happen. */
  unsupported(keys: Readonly<Record<string, string>>): void {
    for (const [key, consequence] of Object.entries(keys)) {
      this.#asked.add(key)
      const found = this.#fields.get(key)
      if (found !== undefined) this.#source.notice(found.keyNode, `${this.#full(key)}: ${consequence}`)
    }
  }

  /** Every key that nobody asked for is a problem. */
  close(): void {
    for (const [key, { keyNode }] of this.#fields) {
      if (this.#asked.has(key)) continue
      const known = nearestWord(key, [...this.#asked])
      const hint =
        known === undefined ? `; known here: ${[...this.#asked].sort().join(', ')}` : `; did you mean "${known}"?`
      this.#source.problem(keyNode, `unknown key "${this.#full(key)}"${hint}`)
    }
  }

  #full(key: string): string {
    return this.path === '' ? key : `${this.path}.${key}`
  }

  #mapOf(node: Node, path: string): Fields | undefined {
    if (isMap(node)) return new Fields(this.#source, node, node, path)
    this.#source.problem(node, `${path} must be a mapping of keys to values`)
    return undefined
  }

  #add(pair: Pair): void {
    const { key, value } = pair
    if (!isScalar(key)) {
      this.#source.problem(this.node, 'keys must be plain words')
      return
    }
    const name = String(key.value)
    if (isAlias(value)) {
      this.#source.problem(value, `${this.#full(name)}: aliases are not allowed in plans`)
      return
    }
    if (isScalar(value) || isMap(value) || isSeq(value)) {
      this.#fields.set(name, { keyNode: key, field: { key: name, path: this.#full(name), node: value } })
    }
  }
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? text
}
