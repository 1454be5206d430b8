/** From a plan's results, complete or so far, to what a report shows. Pure. */

import { parsePlan } from '../plan/mod.ts'
import type { ResultFolder, RunSummary, StageSummary } from '../results/mod.ts'
import { AGENT_CURVES_MAX, curvesOf } from './curves.ts'
import { eventsOf, warningsOf } from './events.ts'
import { agentsOf } from './lanes.ts'
import { leadersOf } from './leaders.ts'
import { type Moments, momentsOf } from './moments.ts'
import { seriesOf } from './series.ts'
import type { ReportAgent, ReportData, ReportStage, StageSeries } from './types.ts'

/** `madeBy`: version of this program. */
export function reportOf(folder: ResultFolder, { madeBy }: { readonly madeBy: string }): ReportData {
  const { summary, decisions, perf, latencies, plan } = folder
  const moments = momentsOf(folder)
  const planned = plannedStages(plan)
  const stages = summary.stages.map((stage) => stageOf(stage, moments, planned))
  const agents = agentsOf(folder, moments)
  const leaders = leadersOf(decisions, moments)
  const startedAt = (sequence: number, agent: string) => {
    const stage = summary.stages.find((one) => one.sequence === sequence)
    const one = stage?.agents.find(({ name }) => name === agent)
    return one === undefined ? undefined : one.startedAt + one.offsetMs
  }
  const series = seriesOf({ stages, perf, startedAt })
  const lacking = new Set(
    summary.stages.flatMap(({ sequence, missing }) => missing.map((name) => `${sequence} ${name}`)),
  )
  const curves = curvesOf(latencies, ({ sequence, agent }) => !lacking.has(`${sequence} ${agent}`))
  return {
    format: 1,
    madeBy,
    run: summary.run,
    plan: summary.plan,
    hash: summary.hash,
    status: summary.status,
    reason: summary.reason,
    unilateral: summary.unilateral,
    verdict: verdictOf(summary),
    origin: moments.origin,
    seconds: lastMoment(stages, agents),
    agents,
    stages,
    planned: planned.map(({ name }) => name),
    open: null,
    leaders,
    events: eventsOf({ folder, moments, stages, agents, leaders }),
    series,
    curves,
    yaml: plan,
    warnings: warningsOf(folder),
    notes: notesOf(moments, series, latencies.length),
  }
}

/** A plan that this version cannot read any more is shown all the same. */
function plannedStages(yaml: string): { readonly name: string; readonly type: string }[] {
  try {
    return parsePlan(yaml, 'the plan').stages.map(({ name, type }) => ({ name, type }))
  } catch {
    return []
  }
}

function stageOf(stage: StageSummary, moments: Moments, planned: readonly { readonly type: string }[]): ReportStage {
  const { sequence } = stage
  const agents = stage.agents.map(({ startedAt: _, endedAt: __, offsetMs: ___, ...agent }) => {
    const { from, to } = moments.workOf(sequence, agent.name) ?? { from: 0, to: 0 }
    return { ...agent, from, to }
  })
  return {
    ...stage,
    type: planned[sequence - 1]?.type ?? '',
    from: moments.startOf(sequence),
    to: moments.endOf(sequence),
    agents,
  }
}

function verdictOf({ status, stages, unilateral }: RunSummary): ReportData['verdict'] {
  if (status === 'running') return 'running'
  if (status !== 'completed') return 'failed'
  return unilateral || stages.some(({ outcome }) => outcome !== 'complete') ? 'degraded' : 'clean'
}

function lastMoment(stages: readonly ReportStage[], agents: readonly ReportAgent[]): number {
  const spans = agents.flatMap((agent) => agent.spans.map(({ to }) => to))
  return Math.max(0, ...stages.map(({ to }) => to), ...spans)
}

function notesOf({ clock }: Moments, series: readonly StageSeries[], histograms: number): string[] {
  const step = series[0]?.step
  const notes = [
    `Times are on the clock of ${clock.reference}, the first leader; others are set against it as measured on their connections.`,
    'Rates are reckoned with the time of the slowest agent; time spent waiting at barriers is in no figure.',
    'Percentiles of several agents are those of all their operations together: histograms are added up, never averaged.',
  ]
  if (clock.unknown.length > 0) {
    notes.push(
      `The clocks of ${clock.unknown.join(', ')} could not be set against it; their times are as they gave them.`,
    )
  }
  if (step !== undefined) {
    notes.push(
      `Over time, each point covers ${step.toFixed(1)} s: rates are means of it, percentiles the highest of the samples in it.`,
    )
  }
  if (histograms > AGENT_CURVES_MAX) notes.push('Latency by percentile is shown for all agents together only.')
  return notes
}
