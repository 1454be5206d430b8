/**
 * Small lies told to a copy of the core: each one must be found by the simulator, or by a story. A mutation replaces exact text, and
 * fails when the text is not there (once): the list cannot go stale unnoticed.
 */

export interface Edit {
  /** In src/barrier. */
  readonly file: string
  readonly find: string
  readonly replace: string
}

export interface Mutation {
  readonly name: string
  readonly edits: readonly Edit[]
  /** Where to begin, for one that shows in one history of thousands: shortly before a seed that showed it. Else 1. */
  readonly from?: number
  /** Of test/barrier/scenarios, for one that no history shows. */
  readonly story?: string
}

export function edit(file: string, find: string, replace: string): Edit {
  return { file, find, replace }
}
