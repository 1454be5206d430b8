/** Who led when: what peers saw, and what the decisions prove where nobody saw it. Pure. */

import type { DecisionLine } from '../results/mod.ts'
import type { Moments, Seen } from './moments.ts'
import type { LeaderPeriod } from './types.ts'

export function leadersOf(decisions: readonly DecisionLine[], moments: Moments): LeaderPeriod[] {
  const agreed = decisions.filter(({ unilateral }) => unilateral !== true)
  const [first] = agreed
  if (first === undefined) return []
  const beginnings = new Map<number, Beginning>()
  for (const { at, event, term, name } of moments.observed) {
    if (event === 'leader.elected' && term !== null && !beginnings.has(term))
      beginnings.set(term, { name, term, from: at, seen: true })
  }
  for (const { term, leader, sequence } of agreed) {
    if (!beginnings.has(term)) beginnings.set(term, { name: leader, term, from: moments.endOf(sequence), seen: false })
  }
  // It led before the plan began, whether or not anybody looked.
  beginnings.set(first.term, { name: first.leader, term: first.term, from: 0, seen: true })
  const inOrder = [...beginnings.values()].filter(({ term }) => term >= first.term).sort((a, b) => a.term - b.term)
  return inOrder.map((period, index) => {
    const next = inOrder[index + 1]
    const lost = lossOf(period.term, moments)
    const to = lost === undefined ? (next?.from ?? null) : Math.max(period.from, lost.at)
    const fromSequence = agreed.find(({ term }) => term === period.term)?.sequence ?? null
    return { ...period, to, fromSequence, lostReason: lost?.reason ?? '' }
  })
}

/** Who lost sight of a leader may see it again: then it led all the time. */
function lossOf(term: number, { observed }: Moments): Seen | undefined {
  const own = observed.filter((one) => one.term === term)
  return own.find(({ event, by, at }) => {
    const back = own.some((one) => one.event === 'leader.elected' && one.by === by && one.at > at)
    return event === 'leader.lost' && !back
  })
}

type Beginning = Pick<LeaderPeriod, 'name' | 'term' | 'from' | 'seen'>
