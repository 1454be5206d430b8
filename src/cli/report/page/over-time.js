/** Throughput and latency while the stages ran. */

import { lineChart } from './chart.js'
import { alternative, choiceOf, fill, h, section, selectOf } from './dom.js'
import { bandwidth, count, latency, moment, rate } from './format.js'
import { stageName } from './stages.js'
import { compare, sortableTable } from './table.js'

/** @import { AgentSeries, ReportData, StageSeries } from '../types.ts' */
/** @import { ChartSpec, Line } from './chart.js' */

/** Lines of more agents than this hide each other. */
const AGENTS_EACH_MAX = 8

/** @type {Record<string, { title: string, unit: string, format: (value: number) => string, tick: (value: number) => string }>} */
const MEASURES = {
  opsPerSecond: { title: 'Operations', unit: 'ops/s', format: (value) => `${rate(value)} ops/s`, tick: rate },
  mibPerSecond: { title: 'Bandwidth', unit: 'MiB/s', format: bandwidth, tick: rate },
  errors: { title: 'Errors', unit: 'in each interval', format: count, tick: rate },
}

/** @type {readonly (readonly [string, string])[]} */
const VIEWS = [
  ['stacked', 'Stacked'],
  ['each', 'Per agent'],
]
/** @type {readonly (readonly [string, string])[]} */
const PERCENTILES = [
  ['p99Us', 'p99'],
  ['p50Us', 'p50'],
]
/** @type {readonly (readonly [string, string])[]} */
const SPREADS = [
  ['each', 'Per agent'],
  ['highest', 'Highest'],
]

/** @typedef {{ stage: string, measure: string, view: string, percentile: string, spread: string }} Choice */

export function overTimeSection() {
  const throughput = lineChart('Throughput over time')
  const latencies = lineChart('Latency percentiles over time')
  const table = sortableTable('Throughput and latency of each stage and agent over time', TABLE_COLUMNS)
  /** @type {Choice} */
  const choice = { stage: 'all', measure: 'opsPerSecond', view: 'stacked', percentile: 'p99Us', spread: 'each' }
  /** @type {ReportData | null} */
  let shown = null
  /** @type {ReturnType<typeof controlsOf> | null} */
  let controls = null
  const draw = () => {
    if (shown === null) return
    const series = shown.series.filter(({ sequence }) => choice.stage === 'all' || String(sequence) === choice.stage)
    throughput.update({ ...frameOf(series, shown), ...throughputLines(series, choice) })
    latencies.update({ ...frameOf(series, shown), ...latencyLines(series, choice), logarithmic: true })
  }
  const body = h('div', {})
  const element = section('over-time', 'Over time', body)
  /** @param {Partial<Choice>} change */
  const choose = (change) => {
    Object.assign(choice, change)
    draw()
  }
  return {
    element,
    /** @param {ReportData} data */
    update(data) {
      shown = data
      if (data.series.length === 0) {
        controls = null
        return fill(body, h('p', { class: 'muted' }, 'No operations were measured over time.'))
      }
      if (controls === null) {
        choice.spread = agentsIn(data.series).length > AGENTS_EACH_MAX ? 'highest' : 'each'
        controls = controlsOf(choice, choose)
        const same = alternative('The same as a table', table.element)
        fill(body, controls.element, throughput.element, latencies.element, same)
      }
      if (!data.series.some(({ sequence }) => String(sequence) === choice.stage)) choice.stage = 'all'
      controls.update(data)
      draw()
      table.update(data.series.flatMap((stage) => tableRows(stage, data)))
    },
  }
}

/**
 * @param {Choice} choice
 * @param {(change: Partial<Choice>) => void} choose
 */
function controlsOf(choice, choose) {
  const stage = selectOf('Stage', (value) => choose({ stage: value }))
  const measure = selectOf('Throughput', (value) => choose({ measure: value }))
  const percentile = selectOf('Latency', (value) => choose({ percentile: value }))
  const views = choiceOf('Throughput of agents', VIEWS, choice.view, (view) => choose({ view }))
  const spreads = choiceOf('Latency of agents', SPREADS, choice.spread, (spread) => choose({ spread }))
  return {
    element: h('div', { class: 'controls' }, stage.element, measure.element, views, percentile.element, spreads),
    /** @param {ReportData} data */
    update(data) {
      stage.update(
        [['all', 'All stages'], ...data.series.map(({ sequence }) => stageOption(data, sequence))],
        choice.stage,
      )
      measure.update(
        Object.entries(MEASURES).map(([key, { title }]) => [key, title]),
        choice.measure,
      )
      percentile.update(PERCENTILES, choice.percentile)
    },
  }
}

/**
 * @param {ReportData} data
 * @param {number} sequence
 * @returns {[string, string]}
 */
function stageOption(data, sequence) {
  return [String(sequence), `${sequence} ${stageName(data, sequence)}`]
}

/**
 * @param {readonly StageSeries[]} series
 * @param {ReportData} data
 */
function frameOf(series, data) {
  const landmarks = [
    ...series.map(({ sequence, from }) => ({ at: from, text: stageName(data, sequence), strong: false })),
    ...data.leaders.slice(1).map(({ from, name }) => ({ at: from, text: `${name} leads`, strong: true })),
  ]
  return {
    xs: series.flatMap((stage) => edgesOf(stage)),
    formatX: moment,
    titleX: 'Time since the start of the first stage',
    stepped: true,
    landmarks: landmarks.sort((a, b) => a.at - b.at),
  }
}

