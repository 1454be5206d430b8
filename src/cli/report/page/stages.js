/** Headline figures of each stage, and the tables with all of them. */

import { alternative, fill, h, section, withUnit } from './dom.js'
import { bandwidth, bytes, count, latency, milliseconds, percent, plural, rate, seconds } from './format.js'
import { sortableTable } from './table.js'

/** @import { AgentFigures, OpFigures, ReportData, ReportStage } from '../types.ts' */

const OUTCOMES = {
  complete: ['✓', 'complete'],
  degraded: ['!', 'degraded'],
  failed: ['✕', 'failed'],
  aborted: ['✕', 'aborted'],
}

/** Notes that are shown at once: with many agents there are many. */
const NOTES_SHOWN = 4

export function stagesSection() {
  const cards = h('ol', { class: 'cards' })
  const byOp = sortableTable('Figures of each stage and operation, all agents together', OP_COLUMNS)
  const byAgent = sortableTable('Figures of each stage, agent and operation', AGENT_COLUMNS)
  const eachAgent = alternative('Figures of each agent', byAgent.element)
  const element = section('stages', 'Stages', cards, byOp.element, eachAgent)
  return {
    element,
    /** @param {ReportData} data */
    update({ stages }) {
      fill(cards, stages.map(card))
      const none = stages.every(({ ops }) => ops.length === 0)
      for (const element of [byOp.element, eachAgent]) element.hidden = none
      byOp.update(stages.flatMap((stage) => stage.ops.map((figures) => ({ stage, figures }))))
      byAgent.update(stages.flatMap((stage) => stage.agents.flatMap((agent) => agentRows(stage, agent))))
    },
  }
}

/**
 * Of a stage that was decided or runs now.
 * @param {ReportData} data
 * @param {number} sequence
 */
export function stageName({ stages, open }, sequence) {
  const stage = stages.find((one) => one.sequence === sequence)
  return stage?.name ?? (open?.sequence === sequence ? open.name : '')
}

/** @param {ReportStage} stage */
function outcomeBadge(stage) {
  const [sign = '', word = ''] = OUTCOMES[stage.outcome]
  return h('span', { class: `badge ${stage.outcome}` }, h('span', { 'aria-hidden': 'true' }, sign), ` ${word}`)
}

/** @param {ReportStage} stage */
function card(stage) {
  const inPart = stage.partial.length === 0 ? '' : `, ${stage.partial.length} in part`
  const who = `${stage.counted.length} of ${plural(stage.members.length, 'agent')}${inPart}`
  return h(
    'li',
    { class: `card ${stage.outcome}` },
    h(
      'h3',
      {},
      h('span', { class: 'sequence' }, String(stage.sequence)),
      h('span', { class: 'stage-name' }, stage.name),
      outcomeBadge(stage),
    ),
    h('p', { class: 'muted' }, [stage.type, stage.policy, who].filter((part) => part !== '').join(' · ')),
    h('dl', { class: 'figures' }, headlines(stage)),
    notesOf(stage),
  )
}

/** @param {ReportStage} stage */
function notesOf({ notes }) {
  if (notes.length === 0) return null
  const items = notes.map((note) => h('li', {}, note))
  const more = items.slice(NOTES_SHOWN)
  return h(
    'div',
    { class: 'card-notes' },
    h('ul', { class: 'notes' }, items.slice(0, NOTES_SHOWN)),
    more.length > 0 && h('details', {}, h('summary', {}, `${more.length} more`), h('ul', { class: 'notes' }, more)),
  )
}

