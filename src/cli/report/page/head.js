/** The top of the page: which run it was, how it ended, and what must be known before a figure is believed. */

import { fill, h } from './dom.js'
import { plural, seconds } from './format.js'

/** @import { ReportData } from '../types.ts' */

const VERDICTS = {
  running: ['●', 'running'],
  clean: ['✓', 'completed'],
  degraded: ['!', 'completed, degraded'],
  failed: ['✕', 'failed'],
}

const TITLES = {
  running: 'So far not a plain success',
  clean: 'To be known before a figure is believed',
  degraded: 'Not a plain success',
  failed: 'This run failed',
}

/** Warnings that are shown at once. */
const WARNINGS_SHOWN = 6

export function headSection() {
  const element = h('header', { class: 'head' })
  return {
    element,
    /** @param {ReportData} data */
    update(data) {
      fill(
        element,
        h('div', { class: 'title' }, h('h1', {}, data.run, h('small', {}, `plan ${data.plan}`)), badge(data)),
        h('p', { class: 'facts' }, facts(data)),
        warnings(data),
      )
    },
  }
}

/** @param {ReportData} data */
function badge({ verdict, status }) {
  const [sign = '', word = ''] = VERDICTS[verdict]
  const text = verdict === 'failed' ? status.replace('_', ' ') : word
  return h('span', { class: `badge ${verdict}`, id: 'verdict' }, h('span', { 'aria-hidden': 'true' }, sign), ` ${text}`)
}

/** @param {ReportData} data */
function facts(data) {
  const done = data.stages.length
  const started = new Date(data.origin)
  return [
    [plural(data.agents.length, 'agent'), ...losses(data)].join(', '),
    `${done} of ${plural(Math.max(done, data.planned.length), 'stage')}`,
    data.status === 'running' ? `${seconds(data.seconds)} so far` : `took ${seconds(data.seconds)}`,
    data.leaders.length > 1 ? `${data.leaders.length} leaders` : `led by ${data.leaders[0]?.name ?? 'nobody'}`,
    h('time', { datetime: started.toISOString() }, `${started.toISOString().slice(0, 19).replace('T', ' ')} UTC`),
  ].map((fact) => h('span', {}, fact))
}

/**
 * "1 lost", "2 excluded".
 * @param {ReportData} data
 */
function losses({ agents }) {
  const fates = /** @type {const} */ (['lost', 'excluded', 'failed'])
  return fates.flatMap((fate) => {
    const number = agents.filter((agent) => agent.fate === fate).length
    return number === 0 ? [] : [`${number} ${fate}`]
  })
}

/** @param {ReportData} data */
function warnings({ warnings, verdict }) {
  if (warnings.length === 0) return null
  const items = warnings.map((text) => h('li', {}, text))
  const title = TITLES[verdict]
  const more = items.slice(WARNINGS_SHOWN)
  return h(
    'section',
    { class: `warnings ${verdict}`, 'aria-label': title },
    h('h2', {}, title),
    h('ul', {}, items.slice(0, WARNINGS_SHOWN)),
    more.length > 0 && h('details', {}, h('summary', {}, `${more.length} more`), h('ul', {}, more)),
  )
}
