/** A lane for each agent: what it did when, where it waited, who led, when barriers were released. */

import { alternative, choiceOf, fill, h, section } from './dom.js'
import { milliseconds, moment, plain, seconds } from './format.js'
import { hasShortStages, timeScale } from './scale.js'
import { sortableTable } from './table.js'

/** @import { LeaderPeriod, Mark, ReportAgent, ReportData, ReportStage, Span } from '../types.ts' */
/** @import { Scale } from './scale.js' */

/** @type {Record<Mark['kind'], readonly [string, string]>} */
const MARKS = {
  lost: ['✕', 'lost'],
  excluded: ['⊘', 'excluded'],
  failed: ['!', 'stage failed'],
  late: ['◷', 'late'],
}

/** @type {Record<Span['kind'], string>} */
const SPANS = {
  work: 'works',
  wait: 'waits at a barrier',
  silent: 'no result',
  failed: 'failed',
  partial: 'stopped at work',
  open: 'at work now',
}

export function timelineSection() {
  const picture = h('div', { class: 'timeline', role: 'img' })
  const controls = h('div', { class: 'controls' })
  const events = h('ol', { class: 'events' })
  const legend = h('ul', { class: 'legend', 'aria-hidden': 'true' })
  const way = sortableTable("Each agent's way through the stages", WAY_COLUMNS)
  /** @type {boolean | null} */
  let widened = null
  /** @type {ReportData | null} */
  let shown = null
  const draw = () => {
    if (shown !== null) drawTimeline(picture, shown, timeScale(shown, widened ?? hasShortStages(shown)))
  }
  const element = section(
    'timeline',
    'Timeline',
    controls,
    picture,
    legend,
    alternative('What happened, in words', events),
    alternative('Work and waits of each agent', way.element),
  )
  return {
    element,
    /** @param {ReportData} data */
    update(data) {
      if (shown === null) {
        const start = hasShortStages(data) ? 'widened' : 'true'
        /** @type {[string, string][]} */
        const choices = [
          ['widened', 'Short stages widened'],
          ['true', 'True to scale'],
        ]
        const choose = (/** @type {string} */ choice) => {
          widened = choice === 'widened'
          draw()
        }
        fill(controls, choiceOf('Scale of the timeline', choices, start, choose))
      }
      shown = data
      draw()
      fill(legend, keysOf(data))
      fill(
        events,
        data.events.map(({ at, weight, text }) => h('li', { class: weight }, h('b', {}, moment(at)), text)),
      )
      way.update(waysOf(data))
    },
  }
}

/**
 * Of what there is to see.
 * @param {ReportData} data
 */
function keysOf({ agents }) {
  const spans = new Set(agents.flatMap(({ spans }) => spans.map(({ kind }) => kind)))
  const marks = new Set(agents.flatMap(({ marks }) => marks.map(({ kind }) => kind)))
  return [
    ...[...spans].map((kind) => key(`span ${kind}`, '', SPANS[kind])),
    key('leads', '', 'leads'),
    ...[...marks].map((kind) => key(`mark ${kind}`, ...MARKS[kind])),
  ]
}

/**
 * @param {string} kind
 * @param {string} sign
 * @param {string} text
 */
function key(kind, sign, text) {
  return h('li', {}, h('i', { class: `key ${kind}` }, sign), text)
}

/**
 * @param {HTMLElement} picture
 * @param {ReportData} data
 * @param {Scale} scale
 */
function drawTimeline(picture, data, scale) {
  picture.setAttribute('aria-label', describe(data))
  const { stages, agents, leaders } = data
  const lines = stages.map((stage) => h('i', { class: `release ${stage.outcome}`, style: at(scale, stage.to) }))
  fill(
    picture,
    row('', 'stages-row', [...stages.map((stage) => stageHead(stage, scale)), openHead(data, scale)]),
    row(
      'Leader',
      'leader-row',
      leaders.map((period) => leaderBar(period, data, scale)),
    ),
    h(
      'div',
      { class: 'lanes' },
      h('div', { class: 'releases' }, lines),
      agents.map((agent) => row(agent.name, `lane ${agent.fate}`, laneOf(agent, data, scale))),
    ),
    stages.some(({ startSpreadMs }) => startSpreadMs !== null) &&
      row(
        'Start spread',
        'spread-row',
        stages.map((stage) => spreadOf(stage, scale)),
      ),
    row(
      '',
      'axis',
      scale.ticks.map((tick) =>
        h('span', { class: edge(scale.position(tick)), style: at(scale, tick) }, plain(moment(tick))),
      ),
    ),
  )
}

/**
 * @param {string} name
 * @param {string} kind
 * @param {import('./dom.js').Child[]} content
 */
function row(name, kind, content) {
  return h(
    'div',
    { class: `row ${kind}` },
    h('div', { class: 'name', title: name }, name),
    h('div', { class: 'track' }, content),
  )
}

/**
 * @param {ReportStage} stage
 * @param {Scale} scale
 */
