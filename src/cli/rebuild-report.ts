/** `paceline report`: makes the report of a result folder again and shows its tables, or sets two runs side by side. */

import path from 'node:path'
import type { ReportCommand } from './flags.ts'
import { compareRuns, renderComparison, renderTable, writeComparison, writeReport } from './report/mod.ts'
import { readSummary, rebuildResults } from './results/mod.ts'

export async function rebuildReport(command: ReportCommand): Promise<number> {
  if (command.compare !== null) return await compare(command.compare, command)
  const summary = await rebuildResults(command.dir)
  await writeReport(command.dir)
  if (command.json) process.stdout.write(`${JSON.stringify(summary, null, 2)}\n`)
  else process.stdout.write(`${renderTable(summary)}\n\nreport: ${path.resolve(command.dir, 'report.html')}\n`)
  return 0
}

async function compare(base: string, { dir, out, json }: ReportCommand): Promise<number> {
  const comparison = compareRuns(await readSummary(base), await readSummary(dir))
  const file = path.resolve(out ?? 'compare.html')
  await writeComparison(file, comparison)
  if (json) process.stdout.write(`${JSON.stringify(comparison, null, 2)}\n`)
  else process.stdout.write(`${renderComparison(comparison)}\n\ncomparison: ${file}\n`)
  return 0
}
