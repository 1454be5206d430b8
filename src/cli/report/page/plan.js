/** The plan as submitted, and how the figures were made. */

import { fill, h, section } from './dom.js'

/** @import { ReportData } from '../types.ts' */

export function planSection() {
  const yaml = h('pre', { tabindex: 0, 'aria-label': 'YAML of the plan' })
  const hash = h('p', { class: 'muted' })
  const notes = h('ul', { class: 'notes plain' })
  const element = section(
    'plan',
    'Plan',
    h('details', {}, h('summary', {}, 'As submitted'), yaml, hash),
    h('h2', {}, 'How to read this'),
    notes,
  )
  return {
    element,
    /** @param {ReportData} data */
    update(data) {
      fill(yaml, data.yaml)
      fill(hash, `Hash ${data.hash}. Made by paceline ${data.madeBy}.`)
      fill(
        notes,
        data.notes.map((note) => h('li', {}, note)),
      )
    },
  }
}
