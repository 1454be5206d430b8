/** What happened, in words and in order: the timeline for those who do not see it. Pure. */

import type { ResultFolder, RunSummary } from '../results/mod.ts'
import type { Moments } from './moments.ts'
import type { LeaderPeriod, ReportAgent, ReportEvent, ReportStage } from './types.ts'

export interface EventSources {
  readonly folder: ResultFolder
  readonly moments: Moments
  readonly stages: readonly ReportStage[]
  readonly agents: readonly ReportAgent[]
  readonly leaders: readonly LeaderPeriod[]
}

export function eventsOf({ folder, moments, stages, agents, leaders }: EventSources): ReportEvent[] {
  const { summary } = folder
  const leader = leaders[0]?.name ?? moments.clock.reference
  const start: ReportEvent = {
    at: 0,
    weight: 'plain',
    text: `Plan ${summary.plan} starts on ${summary.agents.join(', ')}; ${leader} leads`,
  }
  return [
    start,
    ...stages.map(endOfStage),
    ...agents.flatMap(({ name, marks }) =>
      marks.map((mark): ReportEvent => ({ at: mark.at, weight: 'bad', text: `${name}: ${mark.text}` })),
    ),
    ...leaders.flatMap((period, index) => changeOf(period, index)),
  ].sort((a, b) => a.at - b.at)
}

function endOfStage(stage: ReportStage): ReportEvent {
  const { sequence, name, leader, outcome, to: at, unilateral } = stage
  const who = `${stage.counted.length} of ${stage.members.length} agents`
  if (outcome === 'aborted') {
    return { at, weight: 'bad', text: `${leader} aborts the plan at the barrier of stage ${sequence} ${name}` }
  }
  if (unilateral) {
    return { at, weight: 'warning', text: `${leader} releases stage ${sequence} ${name} alone, without a quorum` }
  }
  const weight = outcome === 'complete' ? 'plain' : 'warning'
  return { at, weight, text: `${leader} releases the barrier of stage ${sequence} ${name}: work of ${who} counts` }
}

function changeOf(period: LeaderPeriod, index: number): ReportEvent[] {
  const { name, term, from, to, seen, lostReason } = period
  const events: ReportEvent[] = []
  if (index > 0) {
    const since = seen ? '' : ' (at the latest)'
    events.push({ at: from, weight: 'warning', text: `${name} leads from now on, term ${term}${since}` })
  }
  if (to !== null && lostReason !== '') {
    events.push({ at: to, weight: 'warning', text: `Leader ${name} is lost: ${lostReason}` })
  }
  return events
}

/** What must be known before a figure is believed; most important first. */
export function warningsOf({ summary }: ResultFolder): string[] {
  const warnings: string[] = []
  if (summary.status !== 'completed' && summary.status !== 'running') {
    const why = summary.reason === '' ? '' : `: ${summary.reason}`
    warnings.push(`The plan did not complete (${summary.status.replace('_', ' ')})${why}`)
  }
  if (summary.unilateral) {
    warnings.push('This peer went on alone, without a quorum: what follows binds nobody else and is its own work only')
  }
  return [...warnings, ...stageWarnings(summary)]
}

/** What is true of several stages is said once. */
function stageWarnings({ stages, reason }: RunSummary): string[] {
  const stagesOf = new Map<string, string[]>()
  for (const { sequence, name, notes } of stages) {
    for (const note of notes) stagesOf.set(note, [...(stagesOf.get(note) ?? []), `${sequence} ${name}`])
  }
  // Why the plan was aborted is said already.
  stagesOf.delete(`aborted: ${reason}`)
  return [...stagesOf].map(([note, names]) => `Stage${names.length > 1 ? 's' : ''} ${names.join(', ')}: ${note}`)
}
