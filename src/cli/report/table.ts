/** The results as text: one table a stage, then what must be known about it. Pure; at most 100 columns but for notes. */

import type { Figures, RunSummary, StageSummary } from '../results/mod.ts'
import { printable } from '../terminal/mod.ts'

const columns = ['op', 'ops', 'errors', 'ops/s', 'MiB/s', 'mean', 'p50', 'p99', 'max'] as const

export function renderTable(summary: RunSummary): string {
  const lines: string[] = []
  for (const stage of summary.stages) {
    lines.push(heading(stage), ...rowsOf(stage), ...stage.notes.map(noteLine), '')
  }
  return lines.join('\n').trimEnd()
}

/** Notes quote agents, which quote file names and servers. */
export function noteLine(note: string): string {
  return `   ! ${printable(note)}`
}

function heading(stage: StageSummary): string {
  const inPart = stage.partial.length === 0 ? '' : `, ${stage.partial.length} in part`
  const who = `${stage.counted.length} of ${stage.members.length} agents${inPart}`
  const parts = [`${stage.sequence} ${stage.name}`, stage.outcome, who, seconds(stage.seconds)]
  if (stage.waitedMs > 0) parts.push(`first ready waited ${duration(stage.waitedMs * 1000)}`)
  return parts.join(' | ')
}

function rowsOf(stage: StageSummary): string[] {
  if (stage.ops.length === 0) return []
  return layOut([[...columns], ...stage.ops.map(cellsOf)], 1)
}

/** Lines of a table, of which the first `lefts` columns are words. */
export function layOut(rows: readonly (readonly string[])[], lefts: number): string[] {
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)))
  return rows.map((row) => `   ${row.map((cell, at) => pad(cell, widths[at] ?? 0, at < lefts)).join('  ')}`)
}

function cellsOf(figures: Figures): string[] {
  return [
    figures.op,
    String(figures.count),
    String(figures.errors),
    rate(figures.opsPerSecond),
    figures.bytes === 0 ? '-' : rate(figures.mibPerSecond),
    ...[figures.meanUs, figures.p50Us, figures.p99Us, figures.maxUs].map((us) =>
      figures.count === 0 ? '-' : duration(us),
    ),
  ]
}

function pad(cell: string, width: number, left: boolean): string {
  return left ? cell.padEnd(width) : cell.padStart(width)
}

function rate(value: number): string {
  if (value >= 100_000) return `${(value / 1000).toFixed(0)}k`
  return value >= 100 ? value.toFixed(0) : value.toFixed(1)
}

/** Microseconds in a unit that keeps it short. */
function duration(us: number): string {
  if (us < 1000) return `${us < 10 ? us.toFixed(1) : us.toFixed(0)}us`
  if (us < 1_000_000) return `${(us / 1000).toFixed(us < 10_000 ? 2 : 1)}ms`
  return `${(us / 1_000_000).toFixed(2)}s`
}

function seconds(value: number): string {
  return `${value.toFixed(value < 10 ? 2 : 1)} s`
}
