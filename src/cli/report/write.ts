/** report.html of a result folder. */

import path from 'node:path'
import { type ResultFolder, readResults, writeWhole } from '../results/mod.ts'
import { ownVersion } from '../version.ts'
import { type Comparison, renderComparison } from './compare.ts'
import { reportOf } from './data.ts'
import { renderPage } from './page.ts'
import { renderTable } from './table.ts'

/** Makes `report.html` from the other files of the folder. Throws ResultsError. */
export async function writeReport(dir: string): Promise<void> {
  await writeWhole(path.join(dir, 'report.html'), reportPage(await readResults(dir)))
}

export function reportPage(folder: ResultFolder): string {
  const { summary } = folder
  return renderPage({
    title: `${summary.run} plan ${summary.plan}`,
    main: 'main',
    data: reportOf(folder, { madeBy: ownVersion() }),
    text: renderTable(summary),
  })
}

export async function writeComparison(file: string, comparison: Comparison): Promise<void> {
  const title = `${comparison.base.name} and ${comparison.other.name}`
  const text = renderComparison(comparison)
  await writeWhole(file, renderPage({ title, main: 'compare', data: comparison, text }))
}
