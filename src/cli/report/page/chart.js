/** A line chart with a legend of its own: its lines are switched, and its points read, by mouse and by keyboard. */

import { fill, h, newId } from './dom.js'
import { plain } from './format.js'
import { colour, onThemeChange } from './theme.js'

/**
 * `values` are drawn, `shown` are read at the cursor (what is stacked is drawn on top of others).
 * @typedef {{
 *   readonly label: string
 *   readonly values: readonly (number | null)[]
 *   readonly shown?: readonly (number | null)[]
 *   readonly index: number
 *   readonly filled?: boolean
 * }} Line
 *
 * @typedef {{ readonly at: number, readonly text: string, readonly strong: boolean }} Landmark
 *
 * `formatX` and `formatY` make texts of numbers, `formatTick` short ones for the y axis; `ticks` are the only places for
 * marks of the x axis, if given.
 * @typedef {{
 *   readonly title: string
 *   readonly xs: readonly number[]
 *   readonly lines: readonly Line[]
 *   readonly formatX: (x: number) => string
 *   readonly formatY: (y: number) => string
 *   readonly formatTick: (y: number) => string
 *   readonly ticks?: readonly number[]
 *   readonly logarithmic?: boolean
 *   readonly stepped?: boolean
 *   readonly landmarks?: readonly Landmark[]
 *   readonly titleX: string
 * }} ChartSpec
 */

const COLOURS = 8
/** Lines are told apart without colours too. */
const DASHES = [[], [9, 4], [2, 4], [9, 4, 2, 4], [16, 5], [5, 3, 1, 3, 1, 3]]
const HEIGHT = 280
/** Of the longest text at a mark of the x axis, with some room, CSS pixels. */
const TICK_WIDTH = 76

/**
 * @param {string} label
 */
export function lineChart(label) {
  const plot = h('div', { class: 'plot' })
  const legend = h('div', { class: 'legend lines', role: 'group', 'aria-label': `Lines of: ${label}` })
  const readout = h('output', { class: 'readout', 'aria-live': 'polite' })
  const title = h('h3')
  const hint = newId('hint')
  const frame = h(
    'div',
    { class: 'frame', tabindex: 0, role: 'group', 'aria-label': label, 'aria-describedby': hint, onkeydown: onKey },
    plot,
    h('span', { id: hint, class: 'unseen' }, 'Arrow keys move along the chart; a table with the figures follows.'),
  )
  const element = h('div', { class: 'chart' }, h('div', { class: 'chart-head' }, title, readout), frame, legend)
  /** @type {Set<string>} */
  const hidden = new Set()
  /** @type {ChartSpec | null} */
  let spec = null
  /** @type {import('uplot') | null} */
  let chart = null

  /** @param {Event} event */
  function onKey(event) {
    if (!(event instanceof KeyboardEvent) || chart === null || spec === null) return
    const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 }[event.key]
    if (step === undefined) return
    event.preventDefault()
    const last = spec.xs.length - 1
    const next = Math.min(last, Math.max(0, (chart.cursor.idx ?? (step > 0 ? -1 : last + 1)) + step))
    chart.setCursor({ left: chart.valToPos(spec.xs[next] ?? 0, 'x'), top: 1 })
  }

  function draw() {
    chart?.destroy()
    chart = null
    if (spec === null || spec.lines.length === 0) return
    chart = new uPlot(optionsOf(spec, plot.clientWidth || 600, hidden, read), dataOf(spec), plot)
    drawLegend(spec)
  }

  /** @param {ChartSpec} current */
  function drawLegend(current) {
    fill(
      legend,
      current.lines.map((line) =>
        h(
          'button',
          { type: 'button', 'aria-pressed': String(!hidden.has(line.label)), onclick: () => toggle(line) },
          swatch(line),
          line.label,
        ),
      ),
    )
  }

  /** @param {Line} line */
  function toggle(line) {
    if (!hidden.delete(line.label)) hidden.add(line.label)
    draw()
  }

  /** @param {number | null | undefined} at */
  function read(at) {
    const current = spec
    const x = at === null || at === undefined ? undefined : current?.xs[at]
    if (current === null || x === undefined || at === null || at === undefined) return fill(readout)
    const values = current.lines.flatMap((line) => {
      const value = (line.shown ?? line.values)[at]
      if (value === null || value === undefined || hidden.has(line.label)) return []
      return [h('span', {}, swatch(line), `${line.label} `, h('b', {}, current.formatY(value)))]
    })
    fill(readout, h('b', {}, current.formatX(x)), values)
  }

  new ResizeObserver(() => {
    if (chart !== null && plot.clientWidth > 0 && chart.width !== plot.clientWidth) {
      chart.setSize({ width: plot.clientWidth, height: HEIGHT })
    }
  }).observe(plot)
  onThemeChange(draw)
  return {
    element,
    /** @param {ChartSpec} fresh */
    update(fresh) {
      const same = spec !== null && shapeOf(spec) === shapeOf(fresh)
      spec = fresh
      title.textContent = fresh.title
      if (same && chart !== null) chart.setData(dataOf(fresh))
      else draw()
      element.hidden = fresh.lines.length === 0
    },
  }
}

