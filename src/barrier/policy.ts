/** When a barrier may be released: a pure function of who stands where. */

import type { Decision, Exclusion } from './decisions.ts'
import type { BarrierSpec, PeerId, Policy } from './plans.ts'

export interface Standing {
  readonly peer: PeerId
  readonly name: string
  /** `ready` includes the failed but optional; `dead` and `left` win over what the member said before. */
  readonly state: 'ready' | 'failed' | 'waiting' | 'dead' | 'left'
  /** Leader's clock, when its ready (of whatever status) began to count; null while there is none. */
  readonly readyAt: number | null
}

export type Verdict =
  /** `recheckAt`: when time alone may change the answer; null: it cannot. */
  | { readonly kind: 'pending'; readonly recheckAt: number | null }
  | {
      readonly kind: 'release'
      readonly stay: readonly PeerId[]
      readonly ready: readonly PeerId[]
      readonly excluded: readonly Exclusion[]
    }
  | { readonly kind: 'abort'; readonly reason: string; readonly excluded: readonly Exclusion[] }

export function majorityOf(count: number): number {
  return Math.floor(count / 2) + 1
}

export function judge(spec: BarrierSpec, standings: readonly Standing[], now: number): Verdict {
  const firstReadyAt = firstReady(standings)
  const timeoutAt = firstReadyAt === null ? null : firstReadyAt + spec.barrierTimeoutMs
  switch (spec.policy) {
    case 'all_or_nothing':
      return judgeAll(spec, standings, timeoutAt, now)
    case 'majority':
      return judgeMajority(spec, standings, timeoutAt, now)
    case 'best_effort':
      return judgeBestEffort(standings, timeoutAt, now)
  }
}

/** When the first member became ready, or null. */
export function firstReady(standings: readonly Standing[]): number | null {
  let first: number | null = null
  for (const { readyAt } of standings) if (readyAt !== null && (first === null || readyAt < first)) first = readyAt
  return first
}

function judgeAll(spec: BarrierSpec, standings: readonly Standing[], timeoutAt: number | null, now: number): Verdict {
  const lost = exclusions(standings, ['dead', 'left', 'failed'])
  if (lost.length > 0) return { kind: 'abort', reason: `all_or_nothing: ${describe(lost)}`, excluded: lost }
  const waiting = standings.filter((member) => member.state === 'waiting')
  if (waiting.length === 0) return release(standings, standings, [])
  if (timeoutAt !== null && now >= timeoutAt) {
    const late = exclusions(standings, ['waiting'])
    return { kind: 'abort', reason: timedOut(spec, late), excluded: late }
  }
  return { kind: 'pending', recheckAt: timeoutAt }
}

function judgeMajority(
  spec: BarrierSpec,
  standings: readonly Standing[],
  timeoutAt: number | null,
  now: number,
): Verdict {
  const needed = majorityOf(standings.length)
  const ready = standings.filter((member) => member.state === 'ready')
  const waiting = standings.filter((member) => member.state === 'waiting')
  if (ready.length + waiting.length < needed) {
    const lost = exclusions(standings, ['dead', 'left', 'failed'])
    const reason = `majority: ${needed} of ${standings.length} must be ready, but ${describe(lost)}`
    return { kind: 'abort', reason, excluded: lost }
  }
  const overdue = timeoutAt !== null && now >= timeoutAt
  if (ready.length < needed) {
    if (!overdue) return { kind: 'pending', recheckAt: timeoutAt }
    const late = exclusions(standings, ['dead', 'left', 'failed', 'waiting'])
    return { kind: 'abort', reason: timedOut(spec, late), excluded: late }
  }
  const times = ready.map((member) => member.readyAt ?? now).sort((a, b) => a - b)
  const graceEnd = (times[needed - 1] ?? now) + spec.stragglerGraceMs
  if (waiting.length === 0 || overdue || now >= graceEnd) {
    return release(ready, ready, exclusions(standings, ['dead', 'left', 'failed', 'waiting']))
  }
  return { kind: 'pending', recheckAt: timeoutAt === null ? graceEnd : Math.min(graceEnd, timeoutAt) }
}

function judgeBestEffort(standings: readonly Standing[], timeoutAt: number | null, now: number): Verdict {
  const live = standings.filter((member) => member.state !== 'dead' && member.state !== 'left')
  const ready = live.filter((member) => member.state !== 'waiting')
  const allDone = ready.length > 0 && ready.length === live.length
  if (allDone || (timeoutAt !== null && now >= timeoutAt)) {
    return release(live, ready, exclusions(standings, ['dead', 'left']))
  }
  return { kind: 'pending', recheckAt: timeoutAt }
}

function release(stay: readonly Standing[], ready: readonly Standing[], excluded: readonly Exclusion[]): Verdict {
  return { kind: 'release', stay: stay.map((m) => m.peer), ready: ready.map((m) => m.peer), excluded }
}

/** The policy that a decision was made by; a start needs everybody whom it names. */
export function policyOf(decision: Decision): Policy {
  return decision.kind === 'start' ? 'all_or_nothing' : decision.policy
}

function exclusions(standings: readonly Standing[], states: readonly Standing['state'][]): Exclusion[] {
  const list: Exclusion[] = []
  for (const { peer, name, state } of standings) {
    if (!states.includes(state) || state === 'ready') continue
    list.push({ peer, name, reason: state === 'waiting' ? 'straggler' : state })
  }
  return list
}

function describe(excluded: readonly Exclusion[]): string {
  const words = { dead: 'died', failed: 'failed', left: 'left', straggler: 'is not ready' } as const
  return excluded.map(({ name, reason }) => `${name} ${words[reason]}`).join(', ')
}

function timedOut(spec: BarrierSpec, late: readonly Exclusion[]): string {
  const seconds = spec.barrierTimeoutMs / 1000
  return `${spec.policy}: agent_barrier_timeout (${seconds} s) passed while ${describe(late)}`
}
