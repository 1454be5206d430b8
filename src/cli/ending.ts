/** How a followed plan ended, as text or as one JSON document. */

import { renderTable } from './report/mod.ts'
import type { SessionEnd } from './session.ts'
import { paint, printable, wantsColor } from './terminal/mod.ts'

/**
 * What is told at the end: the results on standard output, one last line with the verdict there as well, or on standard
 * error when the plan did not complete, so that scripts which keep only one of them see it.
 */
export function tellEnd(end: SessionEnd, options: { readonly runId: string; readonly json: boolean }): void {
  const verdict = `${verdictOf(end)}\n`
  if (options.json) process.stdout.write(endDocument(options.runId, end))
  else process.stdout.write(describeResults(end))
  if (end.exit !== 0)
    process.stderr.write(paint('red', verdict, wantsColor(process.stderr.isTTY === true, process.env)))
  else if (!options.json) {
    const color = wantsColor(process.stdout.isTTY === true, process.env)
    process.stdout.write(paint(end.unilateral ? 'yellow' : 'green', verdict, color))
  }
}

/** The tables of the results and where they are; nothing when there are none. */
function describeResults(end: SessionEnd): string {
  const table = end.summary === null ? '' : `${renderTable(end.summary)}\n\n`
  return end.results === null ? table : `${table}results: ${end.results.dir}\n`
}

function verdictOf(end: SessionEnd): string {
  const alone = end.unilateral ? ' alone, without a quorum' : ''
  const why = end.reason === '' ? '' : `: ${printable(end.reason)}`
  return `${end.plan === 0 ? 'plan' : `plan ${end.plan}`} ${end.status}${alone}${why}`
}

function endDocument(runId: string, end: SessionEnd): string {
  const { plan, status, reason, unilateral, exit, results, summary } = end
  const document = { run: runId, plan, status, reason, unilateral, exit, results: results?.dir ?? null, summary }
  return `${JSON.stringify(document, null, 2)}\n`
}