/** @param {ChartSpec} spec */
function shapeOf({ lines, logarithmic, ticks, landmarks, title }) {
  return JSON.stringify([lines.map(({ label, filled }) => [label, filled]), logarithmic, ticks, landmarks, title])
}

/**
 * @param {ChartSpec} spec
 * @returns {import('uplot').AlignedData}
 */
function dataOf({ xs, lines }) {
  return [[...xs], ...lines.map(({ values }) => [...values])]
}

/**
 * @param {ChartSpec} spec
 * @param {number} width
 * @param {ReadonlySet<string>} hidden
 * @param {(at: number | null | undefined) => void} read
 * @returns {import('uplot').Options}
 */
function optionsOf(spec, width, hidden, read) {
  const paths = spec.stepped === true ? uPlot.paths.stepped?.({ align: 1 }) : undefined
  return {
    width,
    height: HEIGHT,
    // The last mark's text stands half beyond the axis.
    padding: [null, 36, null, null],
    legend: { show: false },
    cursor: { drag: { x: true, y: false }, points: { size: 6 } },
    scales: { x: { time: false }, y: spec.logarithmic === true ? { distr: 3, range: decades } : { range: fromZero } },
    axes: axesOf(spec),
    series: [
      {},
      ...spec.lines.map((line) => ({
        label: line.label,
        show: !hidden.has(line.label),
        stroke: colourOf(line.index),
        width: 1.75,
        dash: DASHES[line.index % DASHES.length] ?? [],
        points: { show: false },
        ...(line.filled === true ? { fill: faded(colourOf(line.index)) } : {}),
        ...(paths === undefined ? {} : { paths }),
      })),
    ],
    hooks: {
      setCursor: [(chart) => read(chart.cursor.left !== undefined && chart.cursor.left < 0 ? null : chart.cursor.idx)],
      draw: [(chart) => drawLandmarks(chart, spec.landmarks ?? [])],
    },
  }
}

/**
 * @param {import('uplot')} _
 * @param {number | null} __
 * @param {number | null} highest
 * @returns {[number, number]}
 */
function fromZero(_, __, highest) {
  return [0, highest === null || highest <= 0 ? 1 : highest * 1.08]
}

/**
 * Whole powers of ten around what is drawn.
 * @param {import('uplot')} _
 * @param {number | null} lowest
 * @param {number | null} highest
 * @returns {[number, number]}
 */
function decades(_, lowest, highest) {
  const [low, high] = [Math.log10(lowest ?? 1), Math.log10(highest ?? 1)]
  return [10 ** Math.floor(low - 0.01), 10 ** Math.ceil(high + 0.01)]
}

/**
 * @param {ChartSpec} spec
 * @returns {import('uplot').Axis[]}
 */
