/** A page that follows a run: reports as they come, and between them what the open stage adds. */

import { nowSection } from './now.js'
import { createPage } from './page.js'

/** @import { RunNow } from '../now.ts' */
/** @import { ReportData } from '../types.ts' */

/** A server says something at least every 10 s; after so long in silence the connection is made anew. */
const SILENCE_MAX_MS = 25_000
const RETRY_MS = 2000

const page = createPage(document.body)
const now = nowSection()
const main = document.querySelector('main')
main?.firstElementChild?.after(now.element)
const sections = [...(main?.children ?? [])].filter((element) => element !== now.element)
show(sections, false)

/** @type {ReportData | null} */
let report = null
/** @type {RunNow | null} */
let latest = null

/**
 * @param {readonly Element[]} elements
 * @param {boolean} shown
 */
function show(elements, shown) {
  for (const element of elements) element.toggleAttribute('hidden', !shown)
}

function render() {
  if (latest !== null) now.update(latest, report)
  if (report === null) return
  show(sections, true)
  page.render(withNow(report, latest))
}

/**
 * The report as it would be if it were made now.
 * @param {ReportData} data
 * @param {RunNow | null} state
 * @returns {ReportData}
 */
function withNow(data, state) {
  const plan = state?.plan ?? null
  if (plan === null || plan.plan !== data.plan || data.status !== 'running') return data
  const agents = data.agents.map((agent) => {
    const lane = plan.lanes.find(({ name }) => name === agent.name)
    if (lane === undefined) return agent
    return { ...agent, spans: [...agent.spans, ...lane.spans], marks: [...agent.marks, ...lane.marks] }
  })
  const series = plan.series === null ? data.series : [...data.series, plan.series]
  return { ...data, agents, series, seconds: Math.max(data.seconds, plan.seconds), open: plan.open }
}

function follow() {
  const source = new EventSource('events')
  let heard = Date.now()
  /** @param {(document: unknown) => void} take */
  const listener = (take) => (/** @type {Event} */ event) => {
    heard = Date.now()
    now.connected(true)
    if (event instanceof MessageEvent) take(JSON.parse(event.data))
    render()
  }
  source.addEventListener(
    'report',
    listener((document) => {
      report = /** @type {ReportData} */ (document)
    }),
  )
  source.addEventListener(
    'now',
    listener((document) => {
      latest = /** @type {RunNow} */ (document)
    }),
  )
  const again = () => {
    clearInterval(watchdog)
    source.close()
    now.connected(false)
    setTimeout(follow, RETRY_MS)
  }
  source.addEventListener('error', again)
  const watchdog = setInterval(() => {
    if (Date.now() - heard > SILENCE_MAX_MS) again()
  }, 1000)
}

follow()
