/** Two runs side by side. */

import { h } from './dom.js'
import { sortableTable } from './table.js'
import { themeButton } from './theme.js'

/** @import { ComparedRow, ComparedRun, Comparison } from '../compare.ts' */

/** @param {Comparison} comparison */
function show({ base, other, rows, warnings }) {
  document.title = `${base.name} and ${other.name}`
  const table = sortableTable('Figures of all agents together, of the stages and operations that both have', COLUMNS)
  table.update(rows)
  document.body.append(
    h('div', { class: 'bar' }, h('span', { class: 'brand' }, 'paceline'), themeButton()),
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

/** @type {readonly import('./table.js').Column<ComparedRow>[]} */
const COLUMNS = [
  { title: 'Stage', value: ({ stage }) => stage },
  { title: 'Op', value: ({ op }) => op },
  { title: 'Measure', value: ({ measure }) => measure },
  { title: 'A', value: ({ base }) => base, show: ({ base }) => base.toFixed(1) },
  { title: 'B', value: ({ other }) => other, show: ({ other }) => other.toFixed(1) },
  { title: 'B / A', value: ({ ratio }) => ratio ?? 0, show: ({ ratio }) => (ratio === null ? '–' : ratio.toFixed(3)) },
]

const data = document.getElementById('data')?.textContent
if (data !== null && data !== undefined) show(JSON.parse(data))
