/** Latency by percentile, on the axis on which each further nine has the same room. */

import { lineChart } from './chart.js'
import { alternative, fill, h, section, selectOf } from './dom.js'
import { count, latency } from './format.js'
import { stageName } from './stages.js'
import { sortableTable } from './table.js'

/** @import { LatencyCurve, ReportData } from '../types.ts' */

/** Points of a curve for each further nine: CURVE_STEPS of types.ts. */
const STEPS = 10
const PERCENTILES = [50, 90, 99, 99.9, 99.99, 99.999]

export function distributionSection() {
  const chart = lineChart('Latency by percentile')
  const stageChoice = selectOf('Stage', (stage) => choose({ stage }))
  const linesChoice = selectOf('Lines', (lines) => choose({ lines }))
  const controls = h('div', { class: 'controls' }, stageChoice.element, linesChoice.element)
  const table = sortableTable('Latency by percentile', TABLE_COLUMNS)
  const body = h('div', {})
  const element = section('distribution', 'Latency distribution', body)
  const choice = { stage: '', lines: 'ops' }
  /** @type {ReportData | null} */
  let shown = null
  const draw = () => {
    const data = shown
    if (data === null) return
    const curves = data.curves.filter(({ sequence }) => String(sequence) === choice.stage)
    const ops = [...new Set(curves.map(({ op }) => op))]
    if (!ops.includes(choice.lines)) choice.lines = 'ops'
    stageChoice.update(stagesIn(data), choice.stage)
    linesChoice.update(linesIn(curves), choice.lines)
    const subject = choice.lines === 'ops' ? 'each operation, all agents' : `${choice.lines}, each agent`
    chart.update(specOf(chosen(curves, choice.lines), subject))
    table.update(data.curves.map((curve) => rowOf(curve, data)))
  }
  /** @param {Partial<typeof choice>} change */
  const choose = (change) => {
    Object.assign(choice, change)
    draw()
  }
  return {
    element,
    /** @param {ReportData} data */
    update(data) {
      if (data.curves.length === 0) return fill(body, h('p', { class: 'muted' }, 'No latencies were measured.'))
      if (shown === null || shown.curves.length === 0) {
        fill(body, controls, chart.element, alternative('The same as a table', table.element))
      }
      shown = data
      const stages = new Set(data.curves.map(({ sequence }) => String(sequence)))
      if (!stages.has(choice.stage)) choice.stage = busiest(data.curves)
      draw()
    },
  }
}

/** @param {readonly LatencyCurve[]} curves */
function busiest(curves) {
  const [most] = [...curves].sort((a, b) => b.count - a.count)
  return String(most?.sequence ?? '')
}

/**
 * @param {ReportData} data
 * @returns {[string, string][]}
 */
function stagesIn(data) {
  const sequences = [...new Set(data.curves.map(({ sequence }) => sequence))]
  return sequences.map((sequence) => [String(sequence), `${sequence} ${stageName(data, sequence)}`])
}

/**
 * @param {readonly LatencyCurve[]} curves
 * @returns {[string, string][]}
 */
function linesIn(curves) {
  const ops = new Set(curves.filter(({ agent }) => agent !== null).map(({ op }) => op))
  /** @type {(op: string) => [string, string]} */
  const each = (op) => [op, `${op}, each agent`]
  return [['ops', 'Each operation, all agents'], ...[...ops].map(each)]
}

/**
 * @param {readonly LatencyCurve[]} curves
 * @param {string} lines
 */
function chosen(curves, lines) {
  return lines === 'ops' ? curves.filter(({ agent }) => agent === null) : curves.filter(({ op }) => op === lines)
}

/**
 * @param {readonly LatencyCurve[]} curves
 * @param {string} subject
 */
function specOf(curves, subject) {
  const length = Math.max(0, ...curves.map(({ us }) => us.length))
  const nines = Math.ceil((length - 1) / STEPS)
  return {
    title: `Latency by percentile: ${subject}`,
    xs: Array.from({ length }, (_, at) => at / STEPS),
    lines: curves.map(({ op, agent, us }, index) => ({
      label: agent ?? op,
      index,
      values: Array.from({ length }, (_, at) => us[at] ?? null),
    })),
    formatX: percentileAt,
    formatY: latency,
    formatTick: latency,
    ticks: Array.from({ length: nines + 1 }, (_, at) => at),
    logarithmic: true,
    titleX: 'Percentile, with the same room for each nine',
  }
}

/**
 * "99.9 %" for 3: one in a thousand is slower.
 * @param {number} nines
 */
function percentileAt(nines) {
  const percent = 100 * (1 - 10 ** -nines)
  return `${Number(percent.toFixed(Math.max(0, Math.ceil(nines) - 1)))} %`
}

/**
 * The curve's point at or above a percentile; null beyond what so few values can tell.
 * @param {LatencyCurve} curve
 * @param {number} percent
 */
function valueAt({ us }, percent) {
  const at = Math.ceil(-Math.log10(1 - percent / 100) * STEPS - 1e-9)
  return us[at] ?? null
}

/**
 * @typedef {{ stage: string, op: string, agent: string, count: number, values: (number | null)[], max: number }} TableRow
 * @param {LatencyCurve} curve
 * @param {ReportData} data
 * @returns {TableRow}
 */
function rowOf(curve, data) {
  return {
    stage: `${curve.sequence} ${stageName(data, curve.sequence)}`,
    op: curve.op,
    agent: curve.agent ?? 'all',
    count: curve.count,
    values: PERCENTILES.map((percent) => valueAt(curve, percent)),
    max: curve.us.at(-1) ?? 0,
  }
}

/** @type {readonly import('./table.js').Column<TableRow>[]} */
const TABLE_COLUMNS = [
  { title: 'Stage', value: ({ stage }) => stage },
  { title: 'Op', value: ({ op }) => op },
  { title: 'Agent', value: ({ agent }) => agent },
  { title: 'Ops', value: (row) => row.count, show: (row) => count(row.count) },
  ...PERCENTILES.map((percent, at) => ({
    title: `${percent} %`,
    value: (/** @type {TableRow} */ { values }) => values[at] ?? null,
    show: (/** @type {TableRow} */ { values }) => {
      const value = values[at]
      return value === null || value === undefined ? '–' : latency(value)
    },
  })),
  { title: 'Max', value: ({ max }) => max, show: ({ max }) => latency(max) },
]
