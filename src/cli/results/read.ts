/** Reads a result folder back. What others wrote is checked: it may be damaged, cut off, or made to do harm. */

import { readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import type { z } from 'zod'
import { ResultsError } from './errors.ts'
import { type Latency, parseLatencyLog } from './latency-log.ts'
import { type Observation, observationSchema } from './observed.ts'
import { type PerfRow, parsePerfLog } from './perf-log.ts'
import { type DecisionLine, decisionLineSchema } from './record.ts'
import { type RunSummary, summarySchema } from './summary.ts'

const FILE_BYTES_MAX = 256 * 1024 * 1024

/** A plan's results as its files hold them. */
export interface ResultFolder {
  readonly summary: RunSummary
  readonly decisions: readonly DecisionLine[]
  readonly observed: readonly Observation[]
  readonly perf: readonly PerfRow[]
  readonly latencies: readonly Latency[]
  /** YAML as submitted. */
  readonly plan: string
}

/** Files but for the summary may be missing: a plan that ended early has none. Throws ResultsError. */
export async function readResults(dir: string): Promise<ResultFolder> {
  const summary = await readSummary(dir)
  const read = (name: string) => readText(path.join(dir, name), '')
  return {
    summary,
    decisions: await readDecisions(dir),
    observed: await readObserved(dir),
    perf: parsePerfLog(await read('perf_log.tsv')) ?? damaged(dir, 'perf_log.tsv', 'it is no such table'),
    latencies: parseLatencyLog(await read('latency.hlog')) ?? damaged(dir, 'latency.hlog', 'it is no such log'),
    plan: await read('plan.yaml'),
  }
}

export async function readDecisions(dir: string): Promise<DecisionLine[]> {
  return parseLines(dir, 'decisions.jsonl', decisionLineSchema, await readText(path.join(dir, 'decisions.jsonl'), ''))
}

export async function readObserved(dir: string): Promise<Observation[]> {
  return parseLines(dir, 'observed.jsonl', observationSchema, await readText(path.join(dir, 'observed.jsonl'), ''))
}

/** The summary in a result folder. Throws ResultsError when it is no such folder, or damaged. */
export async function readSummary(dir: string): Promise<RunSummary> {
  return checkJson(dir, 'summary.json', summarySchema, await readText(path.join(dir, 'summary.json'), null))
}

/** `absent`: what a missing file counts as; null: it must be there. */
export async function readText(file: string, absent: string | null): Promise<string> {
  try {
    if ((await stat(file)).size > FILE_BYTES_MAX) {
      throw new ResultsError('RESULTS_DAMAGED', `${file} is larger than any of its kind: is this a result folder?`)
    }
    return await readFile(file, 'utf8')
  } catch (error) {
    if (error instanceof ResultsError) throw error
    if (absent !== null && error instanceof Error && 'code' in error && error.code === 'ENOENT') return absent
    const why = error instanceof Error ? error.message : String(error)
    throw new ResultsError(
      'RESULTS_MISSING',
      `${path.dirname(file)} is no result folder of paceline (${why}): name the folder of one run, <out>/<run-id>-<plan>-<time>`,
    )
  }
}

function parseLines<T>(dir: string, name: string, schema: z.ZodType<T>, text: string): T[] {
  const lines = text.split('\n').filter((line) => line !== '')
  return lines.map((line) => checkJson(dir, name, schema, line))
}

export function checkJson<T>(dir: string, name: string, schema: z.ZodType<T>, text: string): T {
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch (error) {
    return damaged(dir, name, error instanceof Error ? error.message : String(error))
  }
  const parsed = schema.safeParse(document)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  return damaged(dir, name, `${issue?.path.join('.')}: ${issue?.message}`)
}

function damaged(dir: string, name: string, why: string): never {
  throw new ResultsError('RESULTS_DAMAGED', `${path.join(dir, name)} is damaged: ${why}`)
}