/**
 * The beginnings of a stage's intervals, its end, and a moment after it at which there is nothing.
 * @param {StageSeries} series
 */
function edgesOf({ from, to, step, agents }) {
  const length = agents[0]?.opsPerSecond.length ?? 0
  return [...Array.from({ length }, (_, at) => from + at * step), to, to + 1e-6]
}

/**
 * An agent's values at those edges.
 * @param {readonly StageSeries[]} series
 * @param {string} name
 * @param {(agent: AgentSeries) => readonly (number | null)[]} valuesOf
 */
function alongEdges(series, name, valuesOf) {
  return series.flatMap((stage) => {
    const agent = stage.agents.find((one) => one.name === name)
    const empty = edgesOf(stage).map(() => null)
    if (agent === undefined) return empty
    const values = valuesOf(agent)
    return [...values, values.at(-1) ?? null, null]
  })
}

/**
 * @param {readonly StageSeries[]} series
 * @param {{ measure: string, view: string }} choice
 * @returns {Pick<ChartSpec, 'lines' | 'formatY' | 'formatTick' | 'title'>}
 */
function throughputLines(series, { measure, view }) {
  /** @param {AgentSeries} agent */
  const valuesOf = (agent) =>
    measure === 'errors' ? agent.errors : measure === 'mibPerSecond' ? agent.mibPerSecond : agent.opsPerSecond
  const lines = agentsIn(series).map((label, index) => ({ label, index, values: alongEdges(series, label, valuesOf) }))
  const { title = '', unit = '', format = String, tick = String } = MEASURES[measure] ?? {}
  const how = view === 'stacked' ? 'agents stacked' : 'each agent'
  const drawn = view === 'stacked' ? stacked(lines) : lines
  return { title: `${title}, ${unit}, ${how}`, formatY: format, formatTick: tick, lines: drawn }
}

/**
 * The highest comes first, so that the others are drawn over it.
 * @param {readonly Line[]} lines
 * @returns {Line[]}
 */
function stacked(lines) {
  /** @type {(number | null)[]} */
  let below = []
  const stack = lines.map((line) => {
    const ground = below
    const values = line.values.map((value, at) => (value === null ? (ground[at] ?? null) : value + (ground[at] ?? 0)))
    below = values
    return { ...line, values, shown: line.values, filled: true }
  })
  return stack.reverse()
}

/**
 * @param {readonly StageSeries[]} series
 * @param {{ percentile: string, spread: string }} choice
 * @returns {Pick<ChartSpec, 'lines' | 'formatY' | 'formatTick' | 'title'>}
 */
function latencyLines(series, { percentile, spread }) {
  /** @param {AgentSeries} agent */
  const valuesOf = (agent) => (percentile === 'p50Us' ? agent.p50Us : agent.p99Us)
  const word = percentile === 'p50Us' ? 'p50' : 'p99'
  const each = agentsIn(series).map((name, index) => {
    return { label: name, index, values: alongEdges(series, name, valuesOf) }
  })
  const common = { formatY: latency, formatTick: latency }
  if (spread !== 'highest') return { ...common, title: `${word} latency, each agent`, lines: each }
  const values = (each[0]?.values ?? []).map((_, at) => highest(each.map((line) => line.values[at] ?? null)))
  return {
    ...common,
    title: `${word} latency, the highest of all agents`,
    lines: [{ label: `highest ${word}`, index: 0, values }],
  }
}

/** @param {readonly (number | null)[]} values */
function highest(values) {
  const known = values.filter((value) => value !== null)
  return known.length === 0 ? null : Math.max(...known)
}

/** @param {readonly StageSeries[]} series */
function agentsIn(series) {
  return [...new Set(series.flatMap(({ agents }) => agents.map(({ name }) => name)))].sort(compare)
}

/**
 * @typedef {{ stage: string, agent: string, lowest: number, mean: number, highest: number, bandwidth: number, p50: number, p99: number }} TableRow
 * @param {StageSeries} series
 * @param {ReportData} data
 * @returns {TableRow[]}
 */
function tableRows({ sequence, agents }, data) {
  return agents.map(({ name, opsPerSecond, mibPerSecond, p50Us, p99Us }) => ({
    stage: `${sequence} ${stageName(data, sequence)}`,
    agent: name,
    lowest: Math.min(...opsPerSecond),
    mean: meanOf(opsPerSecond),
    highest: Math.max(...opsPerSecond),
    bandwidth: meanOf(mibPerSecond),
    p50: highest(p50Us) ?? 0,
    p99: highest(p99Us) ?? 0,
  }))
}

/** @param {readonly number[]} values */
function meanOf(values) {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length)
}

/** @type {readonly import('./table.js').Column<TableRow>[]} */
const TABLE_COLUMNS = [
  { title: 'Stage', value: ({ stage }) => stage },
  { title: 'Agent', value: ({ agent }) => agent },
  { title: 'Lowest ops/s', value: ({ lowest }) => lowest, show: ({ lowest }) => rate(lowest) },
  { title: 'Mean ops/s', value: ({ mean }) => mean, show: ({ mean }) => rate(mean) },
  { title: 'Highest ops/s', value: (row) => row.highest, show: (row) => rate(row.highest) },
  { title: 'Mean MiB/s', value: (row) => row.bandwidth, show: (row) => rate(row.bandwidth) },
  { title: 'Highest p50', value: ({ p50 }) => p50, show: ({ p50 }) => latency(p50) },
  { title: 'Highest p99', value: ({ p99 }) => p99, show: ({ p99 }) => latency(p99) },
]
