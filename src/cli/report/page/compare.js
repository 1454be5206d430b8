/** Two runs side by side. */

import { topBar } from './bar.js'
import { h } from './dom.js'
import { count, latency, rate } from './format.js'
import { sortableTable } from './table.js'

/** @import { ComparedRow, ComparedRun, Comparison } from '../compare.ts' */

/** @param {Comparison} comparison */
function show({ base, other, rows, warnings }) {
  document.title = `${base.name} and ${other.name}`
  const table = sortableTable('All agents together, where both have a figure', COLUMNS)
  table.update(rows)
  document.body.append(
    topBar(),
    h(
      'main',
      {},
      h(
        'header',
        {},
        h('h1', {}, 'Two runs side by side'),
        h('p', { class: 'facts' }, runOf('A', base), runOf('B', other)),
      ),
      warnings.length > 0 &&
        h(
          'section',
          { class: 'warnings', 'aria-label': 'Not alike' },
          h('h2', {}, 'Not alike in everything'),
          h(
            'ul',
            {},
            warnings.map((text) => h('li', {}, text)),
          ),
        ),
      h('section', { 'aria-label': 'Figures' }, table.element),
    ),
  )
}

/**
 * @param {string} letter
 * @param {ComparedRun} run
 */
function runOf(letter, { name, status, agents }) {
  return h('span', {}, `${letter}: ${name}, ${status.replace('_', ' ')}, agents: ${agents}`)
}

/**
 * @param {string} measure
 * @param {number} value
 */
function figure(measure, value) {
  if (measure === 'errors') return count(value)
  return measure.endsWith(' us') ? latency(value) : rate(value)
}

/** @type {readonly import('./table.js').Column<ComparedRow>[]} */
const COLUMNS = [
  { title: 'Stage', value: ({ stage }) => stage },
  { title: 'Op', value: ({ op }) => op },
  { title: 'Measure', value: ({ measure }) => measure, show: ({ measure }) => measure.replace(/ us$/, '') },
  { title: 'A', value: ({ base }) => base, show: ({ measure, base }) => figure(measure, base) },
  { title: 'B', value: ({ other }) => other, show: ({ measure, other }) => figure(measure, other) },
  { title: 'B / A', value: ({ ratio }) => ratio ?? 0, show: ({ ratio }) => (ratio === null ? '–' : ratio.toFixed(3)) },
]

const data = document.getElementById('data')?.textContent
if (data !== null && data !== undefined) show(JSON.parse(data))
