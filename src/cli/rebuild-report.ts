/** `paceline report`: shows again what a result folder holds. */

import { renderTable } from './report/mod.ts'
import { readSummary } from './results/mod.ts'

export async function rebuildReport(command: { readonly dir: string; readonly json: boolean }): Promise<number> {
  const summary = await readSummary(command.dir)
  process.stdout.write(command.json ? `${JSON.stringify(summary, null, 2)}\n` : `${renderTable(summary)}\n`)
  return 0
}
