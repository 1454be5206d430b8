/** When things happened, in seconds after the start of the first stage, on the common clock. Pure. */

import type { Observation, ResultFolder } from '../results/mod.ts'
import { type CommonClock, commonClock } from './clock.ts'

export interface Moments {
  readonly clock: CommonClock
  /** Second 0: UTC, ms. */
  readonly origin: number
  /** When the stage of a sequence was to start: when the barrier before it was released. */
  startOf(sequence: number): number
  /** When the barrier of a sequence was released, or given up. */
  endOf(sequence: number): number
  /** Of an agent's stage; undefined where it has not reported. */
  workOf(sequence: number, agent: string): { readonly from: number; readonly to: number } | undefined
  /** What peers saw, in the order of time. */
  readonly observed: readonly Seen[]
}

export interface Seen {
  readonly at: number
  readonly event: Observation['event']
  readonly name: string
  readonly term: number | null
  readonly reason: string
  readonly by: string
}

export function momentsOf({ summary, decisions, observed }: ResultFolder): Moments {
  const clock = commonClock(summary, decisions)
  const ms = new Map<number, number>()
  for (const { sequence, startAt } of decisions) {
    if (startAt !== null) ms.set(sequence, clock.leaderTime(sequence, startAt))
  }
  const firstWork = summary.stages[0]?.agents.map((agent) => clock.stageTime(1, agent.name, agent.startedAt)) ?? []
  // The start decision tells it only where members were soon ready for the plan.
  const origin = firstWork.length === 0 ? (ms.get(0) ?? 0) : Math.min(...firstWork)
  const seconds = (time: number) => round((time - origin) / 1000)
  const seen = observed
    .map((one) => ({ ...one, at: seconds(clock.agentTime(one.by, one.at)) }))
    .sort((a, b) => a.at - b.at)
  const abortedAt = seen.find(({ event }) => event === 'barrier.aborted')?.at ?? 0
  const works = new Map<string, { from: number; to: number }>()
  const ends = new Map<number, number>([[0, 0]])
  for (const { sequence, agents } of summary.stages) {
    for (const { name, startedAt, endedAt } of agents) {
      const time = (own: number) => seconds(clock.stageTime(sequence, name, own))
      works.set(`${sequence} ${name}`, { from: time(startedAt), to: time(endedAt) })
    }
    const released = ms.get(sequence)
    // What is aborted was never released: it ends when a peer saw that, or with the last that is known of it.
    const known = agents.map(({ name }) => works.get(`${sequence} ${name}`)?.to ?? 0)
    const last = Math.max(ends.get(sequence - 1) ?? 0, abortedAt, ...known)
    ends.set(sequence, released === undefined ? last : seconds(released))
  }
  return {
    clock,
    origin,
    startOf: (sequence) => ends.get(sequence - 1) ?? 0,
    endOf: (sequence) => ends.get(sequence) ?? 0,
    workOf: (sequence, agent) => works.get(`${sequence} ${agent}`),
    observed: seen,
  }
}

function round(seconds: number): number {
  return Math.round(seconds * 10_000) / 10_000
}
