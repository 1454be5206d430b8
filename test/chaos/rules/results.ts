/** Survivors hold every result of every stage that was released, and say honestly what is missing (6, 7). */

import { z } from 'zod'
import type { Evidence, ResultFolder, Violation } from '../evidence.ts'
import { type Execution, endOf, eventsOf, type Part, partOf, releaseOf, releasesOf } from '../parts.ts'
import { wasTroubled } from '../troubles.ts'

const summarySchema = z.looseObject({
  status: z.string(),
  unilateral: z.boolean(),
  stages: z.array(
    z.looseObject({
      sequence: z.number(),
      outcome: z.string(),
      unilateral: z.boolean(),
      members: z.array(z.string()),
      counted: z.array(z.string()),
      missing: z.array(z.string()),
      excluded: z.array(z.looseObject({ name: z.string() })),
      agents: z.array(z.looseObject({ name: z.string(), late: z.boolean(), status: z.string() })),
    }),
  ),
})
type Summary = z.infer<typeof summarySchema>

/** Results that were on their way when their barrier was released may be late. */
const ON_ITS_WAY_MS = 300

export function results(evidence: Evidence, executions: readonly Execution[]): Violation[] {
  return executions.flatMap((execution) => {
    const ended = execution.parts.filter((part) => endOf(part) !== undefined)
    const survivors = ended.filter((part) => endOf(part)?.status === 'completed')
    const kept = survivors.flatMap((part) => [...honesty(execution, part), ...ending(part)])
    const missing = ended.flatMap((part) => missingResults(evidence, execution, part))
    return [...missing, ...kept, ...sameTables(execution, survivors)]
  })
}

/** However its plan ended: of every stage whose release it has heard of. */
function missingResults(evidence: Evidence, execution: Execution, part: Part): Violation[] {
  const violations: Violation[] = []
  for (const { sequence, unilateral } of releasesOf(part)) {
    if (unilateral) break
    if (sequence === 0) continue
    for (const name of mustBeThere(evidence, execution, sequence)) {
      const prefix = `agents/${name}/${String(sequence).padStart(2, '0')}_`
      if ([...(part.folder?.tables.keys() ?? [])].some((file) => file.startsWith(prefix))) continue
      violations.push({ rule: 'results', text: `${part.peer.id} has no results of ${name} of stage ${sequence}` })
    }
  }
  return violations
}

/** Whose results a release must carry: of those that it counts as ready. */
function mustBeThere(evidence: Evidence, execution: Execution, sequence: number): readonly string[] {
  const release = releaseOf(execution, sequence)
  if (release === undefined) return []
  if (release.policy !== 'best_effort') return release.members
  return release.members.filter((name) => {
    const part = partOf(execution, name)
    const ready = part === undefined ? undefined : readyOf(part, sequence)
    if (part === undefined || ready === undefined) return false
    return ready.time < release.time - ON_ITS_WAY_MS && !wasTroubled(evidence, part.peer, release.time)
  })
}

/** When it said that it is ready. */
function readyOf(part: Part, sequence: number): { readonly time: number } | undefined {
  return eventsOf(part, 'barrier.waiting').find((event) => event.sequence === sequence)
}

/** Tables come from decisions alone, so whoever went all the way, and followed nobody who went on alone, has the same bytes. */
function sameTables({ clients }: Execution, survivors: readonly Part[]): Violation[] {
  const together = survivors.filter((part) => endOf(part)?.unilateral === false)
  const folders = [
    ...together.flatMap(({ peer, folder }) => (folder === null ? [] : [{ by: peer.id, folder }])),
    ...clients
      .filter(({ end, folder }) => end?.code === 0 && !wentAlone(folder))
      .flatMap(({ id, folder }) => (folder === null ? [] : [{ by: `client ${id}`, folder }])),
  ]
  const [first, ...others] = folders
  if (first === undefined || together.length === 0) return []
  return others.flatMap(({ by, folder }) => {
    const name = differingTable(first.folder, folder)
    return name === undefined ? [] : [{ rule: 'results', text: `${name} of ${by} differs from that of ${first.by}` }]
  })
}

function wentAlone(folder: ResultFolder | null): boolean {
  const summary = summarySchema.safeParse(folder?.summary)
  return summary.success && summary.data.unilateral
}

function differingTable(one: ResultFolder, other: ResultFolder): string | undefined {
  const names = new Set([...one.tables.keys(), ...other.tables.keys()])
  return [...names].find((name) => one.tables.get(name) !== other.tables.get(name))
}

function summaryOf(part: Part): Summary | undefined {
  const parsed = summarySchema.safeParse(part.folder?.summary)
  return parsed.success ? parsed.data : undefined
}

/** A stage that lost somebody, or had somebody late or failed, is no plain success. */
function honesty(execution: Execution, part: Part): Violation[] {
  const summary = summaryOf(part)
  if (summary === undefined) return [{ rule: 'results', text: `${part.peer.id} has no whole summary.json` }]
  return summary.stages.flatMap((stage) => {
    const fault = honestyFault(execution, part, stage)
    const text = `${part.peer.id}: stage ${stage.sequence} is "${stage.outcome}", though ${fault}`
    return fault === undefined ? [] : [{ rule: 'honesty', text }]
  })
}

function honestyFault(execution: Execution, part: Part, stage: Summary['stages'][number]): string | undefined {
  const { sequence, outcome, counted } = stage
  const release = releasesOf(part).find((one) => one.sequence === sequence)
  if (release === undefined) return 'it was never released'
  if (stage.unilateral !== release.unilateral) return 'it does not say who released it'
  const names = (list: readonly { name: string }[]) => list.map(({ name }) => name).sort()
  if (JSON.stringify(names(stage.excluded)) !== JSON.stringify(names(release.excluded))) {
    return `${names(release.excluded)} were excluded, and it says ${names(stage.excluded)}`
  }
  const waited = releaseOf(execution, sequence - 1)?.members ?? []
  const foreign = counted.find((name) => !waited.includes(name) && !release.unilateral)
  if (foreign !== undefined) return `it counts ${foreign}, no member any more`
  if (outcome !== 'complete') return undefined
  if (release.unilateral) return 'it was released by one peer alone'
  if (release.excluded.length > 0) return `${names(release.excluded)} were excluded`
  const lacking = waited.filter((name) => !counted.includes(name))
  if (lacking.length > 0) return `the work of ${lacking} is missing`
  const bad = stage.agents.find(({ late, status }) => late || status !== 'ok')
  return bad === undefined ? undefined : `${bad.name} was late, or failed`
}

function ending(part: Part): Violation[] {
  const summary = summaryOf(part)
  const end = endOf(part)
  if (summary === undefined || end === undefined) return []
  if (summary.status === end.status && summary.unilateral === end.unilateral) return []
  const both = `${end.status}${end.unilateral ? ' alone' : ''}, its summary says ${summary.status}`
  return [{ rule: 'honesty', text: `${part.peer.id} ended ${both}${summary.unilateral ? ' alone' : ''}` }]
}
