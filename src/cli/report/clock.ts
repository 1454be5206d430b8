/** One clock for all: that of the first leader. Pure. */

import type { DecisionLine, RunSummary } from '../results/mod.ts'

export interface CommonClock {
  /** Whose it is. */
  readonly reference: string
  /** Leaders and agents whose clocks could not be put in relation to it. */
  readonly unknown: readonly string[]
  /** Times of the clock of the leader that decided `sequence`; the same in the common clock. */
  leaderTime(sequence: number, ms: number): number
  /** Times of an agent's own clock while it did the stage of `sequence`. */
  stageTime(sequence: number, agent: string, ms: number): number
  /** Times of an agent's own clock, at any time. */
  agentTime(agent: string, ms: number): number
}

/**
 * A stage is started by the decision before it; its agents' offsets are to the leader of that decision, which may be an
 * agent whose own offset to an earlier leader is known.
 */
export function commonClock(summary: RunSummary, decisions: readonly DecisionLine[]): CommonClock {
  const leaderOf = new Map(decisions.map(({ sequence, leader }) => [sequence, leader]))
  const reference = leaderOf.get(0) ?? summary.stages[0]?.leader ?? ''
  const toReference = new Map([[reference, 0]])
  const ofStage = new Map<string, number>()
  for (const { sequence, agents } of summary.stages) {
    const base = toReference.get(leaderOf.get(sequence - 1) ?? '')
    if (base === undefined) continue
    for (const { name, offsetMs } of agents) {
      ofStage.set(`${sequence} ${name}`, base + offsetMs)
      if (!toReference.has(name)) toReference.set(name, base + offsetMs)
    }
  }
  const offsetOf = (name: string) => toReference.get(name) ?? 0
  const everybody = new Set([...leaderOf.values(), ...summary.stages.flatMap(({ counted }) => counted)])
  return {
    reference,
    unknown: [...everybody].filter((name) => !toReference.has(name)),
    leaderTime: (sequence, ms) => ms + offsetOf(leaderOf.get(sequence) ?? ''),
    stageTime: (sequence, agent, ms) => ms + (ofStage.get(`${sequence} ${agent}`) ?? offsetOf(agent)),
    agentTime: (agent, ms) => ms + offsetOf(agent),
  }
}
