/** What a round leaves behind: what each process said and how it ended, what was done to it, the files. */

import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import type { Ended, LoggedEvent, Runtime } from '../e2e/cluster.ts'
import type { PlanOptions } from './plan.ts'

/** Times everywhere: the clock that all processes of this machine share, ms. */
export interface Trouble {
  /** Starved: it wanted to run, and the machine was busy with others; nobody's fault. */
  readonly kind: 'killed' | 'paused' | 'told to leave' | 'starved'
  readonly since: number
  /** Infinite where it does not end. */
  readonly until: number
}

/** It will not take part any more. */
export function isFinal({ kind }: Trouble): boolean {
  return kind === 'killed' || kind === 'told to leave'
}

/** One process of `paceline node`. */
export interface Peer {
  /** The name; of a restarted one with a number: "c#2". */
  readonly id: string
  readonly name: string
  readonly runtime: Runtime
  readonly once: boolean
  readonly startedAt: number
  readonly events: readonly LoggedEvent[]
  readonly end: (Ended & { readonly at: number }) | null
  readonly stderr: string
  readonly troubles: readonly Trouble[]
  readonly folders: readonly ResultFolder[]
}

export interface ResultFolder {
  readonly dir: string
  readonly decisions: string
  /** The parsed summary.json; null where there is none yet. */
  readonly summary: unknown
  /** Text of each table by its name below the folder, but for those of what no decision carried. */
  readonly tables: ReadonlyMap<string, string>
}

/** One `paceline submit`. */
export interface Client {
  readonly id: string
  /** Hash of its plan. */
  readonly hash: string
  readonly startedAt: number
  readonly end: (Ended & { readonly at: number }) | null
  /** Sent to it, when. */
  readonly signals: readonly { readonly signal: 'SIGINT' | 'SIGKILL'; readonly at: number }[]
  readonly stdout: string
  readonly stderr: string
  readonly folder: ResultFolder | null
  /** It was handed in after all faults, to peers that know each other: it must complete. */
  readonly mustComplete: boolean
}

/** Packets of one peer's host that did not reach another's. */
export interface Cut {
  readonly from: string
  readonly to: string
  readonly since: number
  readonly until: number
}

export interface Evidence {
  readonly options: PlanOptions
  /** Packets were lost or late all the time. */
  readonly disturbed: boolean
  readonly peers: readonly Peer[]
  readonly clients: readonly Client[]
  readonly cuts: readonly Cut[]
  /** When an abort was asked for by hand. */
  readonly aborts: readonly number[]
  /** Processes that had not ended, or not said that their plan ended, when they should have. */
  readonly hung: readonly string[]
  /** What was done when, for the timeline. */
  readonly acts: readonly { readonly at: number; readonly text: string }[]
}

/** The rule that was broken, where, and how. */
export interface Violation {
  readonly rule: string
  readonly text: string
}

/** Every result folder below `out`; none where there is no such folder. */
export async function readFolders(out: string): Promise<ResultFolder[]> {
  const names = await readdir(out).catch(() => [])
  return await Promise.all(names.sort().map((name) => readFolder(path.join(out, name))))
}

async function readFolder(dir: string): Promise<ResultFolder> {
  const names = await readdir(dir, { recursive: true })
  const tables = new Map<string, string>()
  const own = new Set(await undeliveredIn(dir, names))
  for (const name of names.filter((one) => one.endsWith('_results.tsv') && !own.has(one)).sort()) {
    tables.set(name, await readFile(path.join(dir, name), 'utf8'))
  }
  const text = (name: string) => readFile(path.join(dir, name), 'utf8').catch(() => '')
  const summary = await text('summary.json')
  return { dir, decisions: await text('decisions.jsonl'), summary: summary === '' ? null : JSON.parse(summary), tables }
}

/** Tables of reports that say themselves that no decision carried them: not everybody has these. */
async function undeliveredIn(dir: string, names: readonly string[]): Promise<string[]> {
  const reports = names.filter((name) => name.endsWith('_report.json'))
  const texts = await Promise.all(reports.map((name) => readFile(path.join(dir, name), 'utf8')))
  const isUndelivered = (_: string, at: number) => JSON.parse(texts[at] ?? '{}').undelivered === true
  return reports.filter(isUndelivered).map((name) => name.replace(/_report\.json$/, '_results.tsv'))
}
