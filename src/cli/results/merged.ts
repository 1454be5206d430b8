/** The figures of a stage, all its agents together. */

import { mergeStats, type OpStats } from '../../io/mod.ts'
import type { StageRecord } from './record.ts'

const known = new WeakMap<StageRecord, { readonly version: number; readonly merged: readonly OpStats[] }>()

/** Merging histograms is costly, and wanted for the table of the stage and for the summary: the last one is kept. */
export function mergedStats(stage: StageRecord): readonly OpStats[] {
  const kept = known.get(stage)
  if (kept?.version === stage.version) return kept.merged
  const merged = mergeStats(stage.agents.map(({ result }) => result.stats))
  known.set(stage, { version: stage.version, merged })
  return merged
}