/** @param {ReportStage} stage */
function headlines(stage) {
  const sum = stage.ops.reduce(
    (all, { count, bytes, errors, opsPerSecond, mibPerSecond }) => ({
      count: all.count + count,
      bytes: all.bytes + bytes,
      errors: all.errors + errors,
      opsPerSecond: all.opsPerSecond + opsPerSecond,
      mibPerSecond: all.mibPerSecond + mibPerSecond,
    }),
    { count: 0, bytes: 0, errors: 0, opsPerSecond: 0, mibPerSecond: 0 },
  )
  /** @type {[string, import('./dom.js').Child[], string?][]} */
  const items = []
  const moved = sum.bytes > 0
  if (stage.ops.length > 0) {
    items.push(['Throughput', withUnit(`${rate(sum.opsPerSecond)} ops/s`), 'large'])
    items.push(['Bandwidth', moved ? withUnit(bandwidth(sum.mibPerSecond)) : ['–'], 'large'])
    items.push(['Operations', withUnit(rate(sum.count)), 'large'])
    if (sum.errors > 0) items.push(['Errors', [`! ${count(sum.errors)}`], 'bad wide'])
    items.push(['Moved', moved ? withUnit(bytes(sum.bytes)) : ['–']])
  }
  if (stage.agents.length > 0) items.push(['Worked', withUnit(seconds(stage.seconds))])
  if (stage.outcome !== 'aborted') items.push(['Longest wait', withUnit(milliseconds(stage.waitedMs))])
  if (stage.startSpreadMs !== null) items.push(['Start spread', withUnit(milliseconds(stage.startSpreadMs))])
  const slowest = stage.ops.map(({ op, p99Us }) => h('span', {}, `${op} `, ...withUnit(latency(p99Us))))
  if (stage.ops.length > 0) items.push(['p99', slowest, 'of-ops'])
  return items.map(([term, value, kind]) => h('div', { class: kind ?? null }, h('dt', {}, term), h('dd', {}, value)))
}

/** @typedef {{ readonly stage: ReportStage, readonly figures: OpFigures }} OpRow */

/** @type {import('./table.js').Column<OpRow>} */
const STAGE_COLUMN = {
  title: 'Stage',
  left: true,
  value: ({ stage }) => stage.sequence,
  show: ({ stage }) => `${stage.sequence} ${stage.name}`,
}

/** @type {readonly import('./table.js').Column<OpRow>[]} */
const FIGURE_COLUMNS = [
  { title: 'Op', value: ({ figures }) => figures.op },
  { title: 'Ops', value: ({ figures }) => figures.count, show: ({ figures }) => count(figures.count) },
  {
    title: 'Errors',
    value: ({ figures }) => figures.errors,
    show: ({ figures }) =>
      figures.errors > 0 ? h('strong', { class: 'bad' }, `! ${count(figures.errors)}`) : count(figures.errors),
  },
  { title: 'Ops/s', value: ({ figures }) => figures.opsPerSecond, show: ({ figures }) => rate(figures.opsPerSecond) },
  {
    title: 'MiB/s',
    value: ({ figures }) => figures.mibPerSecond,
    show: ({ figures }) => (figures.bytes === 0 ? '–' : rate(figures.mibPerSecond)),
  },
  ...latencyColumns(),
]

/** @returns {import('./table.js').Column<OpRow>[]} */
function latencyColumns() {
  /** @type {readonly (readonly [string, keyof OpFigures & `${string}Us`])[]} */
  const columns = [
    ['Mean', 'meanUs'],
    ['p50', 'p50Us'],
    ['p90', 'p90Us'],
    ['p95', 'p95Us'],
    ['p99', 'p99Us'],
    ['p99.9', 'p999Us'],
    ['Max', 'maxUs'],
  ]
  return columns.map(([title, key]) => ({
    title,
    value: ({ figures }) => figures[key],
    show: ({ figures }) => (figures.count === 0 ? '–' : latency(figures[key])),
  }))
}

const OP_COLUMNS = [STAGE_COLUMN, ...FIGURE_COLUMNS]

/**
 * @typedef {OpRow & { readonly agent: AgentFigures }} AgentRow
 * @param {ReportStage} stage
 * @param {AgentFigures} agent
 * @returns {AgentRow[]}
 */
function agentRows(stage, agent) {
  return agent.ops.map((figures) => ({ stage, agent, figures }))
}

/** @type {readonly import('./table.js').Column<AgentRow>[]} */
const AGENT_COLUMNS = [
  STAGE_COLUMN,
  {
    title: 'Agent',
    value: ({ agent }) => agent.name,
    show: ({ agent }) => (agent.partial ? [agent.name, h('strong', { class: 'bad' }, ' partial')] : agent.name),
  },
  ...FIGURE_COLUMNS,
  {
    title: 'CPU',
    hint: "Share of the agent's machine that was in use",
    value: ({ agent }) => agent.cpu.host ?? -1,
    show: ({ agent }) => (agent.cpu.host === null ? '–' : percent(agent.cpu.host)),
  },
]
