/** Nobody acts on, or writes down, another decision than the others (invariant 1). */

import type { Evidence, Violation } from '../evidence.ts'
import { type Execution, eventsOf, type Part, releasesOf } from '../parts.ts'

export function agreement(_: Evidence, executions: readonly Execution[]): Violation[] {
  return executions.flatMap((execution) => [...sameEvents(execution), ...sameFiles(execution)])
}

function sameEvents({ parts }: Execution): Violation[] {
  const known = new Map<number, { text: string; by: string }>()
  const violations: Violation[] = []
  for (const part of parts) {
    for (const [sequence, text] of decidedBy(part)) {
      const first = known.get(sequence)
      if (first === undefined) known.set(sequence, { text, by: part.peer.id })
      else if (first.text !== text) {
        const both = `${first.by} has ${first.text}, ${part.peer.id} has ${text}`
        violations.push({ rule: 'agreement', text: `sequence ${sequence}: ${both}` })
      }
    }
  }
  return violations
}

/** What it said that was decided, by sequence; what it released alone binds nobody. */
function decidedBy(part: Part): [number, string][] {
  const releases = releasesOf(part)
    .filter(({ unilateral }) => !unilateral)
    .map(({ sequence, term, leader, policy, members, excluded, startAt }): [number, string] => [
      sequence,
      JSON.stringify({ term, leader, policy, members, excluded, startAt }),
    ])
  const aborts = eventsOf(part, 'barrier.aborted').map(({ sequence, term, leader, reason }): [number, string] => [
    sequence,
    JSON.stringify({ term, leader, aborted: reason }),
  ])
  return [...releases, ...aborts]
}

/** decisions.jsonl, byte for byte: one that ended earlier has less, never something else. */
function sameFiles({ parts, clients }: Execution): Violation[] {
  const texts = [
    ...parts.map(({ peer, folder }) => ({ by: peer.id, text: folder?.decisions ?? '' })),
    ...clients.map(({ id, folder }) => ({ by: `client ${id}`, text: folder?.decisions ?? '' })),
  ]
  const files = texts.map(({ by, text }) => ({ by, lines: linesOf(text) }))
  const longest = files.reduce<(typeof files)[number] | undefined>(
    (best, one) => (best !== undefined && best.lines.length >= one.lines.length ? best : one),
    undefined,
  )
  if (longest === undefined) return []
  const violations: Violation[] = []
  for (const { by, lines } of files) {
    const at = lines.findIndex((line, index) => line !== longest.lines[index])
    if (at >= 0) {
      const text = `line ${at + 1} of ${by} differs from ${longest.by}: ${lines[at]} / ${longest.lines[at]}`
      violations.push({ rule: 'decisions.jsonl', text })
    }
  }
  return [...violations, ...texts.flatMap(mixed), ...parts.flatMap(writtenAsSaid)]
}

/** After what one peer decided alone come only more decisions of that peer alone. */
function mixed({ by, text }: { by: string; text: string }): Violation[] {
  const lines = text.split('\n').filter((line) => line !== '')
  const alone = lines.slice(linesOf(text).length).map((line) => JSON.parse(line))
  const other = alone.find(({ unilateral, leader }) => unilateral !== true || leader !== alone[0].leader)
  if (other === undefined) return []
  const what = `${by} has the decision of ${other.leader} on ${other.sequence} after one of ${alone[0].leader} alone`
  return [{ rule: 'decisions.jsonl', text: what }]
}

/** Whoever ended its plan has written down each decision that it told of. */
function writtenAsSaid(part: Part): Violation[] {
  if (part.folder === null || eventsOf(part, 'run.finished').length === 0) return []
  const said = releasesOf(part).length + eventsOf(part, 'barrier.aborted').length
  const written = part.folder.decisions.trimEnd().split('\n').length
  if (said === written) return []
  return [{ rule: 'decisions.jsonl', text: `${part.peer.id} told of ${said} decisions and wrote ${written}` }]
}

/** Up to the first line that its writer decided alone. */
function linesOf(text: string): string[] {
  const lines = text.split('\n').filter((line) => line !== '')
  const alone = lines.findIndex((line) => JSON.parse(line).unilateral === true)
  return alone === -1 ? lines : lines.slice(0, alone)
}
