/** Writes the result folder of one plan as its decisions come in. */

import path from 'node:path'
import type { Decision } from '../../barrier/mod.ts'
import { mergeStats } from '../../io/mod.ts'
import { agentReportText } from './agent-report.ts'
import { agentFolder, makeFolder, newFolder, safeName, writeWhole } from './files.ts'
import { latencyEntries, latencyLog } from './latency-log.ts'
import { OBSERVATIONS_MAX, type Observation } from './observed.ts'
import { perfLogTsv, perfRowsOf } from './perf-log.ts'
import { PlanRecord, type StageRecord } from './record.ts'
import { type RunSummary, secondsOf, summaryOf } from './summary.ts'
import { resultsTsv } from './tsv.ts'
import type { PlanResults, ResultsInit } from './types.ts'

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
  /** By sequence: histograms are costly to read, and stages rarely change twice. */
  readonly #latencies = new Map<number, readonly string[]>()
  #own: { readonly sequence: number; readonly agent: string; readonly payload: string } | null = null

  constructor(dir: string, init: ResultsInit) {
    this.dir = dir
    this.#init = init
    this.#record = new PlanRecord(init.start)
  }

  async recordDecision(decision: Decision, how: { unilateral: boolean; waitedMs: number }): Promise<void> {
    const changed = this.#record.add(decision, how.unilateral, how.waitedMs)
    // Figures first: a decision that is on record has its results beside it.
    await this.#writeFigures(changed)
    await this.#writeObserved()
    await this.#write(
      'summary.json',
      json(this.#summary({ status: 'running', reason: '', unilateral: how.unilateral })),
    )
    await this.#write('decisions.jsonl', jsonLines(this.#record.lines))
  }

  observe(observation: Observation): void {
    if (this.#observed.length < OBSERVATIONS_MAX) this.#observed.push(observation)
  }

  recordOwn(sequence: number, agent: string, payload: string): void {
    this.#own = { sequence, agent, payload }
  }

  async opLogFile(agent: string, name: string): Promise<string> {
    const folder = path.join(this.dir, agentFolder(agent))
    await makeFolder(folder)
    return path.join(folder, name)
  }

  async finish(end: Parameters<PlanResults['finish']>[0]): Promise<RunSummary> {
    const own = this.#own
    if (own !== null && !this.#record.isDecided(own.sequence)) {
      this.#record.addUndecided(own.sequence, own.agent, own.payload)
      await this.#writeFigures([own.sequence])
    }
    const summary = this.#summary(end)
    await this.#writeObserved()
    await this.#write('summary.json', json(summary))
    return summary
  }

  #summary(end: Parameters<typeof summaryOf>[2]): RunSummary {
    return summaryOf(this.#record, this.#init.runId, end)
  }

  async #writeFigures(changed: readonly number[]): Promise<void> {
    for (const sequence of changed) {
      const stage = this.#record.stages.find((one) => one.sequence === sequence)
      if (stage === undefined) continue
      await this.#writeStage(stage)
      this.#latencies.set(sequence, latencyEntries(stage))
    }
    if (changed.length === 0) return
    await this.#write('perf_log.tsv', perfLogTsv(perfRowsOf(this.#record.stages)))
    await this.#write('latency.hlog', latencyLog([...this.#latencies.values()].flat()))
  }

  async #writeStage(stage: StageRecord): Promise<void> {
    const prefix = `${String(stage.sequence).padStart(2, '0')}_${safeName(stage.name)}`
    const merged = mergeStats(stage.agents.map(({ result }) => result.stats))
    await this.#write(`${prefix}_results.tsv`, resultsTsv(merged, secondsOf(stage.agents)))
    for (const { agent, result, late, payload } of stage.agents) {
      const folder = agentFolder(agent)
      await this.#write(
        `${folder}/${prefix}_report.json`,
        agentReportText({ agent, sequence: stage.sequence, late, payload }),
      )
      await this.#write(`${folder}/${prefix}_results.tsv`, resultsTsv(result.stats, result.seconds))
      if (result.output !== '') await this.#write(`${folder}/${prefix}_output.txt`, result.output)
    }
  }

  async #writeObserved(): Promise<void> {
    await this.#write('observed.jsonl', jsonLines(this.#observed))
  }

  async #write(name: string, text: string): Promise<void> {
    await writeWhole(path.join(this.dir, name), text)
  }
}

function json(document: unknown): string {
  return `${JSON.stringify(document, null, 2)}\n`
}

function jsonLines(documents: readonly unknown[]): string {
  return documents.map((document) => `${JSON.stringify(document)}\n`).join('')
}
