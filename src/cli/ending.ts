/** How a followed plan ended, as text or as one JSON document. */

import { renderTable } from './report/mod.ts'
import type { SessionEnd } from './session.ts'
import { paint, wantsColor } from './terminal/mod.ts'

/** The tables of the results, where they are, and one last line with the verdict. */
export function describeEnd(end: SessionEnd): string {
  const color = wantsColor(process.stdout.isTTY === true, process.env)
  const lines: string[] = []
  if (end.summary !== null) lines.push(renderTable(end.summary), '')
  if (end.results !== null) lines.push(`results: ${end.results.dir}`)
  const alone = end.unilateral ? ' alone, without a quorum' : ''
  const why = end.reason === '' ? '' : `: ${end.reason}`
  const verdict = `${end.plan === 0 ? 'plan' : `plan ${end.plan}`} ${end.status}${alone}${why}`
  lines.push(paint(end.exit === 0 ? (end.unilateral ? 'yellow' : 'green') : 'red', verdict, color))
  return `${lines.join('\n')}\n`
}

export function endDocument(runId: string, end: SessionEnd): string {
  const { plan, status, reason, unilateral, exit, results, summary } = end
  const document = { run: runId, plan, status, reason, unilateral, exit, results: results?.dir ?? null, summary }
  return `${JSON.stringify(document, null, 2)}\n`
}
