/** The text of a plan: what it says, where it says it, and everything that is wrong with it. */

import { LineCounter } from 'yaml'
import { PlanError, type PlanErrorCode, type PlanProblem } from './errors.ts'
import type { Path } from './schema-walk.ts'
import { readYaml, type YamlText } from './yaml.ts'

export const planBytesMax = 1024 * 1024

/** Problems shown at once. */
const problemsMax = 20
const lineCharsMax = 160
/** Messages repeat what was written. */
const messageCharsMax = 1000

/** Collects problems and notices of one text; `finish` throws all problems at once. */
export class PlanSource {
  /** The document as plain values; keys without a value are there, and undefined. */
  readonly value: unknown
  readonly notices: { readonly message: string }[] = []
  readonly #file: string
  readonly #lines: readonly string[]
  readonly #yaml: YamlText
  readonly #problems: PlanProblem[] = []

  /** Throws PlanError when the text is too large, or no YAML. */
  constructor(text: string, file: string) {
    this.#file = file
    this.#lines = text.split(/\r?\n/)
    if (Buffer.byteLength(text) > planBytesMax) {
      throw new PlanError('PLAN_TOO_LARGE', `${file}: a plan may have at most ${planBytesMax} bytes`)
    }
    this.#yaml = readYaml(text, new LineCounter())
    this.#problems.push(...this.#yaml.problems)
    this.finish('PLAN_SYNTAX')
    this.value = this.#yaml.value
  }

  /** Whether a key was written, be it without a value. */
  has(path: Path): boolean {
    let value = this.value
    for (const key of path) {
      if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return false
      value = (value as Readonly<Record<PropertyKey, unknown>>)[key]
    }
    return true
  }

  /** What is wrong with the value at a path. */
  problem(path: Path, message: string): void {
    this.#problems.push({ ...this.#yaml.placeOf(path, 'value'), message: sentence(path, message) })
  }

  /** What is wrong with the key at a path, whatever its value. */
  keyProblem(path: Path, message: string): void {
    this.#problems.push({ ...this.#yaml.placeOf(path, 'key'), message })
  }

  /** What will not be done, or otherwise than the plan's author may think. */
  notice(path: Path, message: string): void {
    const { line, column } = this.#yaml.placeOf(path, 'key')
    this.notices.push({ message: `${this.#file}:${line}:${column}: ${printable(sentence(path, `: ${message}`))}` })
  }

  /** Throws PlanError with every problem found so far. */
  finish(code: PlanErrorCode = 'PLAN_INVALID'): void {
    if (this.#problems.length === 0) return
    const sorted = [...this.#problems].sort((a, b) => a.line - b.line || a.column - b.column)
    const shown = sorted.slice(0, problemsMax).map((problem) => this.#show(problem))
    const more = sorted.length - shown.length
    if (more > 0) shown.push(`... and ${more} more problems`)
    throw new PlanError(code, shown.join('\n'), { problems: sorted })
  }

  /** The offending line, cut to what fits around the column. */
  #show({ line, column, message }: PlanProblem): string {
    const whole = withoutControls(this.#lines[line - 1] ?? '')
    const from = column > lineCharsMax ? column - lineCharsMax / 2 : 0
    const text = whole.slice(from, from + lineCharsMax)
    return `${this.#file}:${line}:${column}: ${printable(message)}\n    ${text}\n    ${' '.repeat(column - 1 - from)}^`
  }
}

/** Path of a key as people read it: `prepare.ensure_objects[0].count`. */
export function pathText(path: Path): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`
    return text === '' ? String(key) : `${text}.${String(key)}`
  }, '')
}

function sentence(path: Path, message: string): string {
  const where = pathText(path)
  return where === '' ? message.replace(/^: /, '') : message.startsWith(':') ? where + message : `${where} ${message}`
}

function printable(message: string): string {
  const cut = message.length > messageCharsMax ? `${message.slice(0, messageCharsMax)}...` : message
  return withoutControls(cut)
}

/** What is shown must not speak to the terminal. */
function withoutControls(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, ' ')
}
