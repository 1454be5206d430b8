/** The way of each agent through the plan: its lane of the timeline, and what became of it. Pure. */

import { compareNames } from '../names.ts'
import type { DecisionLine, ResultFolder, RunSummary, StageSummary } from '../results/mod.ts'
import type { Moments } from './moments.ts'
import type { Fate, Mark, ReportAgent, Span } from './types.ts'

export function agentsOf(folder: ResultFolder, moments: Moments): ReportAgent[] {
  const { summary } = folder
  return [...summary.agents].sort(compareNames).map((name) => {
    const ending = endingOf(name, folder, moments)
    const machine = summary.machines.find((one) => one.name === name)
    return {
      name,
      fate: ending.fate,
      fateText: ending.text,
      delivered: summary.stages.filter(({ counted }) => counted.includes(name)).map(({ sequence }) => sequence),
      machine: machine === undefined ? null : withoutName(machine),
      ...laneOf(name, summary, moments, ending),
    }
  })
}

function withoutName({ name: _, ...machine }: RunSummary['machines'][number]): NonNullable<ReportAgent['machine']> {
  return machine
}

interface Ending {
  readonly fate: Fate
  readonly text: string
  /** When it was gone; null for one that was not. */
  readonly at: number | null
}

const WORDS = {
  dead: 'lost',
  left: 'left the run',
  failed: 'excluded because its stage failed',
  straggler: 'excluded as a straggler',
} as const

function endingOf(name: string, { summary, decisions }: ResultFolder, moments: Moments): Ending {
  for (const decision of decisions) {
    const reason = decision.excluded.find((one) => one.name === name)?.reason
    // Stragglers of an abort were at work like others: it excludes nobody, but names those for whom it was made.
    if (reason === undefined || (decision.kind === 'abort' && reason === 'straggler')) continue
    return gone(name, reason, decision, moments)
  }
  const last = summary.stages.findLast(({ members }) => members.includes(name))
  if (last === undefined || last.counted.includes(name) || summary.status === 'running') {
    return { fate: 'took_part', text: '', at: null }
  }
  const where = `stage ${last.sequence} ${last.name}`
  if (last.outcome === 'aborted') {
    return { fate: 'stopped', text: `stopped in ${where} when the plan was aborted`, at: null }
  }
  if (last.partial.includes(name)) return { fate: 'stopped', text: `stopped in ${where}`, at: null }
  return { fate: 'unknown', text: `nothing was heard of its work in ${where}`, at: null }
}

function gone(name: string, reason: keyof typeof WORDS, decision: DecisionLine, moments: Moments): Ending {
  const { kind, sequence, stage, unilateral } = decision
  const where = `stage ${sequence} ${stage ?? ''}`.trimEnd()
  if (kind === 'abort' && reason === 'failed') return { fate: 'failed', text: `failed in ${where}`, at: null }
  const lost = reason === 'dead' || reason === 'left'
  const released = moments.endOf(sequence)
  // The last time before the decision that its connections closed; nobody sees it where a host falls silent.
  const seen = moments.observed.findLast((one) => one.event === 'peer.left' && one.name === name && one.at <= released)
  const alone = unilateral === true ? ', as this peer saw it alone' : ''
  const delivered = moments.workOf(sequence, name) === undefined ? 'before' : 'after'
  return {
    fate: lost ? 'lost' : 'excluded',
    text: `${WORDS[reason]} ${lost ? `${delivered} it delivered ` : 'at the barrier of '}${where}${alone}`,
    at: lost ? (seen?.at ?? null) : released,
  }
}

function laneOf(name: string, summary: RunSummary, moments: Moments, ending: Ending): { spans: Span[]; marks: Mark[] } {
  const spans: Span[] = []
  const marks: Mark[] = []
  for (const stage of summary.stages) {
    if (!stage.members.includes(name)) continue
    const work = moments.workOf(stage.sequence, name)
    if (work === undefined) spans.push(silence(stage, moments, ending))
    else spans.push(...worked(name, stage, work, moments, ending))
    const report = stage.agents.find((one) => one.name === name)
    if (report?.status === 'failed' && !report.partial && work !== undefined) {
      marks.push({ kind: 'failed', at: work.to, text: `failed: ${report.reason}` })
    }
    if (report?.late === true && work !== undefined) {
      marks.push({ kind: 'late', at: work.to, text: `finished ${stage.name} after its barrier was released` })
    }
    const { fate, text } = ending
    if ((fate !== 'lost' && fate !== 'excluded') || !stage.excluded.some((one) => one.name === name)) continue
    marks.push({ kind: fate, at: ending.at ?? moments.endOf(stage.sequence), text })
  }
  return { spans, marks }
}

function silence(stage: StageSummary, moments: Moments, ending: Ending): Span {
  const { sequence, name } = stage
  const from = moments.startOf(sequence)
  const released = moments.endOf(sequence)
  const to = ending.at !== null && ending.at > from ? Math.min(ending.at, released) : released
  const why = ending.fate === 'stopped' ? 'given up when the plan was aborted' : 'no result was delivered'
  return { kind: 'silent', sequence, from, to, text: `${name}: ${why}` }
}

function worked(
  name: string,
  stage: StageSummary,
  work: { readonly from: number; readonly to: number },
  moments: Moments,
  ending: Ending,
): Span[] {
  const { sequence } = stage
  const report = stage.agents.find((one) => one.name === name)
  if (report?.partial === true) {
    return [{ kind: 'partial', sequence, ...work, text: `${stage.name}: stopped at work, ${report.reason}` }]
  }
  const failed = report?.status === 'failed'
  const text = `${stage.name}: ${failed ? `failed, ${report.reason}` : 'done'}`
  const spans: Span[] = [{ kind: failed ? 'failed' : 'work', sequence, ...work, text }]
  const goneAt = ending.fate === 'lost' && stage.excluded.some((one) => one.name === name) ? ending.at : null
  const until = goneAt ?? moments.workOf(sequence + 1, name)?.from ?? moments.endOf(sequence)
  if (until > work.to) {
    spans.push({ kind: 'wait', sequence, from: work.to, to: until, text: `waits at the barrier of ${stage.name}` })
  }
  return spans
}