function stageHead(stage, scale) {
  const title = `${stage.sequence} ${stage.name}, ${stage.outcome}, released after ${seconds(stage.to - stage.from)}`
  return h(
    'span',
    { class: `stage-head ${stage.outcome}`, title, style: between(scale, stage.from, stage.to) },
    stage.name,
  )
}

/**
 * @param {ReportData} data
 * @param {Scale} scale
 */
function openHead({ open, seconds: until }, scale) {
  if (open === null) return null
  const title = `${open.sequence} ${open.name}, not released yet`
  return h('span', { class: 'stage-head', title, style: between(scale, open.from, until) }, open.name)
}

/**
 * @param {LeaderPeriod} period
 * @param {ReportData} data
 * @param {Scale} scale
 */
function leaderBar(period, data, scale) {
  const { name, term, from, to, seen } = period
  const title = `${name} leads, term ${term}, from ${moment(from)}${seen ? '' : ' at the latest'}`
  const style = between(scale, from, to ?? data.seconds)
  return h('span', { class: `leader-bar ${from > 0 ? 'changed' : ''}`, title, style }, h('span', {}, name))
}

/**
 * @param {ReportAgent} agent
 * @param {ReportData} data
 * @param {Scale} scale
 */
function laneOf(agent, data, scale) {
  const spans = agent.spans.map(({ kind, from, to, text }) =>
    h('i', {
      class: `span ${kind}`,
      title: `${text} (${moment(from)} to ${moment(to)})`,
      style: between(scale, from, to),
    }),
  )
  const leads = data.leaders
    .filter(({ name }) => name === agent.name)
    .map(({ from, to, term }) =>
      h('i', { class: 'leads', title: `leads, term ${term}`, style: between(scale, from, to ?? data.seconds) }),
    )
  const marks = agent.marks.map(({ kind, at: when, text }) =>
    h('i', { class: `mark ${kind}`, title: `${text} (${moment(when)})`, style: at(scale, when) }, MARKS[kind][0]),
  )
  return [...spans, ...leads, ...marks]
}

/**
 * @param {ReportStage} stage
 * @param {Scale} scale
 */
function spreadOf({ from, to, startSpreadMs, name }, scale) {
  if (startSpreadMs === null) return null
  const text = milliseconds(startSpreadMs)
  const title = `All started ${name} within ${text}`
  return h('span', { class: 'spread', title, style: between(scale, from, to) }, h('span', {}, text))
}

/**
 * @param {Scale} scale
 * @param {number} moment
 */
function at(scale, moment) {
  return { left: `${(scale.position(moment) * 100).toFixed(3)}%` }
}

/**
 * Texts at the ends stay inside.
 * @param {number} position
 */
function edge(position) {
  return position < 0.02 ? 'first' : position > 0.97 ? 'last' : null
}

/**
 * @param {Scale} scale
 * @param {number} from
 * @param {number} to
 */
function between(scale, from, to) {
  const [left, right] = [scale.position(from), scale.position(to)]
  return { left: `${(left * 100).toFixed(3)}%`, width: `${(Math.max(0, right - left) * 100).toFixed(3)}%` }
}

/** @param {ReportData} data */
function describe({ agents, stages, leaders, seconds: length }) {
  const lost = agents.filter(({ fate }) => fate !== 'took_part').map(({ name, fateText }) => `${name}: ${fateText}`)
  const led = leaders.map(({ name, from }) => `${name} from ${moment(from)}`).join(', ')
  return [
    `Timeline of ${agents.length} agents through ${stages.length} stages in ${seconds(length)}`,
    `Leaders: ${led}`,
    ...lost,
    'The tables below say the same in words',
  ].join('. ')
}

/** @typedef {{ agent: string, sequence: number, stage: string, from: number, worked: number, waited: number, end: string }} Way */

/**
 * @param {ReportData} data
 * @returns {Way[]}
 */
function waysOf({ agents, stages }) {
  return agents.flatMap(({ name, spans }) =>
    stages.flatMap(({ sequence, name: stage }) => {
      const own = spans.filter((span) => span.sequence === sequence)
      const work = own.find(({ kind }) => kind !== 'wait')
      if (work === undefined) return []
      const wait = own.find(({ kind }) => kind === 'wait')
      const waited = wait === undefined ? 0 : wait.to - wait.from
      return [
        { agent: name, sequence, stage, from: work.from, worked: work.to - work.from, waited, end: SPANS[work.kind] },
      ]
    }),
  )
}

/** @type {readonly import('./table.js').Column<Way>[]} */
const WAY_COLUMNS = [
  { title: 'Agent', value: ({ agent }) => agent },
  {
    title: 'Stage',
    left: true,
    value: ({ sequence }) => sequence,
    show: ({ sequence, stage }) => `${sequence} ${stage}`,
  },
  { title: 'Started', value: ({ from }) => from, show: ({ from }) => moment(from) },
  { title: 'Worked', value: ({ worked }) => worked, show: ({ worked }) => seconds(worked) },
  { title: 'Waited', value: ({ waited }) => waited, show: ({ waited }) => seconds(waited) },
  { title: 'Result', value: ({ end }) => end, show: ({ end }) => (end === SPANS.work ? 'delivered' : end) },
]
