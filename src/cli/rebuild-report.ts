/** `paceline report`: makes the report of a result folder again, and shows its tables. */

import path from 'node:path'
import { renderTable, writeReport } from './report/mod.ts'
import { rebuildResults } from './results/mod.ts'

export async function rebuildReport(command: { readonly dir: string; readonly json: boolean }): Promise<number> {
  const summary = await rebuildResults(command.dir)
  await writeReport(command.dir)
  if (command.json) process.stdout.write(`${JSON.stringify(summary, null, 2)}\n`)
  else process.stdout.write(`${renderTable(summary)}\n\nreport: ${path.resolve(command.dir, 'report.html')}\n`)
  return 0
}
