/** Who took part, on what, and what became of them. */

import { fill, h, section } from './dom.js'
import { bytes, plural } from './format.js'
import { sortableTable } from './table.js'

/** @import { ReportAgent, ReportData } from '../types.ts' */

const FATES = {
  took_part: '✓ took part',
  lost: '✕ lost',
  excluded: '⊘ excluded',
  failed: '✕ failed',
  stopped: '■ stopped',
  unknown: '? unknown',
}

export function agentsSection() {
  const lost = h('ul', { class: 'notes gone' })
  const table = sortableTable('Agents, their machines and programs', COLUMNS)
  const element = section('agents', 'Agents', lost, table.element)
  return {
    element,
    /** @param {ReportData} data */
    update(data) {
      const { agents, stages, leaders } = data
      const gone = agents.filter(({ fate }) => fate !== 'took_part')
      lost.hidden = gone.length === 0
      fill(
        lost,
        gone.map((agent) => h('li', {}, farewell(agent, data))),
      )
      table.update(
        agents.map((agent) => ({
          agent,
          stages: stages.length,
          led: leaders
            .filter(({ name }) => name === agent.name)
            .map(({ term }) => `term ${term}`)
            .join(', '),
        })),
      )
    },
  }
}

/**
 * @param {ReportAgent} agent
 * @param {ReportData} data
 */
function farewell({ name, fateText, delivered }, { stages }) {
  const done = stages
    .filter(({ sequence, outcome }) => delivered.includes(sequence) && outcome !== 'aborted')
    .map((stage) => stage.name)
  const work = done.length === 0 ? 'No stage of it counts.' : `Its work in ${done.join(', ')} counts.`
  return [h('strong', {}, name), `: ${fateText}. ${work}`].map((part) =>
    part instanceof Node ? part : h('span', {}, part),
  )
}

/** @typedef {{ readonly agent: ReportAgent, readonly stages: number, readonly led: string }} Row */

/** @type {readonly import('./table.js').Column<Row>[]} */
const COLUMNS = [
  { title: 'Agent', value: ({ agent }) => agent.name },
  { title: 'Fate', value: ({ agent }) => FATES[agent.fate] },
  {
    title: 'Delivered',
    value: ({ agent }) => agent.delivered.length,
    show: ({ agent, stages }) => `${agent.delivered.length} of ${stages} stages`,
  },
  { title: 'Led', value: ({ led }) => (led === '' ? '–' : led) },
  { title: 'Paceline', value: ({ agent }) => agent.machine?.version ?? '–' },
  { title: 'Runtime', value: ({ agent }) => agent.machine?.runtime ?? '–' },
  { title: 'Host', value: ({ agent }) => agent.machine?.host ?? '–' },
  { title: 'System', value: ({ agent }) => agent.machine?.system ?? '–' },
  { title: 'Processor', value: ({ agent }) => processor(agent) },
  {
    title: 'Memory',
    value: ({ agent }) => agent.machine?.memoryBytes ?? 0,
    show: ({ agent }) => (typeof agent.machine?.memoryBytes === 'number' ? bytes(agent.machine.memoryBytes) : '–'),
  },
]

/** @param {ReportAgent} agent */
function processor({ machine }) {
  if (machine === null) return '–'
  const cores = plural(machine.cores, 'core')
  return machine.cpu === null ? cores : `${machine.cpu}, ${cores}`
}
