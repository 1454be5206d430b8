/** Who led when: what peers saw, and what the decisions prove where nobody saw it. Pure. */

import type { DecisionLine } from '../results/mod.ts'
import type { Moments } from './moments.ts'
import type { LeaderPeriod } from './types.ts'

export function leadersOf(decisions: readonly DecisionLine[], moments: Moments): LeaderPeriod[] {
  const agreed = decisions.filter(({ unilateral }) => unilateral !== true)
  const [first] = agreed
  if (first === undefined) return []
  const beginnings = new Map<number, Beginning>()
  for (const { at, event, term, name } of moments.observed) {
    if (event === 'leader.elected' && term !== null) beginnings.set(term, { name, term, from: at, seen: true })
  }
  for (const { term, leader, sequence } of agreed) {
    if (!beginnings.has(term)) beginnings.set(term, { name: leader, term, from: moments.endOf(sequence), seen: false })
  }
  // It led before the plan began, whether or not anybody looked.
  beginnings.set(first.term, { name: first.leader, term: first.term, from: 0, seen: true })
  const inOrder = [...beginnings.values()].filter(({ term }) => term >= first.term).sort((a, b) => a.term - b.term)
  return inOrder.map((period, index) => {
    const next = inOrder[index + 1]
    const lost = moments.observed.find(({ event, term }) => event === 'leader.lost' && term === period.term)
    const to = lost === undefined ? (next?.from ?? null) : Math.max(period.from, lost.at)
    const fromSequence = agreed.find(({ term }) => term === period.term)?.sequence ?? null
    return { ...period, to, fromSequence, lostReason: lost?.reason ?? '' }
  })
}

type Beginning = Pick<LeaderPeriod, 'name' | 'term' | 'from' | 'seen'>
