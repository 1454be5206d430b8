/** Progress where there is no terminal: a line when a stage starts or is released, and one every few seconds. Pure. */

import { describeLeaderless } from '../leaderless.ts'
import { namesIn, type PlanView, totalsOf } from '../progress.ts'
import { formatBytes, formatCount, formatRate, formatSeconds } from './format.ts'
import { printable } from './width.ts'

/** What is shown between the last release and the end of the plan. */
export const AFTER_THE_LAST = 'all stages are released: results are being written'

/** Time between lines of one stage. */
export const PLAIN_INTERVAL_MS = 5000

/** Lines for what changed from one view to the next; empty when nothing worth a line did. */
export function plainChanges(before: PlanView, after: PlanView): string[] {
  const lines: string[] = []
  if (before.leader !== '' && after.leader !== '' && before.leader !== after.leader) {
    lines.push(`${after.leader} leads now, after ${before.leader}`)
  }
  if (after.leaderless !== null && before.leaderless === null) lines.push(describeLeaderless(after.leaderless))
  if (after.unilateral && !before.unilateral) lines.push('going on alone, without a quorum: results are marked so')
  for (const agent of after.agents) {
    const old = before.agents.find((one) => one.peer === agent.peer)
    if (agent.state === old?.state) continue
    if (agent.state === 'dead') lines.push(`${agent.name} was lost`)
    if (agent.state === 'excluded') lines.push(`${agent.name} was excluded`)
    if (agent.state === 'failed') lines.push(`${agent.name} failed its stage`)
  }
  if (after.sequence !== before.sequence) {
    if (before.sequence > 0) lines.push(`stage ${before.sequence} ${stageName(before, before.sequence)}: released`)
    const next = stageName(after, after.sequence)
    if (next !== '') {
      const agents = before.sequence === 0 ? ` on ${after.agents.map((agent) => agent.name).join(', ')}` : ''
      lines.push(`stage ${after.sequence} of ${after.stages.length} ${next}: started${agents}`)
    }
  }
  return lines
}

/** One line about the open stage. */
export function plainStatus(view: PlanView, now: number): string {
  if (view.sequence === 0) return 'waiting for the agents'
  if (view.sequence > view.stages.length) return AFTER_THE_LAST
  const totals = totalsOf(view, now)
  const parts = [
    `${formatSeconds((now - view.openedAt) / 1000)}`,
    `${formatCount(totals.ops)} ops`,
    `${formatRate(totals.opsPerSecond)} ops/s`,
    `${formatBytes(totals.bytesPerSecond)}/s`,
  ]
  if (totals.done !== null) parts.push(`${Math.floor(totals.done * 100)}%`)
  if (totals.errors > 0) parts.push(`${formatCount(totals.errors)} errors`)
  const [ready, working] = [namesIn(view, 'ready'), namesIn(view, 'working')]
  if (view.leaderless !== null) parts.push(describeLeaderless(view.leaderless))
  else if (ready.length > 0 && working.length > 0) parts.push(`waiting for ${working.join(', ')}`)
  return `stage ${view.sequence} of ${view.stages.length} ${stageName(view, view.sequence)}: ${parts.join(', ')}`
}

function stageName(view: PlanView, sequence: number): string {
  return printable(view.stages[sequence - 1]?.name ?? '')
}
