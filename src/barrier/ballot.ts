import type { Ballot } from './plans.ts'

/** Below every ballot of an election. */
export const NO_BALLOT: Ballot = { term: 0, peer: '' }

/** Negative when `a` is older than `b`: by term, then by peer ID. */
export function compareBallots(a: Ballot, b: Ballot): number {
  if (a.term !== b.term) return a.term - b.term
  if (a.peer === b.peer) return 0
  return a.peer < b.peer ? -1 : 1
}

export function sameBallot(a: Ballot, b: Ballot): boolean {
  return a.term === b.term && a.peer === b.peer
}

export function showBallot(ballot: Ballot): string {
  return ballot.term === 0 ? 'none' : `${ballot.term}/${ballot.peer}`
}
