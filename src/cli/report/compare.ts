/** Two runs side by side: the figures of stages and operations that both have, and how they stand to each other. Pure. */

import type { Figures, RunSummary } from '../results/mod.ts'
import { layOut, noteLine } from './table.ts'

export interface ComparedRow {
  readonly stage: string
  readonly op: string
  readonly measure: string
  readonly base: number
  readonly other: number
  /** `other` to `base`; null where there is nothing to divide by. */
  readonly ratio: number | null
}

export interface Comparison {
  readonly base: ComparedRun
  readonly other: ComparedRun
  readonly rows: readonly ComparedRow[]
  /** What keeps the two from being compared as they stand. */
  readonly warnings: readonly string[]
}

export interface ComparedRun {
  readonly name: string
  readonly status: string
  readonly agents: number
}

const MEASURES = [
  ['ops/s', 'opsPerSecond'],
  ['MiB/s', 'mibPerSecond'],
  ['p50 us', 'p50Us'],
  ['p99 us', 'p99Us'],
  ['errors', 'errors'],
] as const satisfies readonly (readonly [string, keyof Figures])[]

export function compareRuns(base: RunSummary, other: RunSummary): Comparison {
  const warnings: string[] = []
  const rows: ComparedRow[] = []
  if (base.hash !== other.hash) warnings.push('the plans differ')
  if (base.agents.length !== other.agents.length) warnings.push('the numbers of agents differ')
  for (const run of [base, other]) {
    if (run.status !== 'completed') warnings.push(`${nameOf(run)} did not complete: ${run.status}`)
    for (const { name, outcome } of run.stages) {
      if (outcome !== 'complete') warnings.push(`${nameOf(run)}: stage ${name} is ${outcome}`)
    }
  }
  for (const stage of base.stages) {
    const twin = other.stages.find(({ name }) => name === stage.name)
    if (twin === undefined) warnings.push(`stage ${stage.name} is only in ${nameOf(base)}`)
    for (const figures of stage.ops) {
      const others = twin?.ops.find(({ op }) => op === figures.op)
      if (others !== undefined) rows.push(...rowsOf(stage.name, figures, others))
    }
  }
  for (const { name } of other.stages) {
    if (!base.stages.some((stage) => stage.name === name)) warnings.push(`stage ${name} is only in ${nameOf(other)}`)
  }
  return { base: runOf(base), other: runOf(other), rows, warnings }
}

function nameOf({ run, plan }: RunSummary): string {
  return `${run} plan ${plan}`
}

function runOf(summary: RunSummary): ComparedRun {
  return { name: nameOf(summary), status: summary.status, agents: summary.agents.length }
}

function rowsOf(stage: string, base: Figures, other: Figures): ComparedRow[] {
  return MEASURES.map(([measure, key]) => {
    const [before, after] = [base[key], other[key]]
    return { stage, op: base.op, measure, base: before, other: after, ratio: before === 0 ? null : after / before }
  })
}

export function renderComparison({ base, other, rows, warnings }: Comparison): string {
  const cells = rows.map((row) => {
    const ratio = row.ratio === null ? '-' : row.ratio.toFixed(3)
    return [row.stage, row.op, row.measure, row.base.toFixed(1), row.other.toFixed(1), ratio]
  })
  const head = [`A: ${base.name}, ${base.status}`, `B: ${other.name}, ${other.status}`]
  const notes = warnings.map(noteLine)
  return [...head, ...notes, '', ...layOut([['stage', 'op', 'measure', 'A', 'B', 'B / A'], ...cells], 3)].join('\n')
}