function axesOf({ formatX, formatTick, ticks, titleX, logarithmic }) {
  const common = {
    stroke: colour('muted'),
    grid: { stroke: colour('grid'), width: 1 },
    ticks: { stroke: colour('grid'), width: 1, size: 4 },
    font: '12px system-ui, sans-serif',
    labelFont: '12px system-ui, sans-serif',
  }
  return [
    {
      ...common,
      label: titleX,
      labelSize: 20,
      size: 28,
      values: (_, splits) => splits.map((value) => (value === null ? '' : plain(formatX(value)))),
      ...(ticks === undefined ? {} : { splits: () => [...ticks], filter: (chart, splits) => thinned(chart, splits) }),
    },
    {
      ...common,
      size: 64,
      values: (_, splits) => splits.map((value) => (value === null ? '' : plain(formatTick(value)))),
      // Of a logarithmic axis, only powers of ten are named.
      ...(logarithmic === true ? { filter: (_, splits) => splits.map(powerOfTen) } : {}),
    },
  ]
}

/**
 * As many as have room for their texts.
 * @param {import('uplot')} chart
 * @param {readonly number[]} splits
 */
function thinned({ width }, splits) {
  const each = Math.ceil((splits.length * TICK_WIDTH) / width)
  return splits.map((value, at) => (at % each === 0 ? value : null))
}

/** @param {number} value */
function powerOfTen(value) {
  const power = Math.log10(value)
  return Math.abs(power - Math.round(power)) < 1e-6 ? value : null
}

/**
 * @param {import('uplot')} chart
 * @param {readonly Landmark[]} landmarks
 */
function drawLandmarks(chart, landmarks) {
  const { ctx, bbox } = chart
  const unit = devicePixelRatio
  ctx.save()
  ctx.font = `${11 * unit}px system-ui, sans-serif`
  ctx.textAlign = 'left'
  ctx.textBaseline = 'top'
  for (const [index, { at, text, strong }] of landmarks.entries()) {
    const x = chart.valToPos(at, 'x', true)
    if (x < bbox.left - 1 || x > bbox.left + bbox.width) continue
    ctx.strokeStyle = colour(strong ? 'warning' : 'line')
    ctx.fillStyle = colour(strong ? 'warning' : 'muted')
    ctx.setLineDash(strong ? [5 * unit, 3 * unit] : [])
    ctx.lineWidth = unit
    ctx.beginPath()
    ctx.moveTo(x, bbox.top)
    ctx.lineTo(x, bbox.top + bbox.height)
    ctx.stroke()
    // Each kind has a row of its own; where a text would reach into the next one's place there is none.
    const next = landmarks.slice(index + 1).find((one) => one.strong === strong)
    const end = next === undefined ? bbox.left + bbox.width : chart.valToPos(next.at, 'x', true)
    if (x + ctx.measureText(text).width + 8 * unit > end) continue
    ctx.fillText(text, x + 4 * unit, bbox.top + 2 * unit + (strong ? 14 * unit : 0))
  }
  ctx.restore()
}

/** @param {Line} line */
function swatch(line) {
  const dash = DASHES[line.index % DASHES.length] ?? []
  const pattern = dash.length === 0 ? 'solid' : (dash[0] ?? 0) < 3 ? 'dotted' : 'dashed'
  return h('i', { class: 'swatch', style: { 'border-top': `3px ${pattern} ${colourOf(line.index)}` } })
}

/** @param {number} index */
function colourOf(index) {
  return colour(`line-${index % COLOURS}`)
}

/**
 * Opaque, so that what is stacked hides what it stands on.
 * @param {string} line
 */
function faded(line) {
  const [own, ground] = [channels(line), channels(colour('surface'))]
  return `rgb(${own.map((value, at) => Math.round(value * 0.42 + (ground[at] ?? 0) * 0.58)).join(', ')})`
}

/** @param {string} rgb */
function channels(rgb) {
  return (rgb.match(/\d+/g) ?? []).slice(0, 3).map(Number)
}
