/** What happens at this moment: who is there, who leads, how far each agent is. */

import { fill, h, withUnit } from './dom.js'
import { bandwidth, count, latency, percent, plain, rate, seconds } from './format.js'

/** @import { PeerNow, PlanNow, RunNow } from '../now.ts' */
/** @import { OpenAgent, ReportData } from '../types.ts' */

/** @type {Record<OpenAgent['state'], readonly [sign: string, text: string]>} */
const STATES = {
  working: ['▶', 'at work'],
  ready: ['✓', 'ready, waits'],
  failed: ['!', 'stage failed'],
  dead: ['✕', 'lost'],
  excluded: ['⊘', 'excluded'],
}

export function nowSection() {
  const badge = h('span', { class: 'badge', id: 'connection' }, '… connecting')
  const status = h('p', { role: 'status', class: 'stage-now' })
  const bar = h('div', {
    class: 'meter',
    role: 'progressbar',
    'aria-label': 'The open stage',
    'aria-valuemin': 0,
    'aria-valuemax': 100,
  })
  const figures = h('dl', { class: 'figures now' })
  const agents = h('ul', { class: 'agents-now', 'aria-label': 'Agents' })
  const peers = h('ul', { class: 'peers', 'aria-label': 'Peers of the run' })
  const title = h('h2', { id: 'now-title' }, 'Now')
  const element = h(
    'section',
    { id: 'now', 'aria-labelledby': 'now-title' },
    h('div', { class: 'title' }, title, badge),
    status,
    bar,
    figures,
    agents,
    peers,
  )
  return {
    element,
    /** @param {boolean} isConnected */
    connected(isConnected) {
      badge.className = `badge ${isConnected ? 'clean' : 'failed'}`
      setText(badge, isConnected ? '● live' : '○ connection lost, trying again')
    },
    /**
     * @param {RunNow} now
     * @param {ReportData | null} report
     */
    update(now, report) {
      const { plan } = now
      setText(title, report === null ? `Run ${now.run}` : 'Now')
      setText(status, sentence(now, report))
      bar.hidden = plan === null
      figures.hidden = plan === null
      if (plan !== null) {
        drawBar(bar, plan)
        fill(figures, figuresOf(plan))
      }
      fill(agents, plan === null ? null : plan.open.agents.map(agentRow))
      fill(
        peers,
        now.peers.map((peer) => peerChip(peer, now)),
      )
    },
  }
}

/**
 * Screen readers tell of every change: what stays the same must not be written again.
 * @param {Element} element
 * @param {string} text
 */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text
}

/**
 * @param {RunNow} now
 * @param {ReportData | null} report
 */
function sentence({ plan, leader, term, node }, report) {
  const led = leader === null ? 'Nobody leads at the moment' : `${leader} leads, term ${term}`
  const seen = `as ${node} sees it`
  if (plan !== null) {
    const stages = report?.planned.length ?? plan.open.sequence
    return `Stage ${plan.open.sequence} of ${Math.max(stages, plan.open.sequence)}: ${plan.open.name}. ${led}, ${seen}.`
  }
  if (report === null) return `No plan was handed in yet. ${led}, ${seen}.`
  if (report.status === 'running') return `Plan ${report.plan} is between two stages. ${led}, ${seen}.`
  const why = report.reason === '' ? '' : `: ${report.reason}`
  return `Plan ${report.plan} ${report.status.replace('_', ' ')}${why}. ${led}, ${seen}.`
}

/**
 * Of those who are at work or ready. Who does not say how far it is counts by time, or, where none is given, as at its
 * beginning; null: nobody says anything yet.
 * @param {PlanNow} plan
 */
function doneOf({ open: { agents, expectedSeconds, from }, seconds: at }) {
  const byTime = expectedSeconds === null || expectedSeconds <= 0 ? null : Math.min(1, (at - from) / expectedSeconds)
  const present = agents.filter(({ state }) => state === 'working' || state === 'ready')
  const shares = present.map(({ state, progress }) => (state === 'ready' ? 1 : (progress?.done ?? byTime)))
  if (shares.every((share) => share === null)) return null
  return shares.reduce((/** @type {number} */ sum, share) => sum + (share ?? 0), 0) / shares.length
}

/**
 * @param {HTMLElement} bar
 * @param {PlanNow} plan
 */
function drawBar(bar, plan) {
  const done = doneOf(plan)
  if (done === null) bar.removeAttribute('aria-valuenow')
  else bar.setAttribute('aria-valuenow', (done * 100).toFixed(0))
  fill(bar, h('i', { style: { width: `${((done ?? 0) * 100).toFixed(1)}%` } }))
}

/** @param {PlanNow} plan */
function figuresOf(plan) {
  const { open, seconds: at } = plan
  const working = open.agents.flatMap(({ state, progress }) =>
    progress === null || state !== 'working' ? [] : [progress],
  )
  const all = open.agents.flatMap(({ progress }) => (progress === null ? [] : [progress]))
  const sum = (/** @type {readonly number[]} */ values) => values.reduce((total, value) => total + value, 0)
  const p99 = Math.max(0, ...working.map(({ p99Us }) => p99Us))
  const elapsed = at - open.from
  const left = open.expectedSeconds === null ? null : Math.max(0, open.expectedSeconds - elapsed)
  const done = doneOf(plan)
  /** @type {[string, string][]} */
  const items = [
    ['Throughput', `${rate(sum(working.map(({ opsPerSecond }) => opsPerSecond)))} ops/s`],
    ['Bandwidth', bandwidth(sum(working.map(({ mibPerSecond }) => mibPerSecond)))],
    ['Highest p99', p99 === 0 ? '–' : latency(p99)],
    ['Operations', count(sum(all.map(({ ops }) => ops)))],
    ['Errors', count(sum(all.map(({ errors }) => errors)))],
    ['Done', done === null ? '–' : percent(done)],
    ['In this stage for', plain(seconds(Math.round(elapsed)))],
    ['Left', left === null ? '–' : plain(seconds(Math.round(left)))],
  ]
  return items.map(([term, value]) => h('div', { class: 'large' }, h('dt', {}, term), h('dd', {}, ...withUnit(value))))
}

/** @param {OpenAgent} agent */
function agentRow({ name, state, progress }) {
  const [sign, text] = STATES[state]
  const done = state === 'ready' ? 1 : (progress?.done ?? null)
  const figures =
    progress === null
      ? ''
      : `${rate(progress.opsPerSecond)} ops/s · ${bandwidth(progress.mibPerSecond)} · p99 ${latency(progress.p99Us)}`
  return h(
    'li',
    { class: `agent-now ${state}` },
    h('span', { class: 'name', title: name }, name),
    h('span', { class: 'state' }, h('span', { 'aria-hidden': 'true' }, sign), ` ${text}`),
    h(
      'span',
      { class: 'meter', 'aria-hidden': 'true' },
      h('i', { style: { width: `${((done ?? 0) * 100).toFixed(1)}%` } }),
    ),
    h('span', { class: 'muted' }, state === 'working' ? figures : ''),
  )
}

/**
 * @param {PeerNow} peer
 * @param {RunNow} now
 */
function peerChip({ name, runtime, connected }, { leader, node }) {
  const notes = [leader === name ? 'leads' : '', node === name ? 'this node' : '', connected ? '' : 'not connected']
  const text = notes.filter((note) => note !== '').join(', ')
  return h(
    'li',
    { class: `peer${connected ? '' : ' gone'}${leader === name ? ' leading' : ''}` },
    h('b', {}, name),
    h('span', { class: 'muted' }, runtime),
    text === '' ? null : h('span', { class: 'note' }, text),
  )
}
