/** Writes the result folder of one plan as its decisions come in. */

import path from 'node:path'
import type { Decision, StageReport } from '../../barrier/mod.ts'
import { agentReportText } from './agent-report.ts'
import { agentFolder, type FileToWrite, makeFolder, newFolder, safeName, writeAllWhole, writeWhole } from './files.ts'
import { latencyEntries, latencyLog } from './latency-log.ts'
import { mergedStats } from './merged.ts'
import { OBSERVATIONS_MAX, type Observation } from './observed.ts'
import { perfLogTsv, perfRowsOf } from './perf-log.ts'
import { figuredAgents, PlanRecord, type StageRecord } from './record.ts'
import { type RunSummary, secondsOf, summaryOf } from './summary.ts'
import { resultsTsv } from './tsv.ts'
import type { PlanResults, ResultsEnd, ResultsInit } from './types.ts'

/** Makes `<out>/<run-id>-<plan>-<UTC time>/` with the plan in it. Throws ResultsError when it cannot. */
export async function openResults(init: ResultsInit): Promise<PlanResults> {
  const time = new Date().toISOString().replace(/[-:]|\.\d+/g, '')
  const name = `${safeName(init.runId)}-${init.start.plan.number}-${time}`
  const dir = await newFolder(path.resolve(init.out, name))
  await writeWhole(path.join(dir, 'plan.yaml'), init.start.spec.yaml)
  return new ResultsFolder(dir, init)
}

/** The same for a folder that is there already: its files are written anew as decisions are recorded. */
export function resumeResults(dir: string, init: ResultsInit): PlanResults {
  return new ResultsFolder(dir, init)
}

class ResultsFolder implements PlanResults {
  readonly dir: string
  readonly #init: ResultsInit
  readonly #record: PlanRecord
  readonly #observed: Observation[] = []
  /** How many of them were written; -1 before the file is there. */
  #observedWritten = -1
  /** By sequence: histograms are costly to read, and stages rarely change twice. */
  readonly #latencies = new Map<number, readonly string[]>()
  readonly #undelivered: StageReport[] = []

  constructor(dir: string, init: ResultsInit) {
    this.dir = dir
    this.#init = init
    this.#record = new PlanRecord(init.start)
  }

  async recordDecision(decision: Decision, how: { unilateral: boolean; waitedMs: number }): Promise<void> {
    const changed = this.#record.add(decision, how.unilateral, how.waitedMs)
    const summary = () => json(this.summary({ status: 'running', reason: '', unilateral: how.unilateral }))
    await this.#write([...this.#figures(changed), this.#file('summary.json', summary)])
    // Last: a decision that is on record has its results beside it.
    await writeAllWhole([this.#file('decisions.jsonl', () => jsonLines(this.#record.lines))])
  }

  observe(observation: Observation): void {
    if (this.#observed.length < OBSERVATIONS_MAX) this.#observed.push(observation)
  }

  addUndelivered(report: StageReport): void {
    this.#undelivered.push(report)
  }

  async opLogFile(agent: string, name: string): Promise<string> {
    const folder = path.join(this.dir, agentFolder(agent))
    await makeFolder(folder)
    return path.join(folder, name)
  }

  async keepWhole(agent: string, sequence: number, report: string): Promise<void> {
    const name = `${this.#prefix(sequence, this.#init.start.spec.stages[sequence - 1]?.name ?? '')}_whole.json`
    await writeWhole(path.join(this.dir, agentFolder(agent), name), report)
  }

  async finish(end: ResultsEnd): Promise<RunSummary> {
    const added = this.#undelivered.splice(0).filter((report) => this.#record.addUndelivered(report))
    const summary = this.summary(end)
    await this.#write([
      ...this.#figures(added.map(({ sequence }) => sequence)),
      this.#file('summary.json', () => json(summary)),
    ])
    return summary
  }

  summary(end: ResultsEnd): RunSummary {
    return summaryOf(this.#record, this.#init.runId, end)
  }

  #figures(changed: readonly number[]): FileToWrite[] {
    const stages = this.#record.stages.filter(({ sequence }) => changed.includes(sequence))
    if (stages.length === 0) return []
    for (const stage of stages) this.#latencies.set(stage.sequence, latencyEntries(stage))
    return [
      ...stages.flatMap((stage) => this.#stageFiles(stage)),
      this.#file('perf_log.tsv', () => perfLogTsv(perfRowsOf(this.#record.stages))),
      this.#file('latency.hlog', () => latencyLog([...this.#latencies.values()].flat())),
    ]
  }

  #stageFiles(stage: StageRecord): FileToWrite[] {
    const { sequence, agents } = stage
    const prefix = this.#prefix(sequence, stage.name)
    return [
      this.#file(`${prefix}_results.tsv`, () => resultsTsv(mergedStats(stage), secondsOf(figuredAgents(stage)))),
      ...agents.flatMap(({ agent, result, late, delivered, payload }) => {
        const path = `${agentFolder(agent)}/${prefix}`
        return [
          this.#file(`${path}_report.json`, () =>
            agentReportText({ agent, sequence, late, undelivered: !delivered, payload }),
          ),
          this.#file(`${path}_results.tsv`, () => resultsTsv(result.stats, result.seconds)),
          ...(result.output === '' ? [] : [this.#file(`${path}_output.txt`, () => result.output)]),
        ]
      }),
    ]
  }

  #prefix(sequence: number, stage: string): string {
    return `${String(sequence).padStart(2, '0')}_${safeName(stage)}`
  }

  /** With what was observed since it was written last. */
  async #write(files: readonly FileToWrite[]): Promise<void> {
    const observed = [...this.#observed]
    const isNew = observed.length > this.#observedWritten
    await writeAllWhole(isNew ? [...files, this.#file('observed.jsonl', () => jsonLines(observed))] : files)
    this.#observedWritten = observed.length
  }

  #file(name: string, text: () => string): FileToWrite {
    return { file: path.join(this.dir, name), text }
  }
}

function json(document: unknown): string {
  return `${JSON.stringify(document, null, 2)}\n`
}

function jsonLines(documents: readonly unknown[]): string {
  return documents.map((document) => `${JSON.stringify(document)}\n`).join('')
}
