/** Errors of one lane: counted by kind, the first of each kind kept in full. */

import { codeOf, describeOpError, messageOf } from '../errors.ts'
import { ERROR_MESSAGE_CHARS_MAX, ERROR_SAMPLES_MAX } from '../limits.ts'
import type { ObjectRef, Store } from '../stores/types.ts'
import type { ErrorCount } from './jobs.ts'

const OTHER = 'other'

export class ErrorCounter {
  readonly #counts = new Map<string, { message: string; count: number }>()
  readonly #onNew: (error: ErrorCount) => void

  constructor(onNew: (error: ErrorCount) => void) {
    this.#onNew = onNew
  }

  /** `store` is asked what `ref` is called for the first of a kind only. */
  add(op: string, error: unknown, store: Store, ref: ObjectRef): void {
    const code = codeOf(error)
    let key = `${op} ${code === '' ? messageOf(error).slice(0, 80) : code}`
    const known = this.#counts.get(key)
    if (known !== undefined) {
      known.count++
      return
    }
    let message = describeOpError(op, store.describe(ref), error).slice(0, ERROR_MESSAGE_CHARS_MAX)
    if (this.#counts.size >= ERROR_SAMPLES_MAX) {
      key = OTHER
      const other = this.#counts.get(OTHER)
      if (other !== undefined) {
        other.count++
        return
      }
      message = `other kinds of errors, the first: ${message}`
    }
    this.#counts.set(key, { message, count: 1 })
    this.#onNew({ key, message, count: 1 })
  }

  totals(): ErrorCount[] {
    return [...this.#counts].map(([key, { message, count }]) => ({ key, message, count }))
  }
}

/** Joins the counts of several threads; the most frequent kinds first. */
export function joinErrors(lists: Iterable<readonly ErrorCount[]>): { message: string; count: number }[] {
  const joined = new Map<string, { message: string; count: number }>()
  for (const { key, message, count } of [...lists].flat()) {
    const known = joined.get(key)
    if (known === undefined) joined.set(key, { message, count })
    else known.count += count
  }
  return [...joined.values()].sort((a, b) => b.count - a.count).slice(0, ERROR_SAMPLES_MAX)
}
