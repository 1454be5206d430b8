/** YAML as plain values, with the place of each; bounded, so that no text can stand for more than it has room for. */

import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  Lexer,
  type LineCounter,
  type Pair,
  parseDocument,
} from 'yaml'
import type { PlanProblem } from './errors.ts'
import type { Path } from './schema-walk.ts'

type Place = Pick<PlanProblem, 'line' | 'column'>

export interface YamlText {
  readonly value: unknown
  readonly problems: readonly PlanProblem[]
  placeOf(path: Path, what: 'key' | 'value'): Place
}

const depthMax = 64
/** Values, those that aliases repeat included. */
const valuesMax = 100_000

/** Words, signs and spaces: counted before a tree is made of them, which takes a hundred times their memory. */
const lexemesMax = 200_000
/** More are not even counted. */
const problemsMax = 1000

const tooDeep = `lists and mappings are nested more than ${depthMax} deep`

export function readYaml(text: string, lines: LineCounter): YamlText {
  const excess = excessOf(text)
  if (excess !== null) return nothingRead(excess)
  // Duplicate keys are found here: the parser compares each key with each other.
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, version: '1.2', uniqueKeys: false })
  const reader = new Reader(document, lines)
  for (const { message, pos } of document.errors) {
    // The parser descends once for each level that indentation makes.
    const isDepth = /call stack|too much recursion/.test(message)
    reader.report(placeAt(lines, pos[0]), isDepth ? tooDeep : firstLine(message))
  }
  if (reader.problems.length > 0) return reader.done(undefined)
  const value = reader.read(document.contents, 0)
  if (reader.problems.length === 0 && !isMap(document.contents)) {
    const example = '"target: file:///tmp/paceline/x/"'
    reader.report({ line: 1, column: 1 }, `a plan is a mapping of keys to values, such as ${example}`)
  }
  return reader.done(value)
}

/** Why a text is not even parsed: it is made to take time or memory. */
function excessOf(text: string): (Place & { message: string }) | null {
  let [count, line, column, flow, inLine] = [0, 1, 1, 0, 0]
  for (const lexeme of new Lexer().lex(text)) {
    if (++count > lexemesMax) return { line, column, message: `more than ${lexemesMax} words and signs` }
    if (lexeme === '[' || lexeme === '{') flow += 1
    else if (lexeme === ']' || lexeme === '}') flow -= 1
    // Outside of brackets each of these opens a level: "- - a", "? ? a".
    else if (flow <= 0 && (lexeme === '-' || lexeme === '?' || lexeme === ':')) inLine += 1
    if (flow > depthMax || inLine > depthMax) return { line, column, message: tooDeep }
    if (lexeme.includes('\n')) [line, column, inLine] = [line + lexeme.split('\n').length - 1, 1, 0]
    else column += lexeme.length
  }
  return null
}

function nothingRead({ message, ...place }: Place & { message: string }): YamlText {
  return { value: undefined, problems: [{ ...place, message }], placeOf: () => place }
}

function placeAt(lines: LineCounter, offset: number): Place {
  const { line, col } = lines.linePos(offset)
  return { line: Math.max(1, line), column: Math.max(1, col) }
}

class Reader {
  readonly problems: PlanProblem[] = []
  readonly #document: Document.Parsed
  readonly #lines: LineCounter
  readonly #anchors = new Map<string, unknown>()
  readonly #targets = new Map<Alias, unknown>()
  #values = 0

  constructor(document: Document.Parsed, lines: LineCounter) {
    this.#document = document
    this.#lines = lines
  }

  report(place: Place, message: string): void {
    if (this.problems.length < problemsMax) this.problems.push({ ...place, message })
  }

  done(value: unknown): YamlText {
    return { value, problems: this.problems, placeOf: (path, what) => this.placeOf(path, what) }
  }

  #problem(node: unknown, message: string): undefined {
    this.report(this.#place(node), message)
    return undefined
  }

  /** Undefined for null. */
  read(node: unknown, depth: number): unknown {
    if (++this.#values > valuesMax) {
      // Once is enough.
      return this.#values === valuesMax + 1
        ? this.#problem(node, `more than ${valuesMax} values: aliases repeat too much`)
        : undefined
    }
    if (depth > depthMax) return this.#problem(node, tooDeep)
    if (isAlias(node)) return this.#alias(node, depth)
    if (isNode(node) && 'anchor' in node && node.anchor !== undefined) this.#anchors.set(node.anchor, node)
    if (isSeq(node)) return node.items.map((item) => this.read(item, depth + 1))
    if (isMap(node)) return this.#mapping(node.items, depth)
    return isScalar(node) && node.value !== null ? node.value : undefined
  }

  /** What the anchor of that name stood for last. */
  #alias(node: Alias, depth: number): unknown {
    const target = this.#anchors.get(node.source)
    if (target === undefined) return this.#problem(node, `alias *${node.source} stands for nothing`)
    this.#targets.set(node, target)
    return this.read(target, depth + 1)
  }

  #mapping(pairs: readonly Pair[], depth: number): Record<string, unknown> {
    // Without a prototype: no key means anything but itself.
    const result: Record<string, unknown> = Object.create(null)
    for (const { key, value } of pairs) {
      const name = isScalar(key) ? String(key.value) : ''
      if (!isScalar(key)) this.#problem(key, 'keys must be plain words')
      else if (Object.hasOwn(result, name)) this.#problem(key, `the key "${name}" is there twice`)
      else result[name] = this.read(value, depth + 1)
    }
    return result
  }

  /** The place of the innermost part of a path that is there. */
  placeOf(path: Path, what: 'key' | 'value'): Place {
    let node: unknown = this.#document.contents
    let place = this.#place(node)
    for (const [at, step] of path.entries()) {
      const inner = isAlias(node) ? this.#targets.get(node) : node
      const pair = isMap(inner) ? inner.items.find(({ key }) => isScalar(key) && String(key.value) === step) : undefined
      const item = pair?.value ?? (isSeq(inner) && typeof step === 'number' ? inner.items[step] : undefined)
      const isLast = at === path.length - 1
      node = item
      const shown = isLast && what === 'key' ? (pair?.key ?? item) : (item ?? pair?.key)
      if (shown === undefined) return place
      place = this.#place(shown)
    }
    return place
  }

  #place(node: unknown): Place {
    const range = isNode(node) ? node.range : undefined
    return placeAt(this.#lines, range?.[0] ?? 0)
  }
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? text
}
