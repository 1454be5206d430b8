/** The page: its sections, put together once and then brought up to date as often as there is something new. */

import { agentsSection } from './agents.js'
import { topBar } from './bar.js'
import { distributionSection } from './distribution.js'
import { h } from './dom.js'
import { headSection } from './head.js'
import { overTimeSection } from './over-time.js'
import { planSection } from './plan.js'
import { stagesSection } from './stages.js'
import { timelineSection } from './timeline.js'

/** @import { ReportData } from '../types.ts' */

const LINKS = /** @type {const} */ ([
  ['stages', 'Stages'],
  ['timeline', 'Timeline'],
  ['over-time', 'Over time'],
  ['distribution', 'Latency'],
  ['agents', 'Agents'],
  ['plan', 'Plan'],
])

/**
 * Makes the page in `root`; `render` may be called again with newer data, and keeps what a reader has chosen.
 * @param {HTMLElement} root
 * @returns {{ render(data: ReportData): void }}
 */
export function createPage(root) {
  const head = headSection()
  const sections = [
    head,
    stagesSection(),
    timelineSection(),
    overTimeSection(),
    distributionSection(),
    agentsSection(),
    planSection(),
  ]
  const links = LINKS.map(([id, text]) => h('li', {}, h('a', { href: `#${id}` }, text)))
  root.append(
    topBar(h('nav', { 'aria-label': 'Sections' }, h('ul', {}, links))),
    h('main', {}, ...sections.map(({ element }) => element)),
  )
  openForPrint(root)
  return {
    render(data) {
      document.title = `${data.run} plan ${data.plan}: ${data.status.replace('_', ' ')}`
      for (const section of sections) section.update(data)
    },
  }
}

/**
 * What is folded away on a screen is shown on paper.
 * @param {HTMLElement} root
 */
function openForPrint(root) {
  /** @type {HTMLDetailsElement[]} */
  let opened = []
  matchMedia('print').addEventListener('change', ({ matches }) => {
    if (matches) opened = [...root.querySelectorAll('details')].filter(({ open }) => !open)
    for (const details of opened) details.open = matches
  })
}
