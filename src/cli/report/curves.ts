/** Latency by percentile, of each op and stage: all agents together and each on its own. Pure. */

import { decodeHistogram, highestAt } from '../../io/mod.ts'
import type { Latency } from '../results/mod.ts'
import { CURVE_STEPS, type LatencyCurve } from './types.ts'

/** More curves of single agents than this are left out: a page has to open. */
export const AGENT_CURVES_MAX = 2000

/** `isSummed`: whether the figures of the stage contain what this agent did. */
export function curvesOf(
  latencies: readonly Latency[],
  isSummed: (latency: Latency) => boolean = () => true,
): LatencyCurve[] {
  const groups = Map.groupBy(latencies, ({ sequence, op }) => `${sequence} ${op}`)
  const curves = [...groups.values()].flatMap((group) => {
    const [first] = group
    if (first === undefined) return []
    const { sequence, op } = first
    const all = decodeHistogram(first.histogram).fill(0)
    const single = group.map((latency) => {
      const counts = decodeHistogram(latency.histogram)
      if (isSummed(latency)) for (let i = 0; i < counts.length; i++) all[i] = (all[i] ?? 0) + (counts[i] ?? 0)
      return { sequence, op, agent: latency.agent, ...curve(counts) }
    })
    const together = group.some(isSummed) ? [{ sequence, op, agent: null, ...curve(all) }] : []
    return [...together, ...(group.length > together.length ? single : [])]
  })
  const singles = curves.filter(({ agent }) => agent !== null)
  return singles.length <= AGENT_CURVES_MAX ? curves : curves.filter(({ agent }) => agent === null)
}

function curve(counts: Float64Array): { count: number; us: number[] } {
  let count = 0
  let last = 0
  for (let i = 0; i < counts.length; i++) {
    if (counts[i] === 0) continue
    count += counts[i] ?? 0
    last = i
  }
  const us: number[] = []
  if (count === 0) return { count, us }
  let seen = 0
  let next = wanted(0, count)
  for (let i = 0; i <= last && next < count; i++) {
    seen += counts[i] ?? 0
    while (seen >= next && next < count) {
      us.push(short(highestAt(i) / 1000))
      next = wanted(us.length, count)
    }
  }
  us.push(short(highestAt(last) / 1000))
  return { count, us }
}

/** How many values lie at or below the point `step` of a curve; at least one. */
function wanted(step: number, count: number): number {
  return Math.max(1, Math.ceil(count * (1 - 10 ** (-step / CURVE_STEPS)) * (1 - Number.EPSILON * 4)))
}

/** The histograms have three significant digits. */
function short(value: number): number {
  return Number(value.toPrecision(4))
}
