/** Where a moment lies on the timeline. Pure. */

/** @import { ReportData } from '../types.ts' */

/**
 * @typedef {{
 *   readonly position: (seconds: number) => number
 *   readonly ticks: readonly number[]
 * }} Scale
 */

/** Share of the width that a stage gets at least, where stages are widened; less where there are many. */
const SHARE_MIN = 0.08

/**
 * Positions from 0 to 1. True to scale, or with short stages widened so that everything of them can be seen: then time
 * runs at another pace in each stage, and ticks are where stages begin.
 * @param {ReportData} data
 * @param {boolean} widened
 * @returns {Scale}
 */
export function timeScale(data, widened) {
  const end = Math.max(data.seconds, 1e-3)
  if (!widened) return { position: (seconds) => clamp(seconds / end), ticks: niceTicks(end) }
  const borders = [...new Set([0, ...data.stages.map(({ to }) => to), end])].sort((a, b) => a - b)
  const lengths = borders.slice(1).map((border, at) => border - (borders[at] ?? 0))
  const least = end * Math.min(SHARE_MIN, 0.5 / Math.max(1, lengths.length))
  const widths = lengths.map((length) => Math.max(length, least))
  const total = widths.reduce((sum, width) => sum + width, 0)
  /** @type {number[]} */
  const starts = [0]
  for (const width of widths) starts.push((starts.at(-1) ?? 0) + width / total)
  /** @param {number} seconds */
  const position = (seconds) => {
    const at = Math.max(
      0,
      borders.findLastIndex((border) => border <= seconds),
    )
    const inside = (seconds - (borders[at] ?? 0)) / (lengths[at] ?? 1)
    return clamp((starts[at] ?? 1) + Math.max(0, inside) * ((widths[at] ?? 0) / total))
  }
  return { position, ticks: borders }
}

/**
 * Whether a scale that is true would hide a stage.
 * @param {ReportData} data
 */
export function hasShortStages({ stages, seconds }) {
  return stages.some(({ from, to }) => to - from < seconds * 0.04)
}

/** @param {number} share */
function clamp(share) {
  return Math.min(1, Math.max(0, share))
}

/** @param {number} end */
function niceTicks(end) {
  const rough = end / 8
  const power = 10 ** Math.floor(Math.log10(rough))
  const choices = rough > 45 ? [60, 120, 300, 600, 900, 1800, 3600, 7200] : [1, 2, 5, 10].map((n) => n * power)
  const step = choices.find((choice) => choice >= rough) ?? rough
  return Array.from({ length: Math.floor(end / step) + 1 }, (_, at) => at * step)
}
