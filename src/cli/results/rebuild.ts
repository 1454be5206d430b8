/** Makes the files of a result folder again, from its decisions and from what its agents reported. */

import { createHash } from 'node:crypto'
import { readdir, rm } from 'node:fs/promises'
import path from 'node:path'
import type { Decision, Member, StageReport, StartDecision } from '../../barrier/mod.ts'
import { PlanError, parsePlan, toPlanSpec } from '../plan/mod.ts'
import { type AgentReport, agentReportSchema } from './agent-report.ts'
import { ResultsError } from './errors.ts'
import { resumeResults } from './open.ts'
import { checkJson, readDecisions, readObserved, readSummary, readText } from './read.ts'
import type { DecisionLine } from './record.ts'
import type { RunSummary } from './summary.ts'
import type { PlanResults, ResultsInit } from './types.ts'

type End = Pick<RunSummary, 'run' | 'status' | 'reason' | 'unilateral'>

/**
 * Merges again what is there, be the other files damaged, old or gone. A folder without reports of agents is left as it
 * is. Throws ResultsError when it is no result folder.
 */
export async function rebuildResults(dir: string): Promise<RunSummary> {
  const reports = await readReports(dir)
  const lines = await readDecisions(dir)
  const [first] = lines
  if (reports.length === 0 || first === undefined) return await readSummary(dir)
  const observed = await readObserved(dir)
  const yaml = await readText(path.join(dir, 'plan.yaml'), '')
  const start = startOf(first, lines, yaml)
  const end = await endOf(dir, lines, start)
  const results = resumeResults(dir, { out: path.dirname(dir), runId: end.run, start })
  for (const observation of observed) results.observe(observation)
  for (const line of lines) {
    const decision = line.sequence === 0 ? start : decisionOf(line, reports, lines)
    await results.recordDecision(decision, { unilateral: line.unilateral === true, waitedMs: line.waitedMs ?? 0 })
  }
  const last = lines.at(-1)?.sequence ?? 0
  const undelivered = reports.filter((report) => report.undelivered || report.sequence > last)
  for (const report of undelivered) results.addUndelivered(stageReport(report))
  return await results.finish(end)
}

/** The folder as it was after the decisions given, the start first: what came after them is removed. */
export async function rewindResults(
  dir: string,
  init: ResultsInit,
  kept: readonly { readonly decision: Decision; readonly unilateral: boolean; readonly waitedMs: number }[],
): Promise<PlanResults> {
  const results = resumeResults(dir, init)
  for (const observation of await readObserved(dir)) results.observe(observation)
  for (const { decision, ...how } of kept) await results.recordDecision(decision, how)
  const last = kept.at(-1)?.decision.sequence ?? 0
  // Files of a stage begin with its number.
  const names = (await readdir(dir, { recursive: true })).filter(
    (name) => Number(/^\d+(?=_)/.exec(path.basename(name))) > last,
  )
  await Promise.all(names.map((name) => rm(path.join(dir, name), { force: true })))
  return results
}

async function readReports(dir: string): Promise<AgentReport[]> {
  const agents = path.join(dir, 'agents')
  const names = await readdir(agents, { recursive: true }).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw new ResultsError(
      'RESULTS_MISSING',
      `Cannot read ${agents}: ${error instanceof Error ? error.message : error}`,
    )
  })
  const files = names.filter((name) => name.endsWith('_report.json')).sort()
  return await Promise.all(
    files.map(async (name) => {
      const file = path.join('agents', name)
      return checkJson(dir, file, agentReportSchema, await readText(path.join(dir, file), null))
    }),
  )
}

/** Peers are known by name here. */
function membersOf(names: readonly string[]): Member[] {
  return names.map((name) => ({ peer: name, name, incarnation: '' }))
}

function startOf(line: DecisionLine, lines: readonly DecisionLine[], yaml: string): StartDecision {
  if (line.sequence !== 0) throw new ResultsError('RESULTS_DAMAGED', 'decisions.jsonl does not begin with the start')
  const spec = specOf(lines, yaml)
  return { ...baseOf(line), kind: 'start', sequence: 0, spec, startAt: line.startAt ?? 0, armMs: 0 }
}

/** A plan that this version does not take any more still has the stages that were decided about. */
function specOf(lines: readonly DecisionLine[], yaml: string): StartDecision['spec'] {
  try {
    return toPlanSpec(parsePlan(yaml), '')
  } catch (error) {
    if (!(error instanceof PlanError)) throw error
  }
  const fallback = toPlanSpec(parsePlan(FALLBACK), '')
  const [spec] = fallback.stages
  const stages = lines.flatMap(({ sequence, stage, policy }) =>
    sequence === 0 || spec === undefined || policy === null
      ? []
      : [{ ...spec, name: stage ?? `stage-${sequence}`, barrier: { ...spec.barrier, policy } }],
  )
  return { ...fallback, yaml, hash: createHash('sha256').update(yaml).digest('hex'), stages }
}

const FALLBACK = 'target: null:///'

function baseOf(line: DecisionLine) {
  return {
    plan: { number: line.plan, uid: '' },
    sequence: line.sequence,
    ballot: { term: line.term, peer: line.leader },
    leader: line.leader,
    members: membersOf(line.members),
  }
}

function decisionOf(line: DecisionLine, reports: readonly AgentReport[], lines: readonly DecisionLine[]): Decision {
  const last = lines.at(-1)?.sequence ?? 0
  const here = reports.filter(
    ({ sequence, late, undelivered }) =>
      !undelivered && line.sequence === (late ? Math.min(sequence + 1, last) : sequence),
  )
  const common = {
    ...baseOf(line),
    policy: line.policy ?? 'all_or_nothing',
    excluded: line.excluded.map(({ name, reason }) => ({ peer: name, name, reason })),
    reports: here.map(stageReport),
  }
  if (line.kind === 'abort') return { ...common, kind: 'abort', reason: line.reason ?? '' }
  const ready = here.map(({ agent }) => agent)
  return { ...common, kind: 'release', ready, waitedMs: line.waitedMs ?? 0, startAt: line.startAt ?? 0 }
}

function stageReport({ agent, sequence, payload }: AgentReport): StageReport {
  return { peer: agent, name: agent, sequence, status: 'ok', payload }
}

/** How it ended: as the summary says, else as far as the decisions tell. */
async function endOf(dir: string, lines: readonly DecisionLine[], start: StartDecision): Promise<End> {
  try {
    return await readSummary(dir)
  } catch (error) {
    if (!(error instanceof ResultsError)) throw error
  }
  const last = lines.at(-1)
  const run = path.basename(path.resolve(dir)).replace(/-\d+-\d{8}T\d{6}Z(-\d+)?$/, '')
  const unilateral = lines.some((line) => line.unilateral === true)
  if (last?.kind === 'abort') return { run, status: 'aborted', reason: last.reason ?? '', unilateral }
  return { run, status: last?.sequence === start.spec.stages.length ? 'completed' : 'running', reason: '', unilateral }
}
