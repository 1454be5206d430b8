/** What the open stage adds to the lanes of its agents. Pure. */

import type { AgentState, AgentView } from '../progress.ts'
import type { LaneNow, OpenAgent, Span } from '../report/mod.ts'

export interface OpenLanes {
  readonly sequence: number
  readonly stage: string
  /** When the stage began, and now; as in the report. */
  readonly from: number
  readonly to: number
  /** When an agent came to its present state; undefined: it has been at work from the beginning. */
  readonly since: (agent: AgentView) => number | undefined
}

type Closed = Exclude<AgentState, 'working' | 'excluded'>

const AFTER: Readonly<Record<Closed, readonly [work: Span['kind'], rest: Span['kind'] | null, text: string]>> = {
  ready: ['work', 'wait', 'waits at the barrier'],
  failed: ['failed', 'wait', 'its stage failed; it waits at the barrier'],
  dead: ['silent', null, ''],
}

/** Who is excluded has no part in the stage. */
export function laneOf(agent: AgentView, lanes: OpenLanes): LaneNow {
  const { sequence, stage, from, to } = lanes
  const { name, state } = agent
  const spans: Span[] = []
  if (state === 'working') spans.push({ kind: 'open', sequence, from, to, text: `${stage}: at work` })
  else if (state !== 'excluded') {
    const at = Math.min(to, Math.max(from, lanes.since(agent) ?? from))
    const [work, rest, text] = AFTER[state]
    spans.push({ kind: work, sequence, from, to: at, text: `${stage}: ${state}` })
    if (rest !== null) spans.push({ kind: rest, sequence, from: at, to, text: `${stage}: ${text}` })
  }
  const lost = state === 'dead' ? [{ kind: 'lost' as const, at: spans[0]?.to ?? to, text: 'lost' }] : []
  return { name, spans, marks: lost }
}

export function openAgent({ name, state, progress }: AgentView): OpenAgent {
  if (progress === null) return { name, state, progress: null }
  const { ops, errors, opsPerSecond, bytesPerSecond, p99Ns, done } = progress
  const mibPerSecond = bytesPerSecond / 1048576
  return { name, state, progress: { ops, errors, opsPerSecond, mibPerSecond, p99Us: p99Ns / 1000, done } }
}
