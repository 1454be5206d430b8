/** The figures of a stage, all agents together whose work they contain. */

import { mergeStats, type OpStats } from '../../io/mod.ts'
import { figuredAgents, type StageRecord } from './record.ts'

const known = new WeakMap<StageRecord, { readonly version: number; readonly merged: readonly OpStats[] }>()

/** Merging histograms is costly, and wanted for the table of the stage and for the summary: the last one is kept. */
export function mergedStats(stage: StageRecord): readonly OpStats[] {
  const kept = known.get(stage)
  if (kept?.version === stage.version) return kept.merged
  const merged = mergeStats(figuredAgents(stage).map(({ result }) => result.stats))
  known.set(stage, { version: stage.version, merged })
  return merged
}
