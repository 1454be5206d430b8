/** The checkers' own arithmetic: taken from the core it would share the core's mistakes. */

import type { Ballot } from '../../src/barrier/mod.ts'

/** More than half. */
export function majority(count: number): number {
  let needed = 0
  while (needed * 2 <= count) needed += 1
  return needed
}

export function sameBallot(a: Ballot, b: Ballot): boolean {
  return a.term === b.term && a.peer === b.peer
}

export function isNewer(a: Ballot, b: Ballot): boolean {
  return a.term > b.term || (a.term === b.term && a.peer > b.peer)
}
