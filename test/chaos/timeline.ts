/** What happened in a round, of all processes together, in the order of time. */

import type { Evidence, Peer } from './evidence.ts'

/** An event cannot be logged after it has arrived here: a clock by which it is, is ahead by that much at least. */
const AHEAD_MS_MAX = 5

interface Line {
  readonly at: number
  readonly who: string
  readonly text: string
}

/** A line an event, times in ms since the first one, those of a process whose clock is ahead taken back. */
export function timelineOf(evidence: Evidence): string {
  const lines: Line[] = evidence.acts.map(({ at, text }) => ({ at, who: '*', text }))
  for (const peer of evidence.peers) {
    for (const { kind, since, until } of peer.troubles) {
      if (kind === 'starved')
        lines.push({ at: since, who: peer.id, text: `(starved for ${(until - since).toFixed(0)} ms)` })
    }
    const ahead = clockAheadMs(peer)
    for (const {
      event,
      peer: _,
      at: __,
      ownAt: ___,
      time,
      pid: ____,
      level: _____,
      run: ______,
      ...rest
    } of peer.events) {
      lines.push({ at: time - ahead, who: peer.id, text: `${event} ${JSON.stringify(rest)}` })
    }
  }
  lines.sort((a, b) => a.at - b.at)
  const first = lines[0]?.at ?? 0
  const words = [
    ...evidence.peers.filter(({ stderr }) => stderr !== '').map(({ id, stderr }) => `${id} said: ${stderr}`),
    ...evidence.clients.map(({ id, end, stdout, stderr }) => `client ${id}, ${end?.code}, said: ${stdout}${stderr}`),
  ]
  const shown = lines.map(({ at, who, text }) => `${(at - first).toFixed(1).padStart(9)} ${who.padEnd(4)} ${text}`)
  return [...shown, ...words].join('\n')
}

function clockAheadMs({ events }: Peer): number {
  const ahead = Math.max(0, ...events.map(({ time, at }) => time - (performance.timeOrigin + at)))
  return ahead > AHEAD_MS_MAX ? ahead : 0
}
