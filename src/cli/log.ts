/** The events of a node as JSON lines (public interface, see docs/events.md) or as lines for people. */

import { writeSync } from 'node:fs'
import { pino } from 'pino'
import { now } from '../mesh/mod.ts'
import type { LogEvent } from './events.ts'
import { describeFailure } from './failure.ts'
import { formatBytes, formatCount, formatSeconds } from './terminal/format.ts'
import { paint } from './terminal/paint.ts'
import { printable } from './terminal/width.ts'

type LogEventName = LogEvent['event']

export type Log = (event: LogEvent) => void

export interface LogOptions {
  readonly form: 'json' | 'pretty'
  readonly run: string
  readonly peer: string
  /** Colours in the pretty form. */
  readonly color: boolean
}

/** Lines are written synchronously, so that none is lost when the process ends. Writes to standard output. */
export function createLog(options: LogOptions): Log {
  return options.form === 'json' ? createJsonLog(options) : createPrettyLog(options)
}

function createJsonLog(options: LogOptions): Log {
  const destination = pino.destination({ dest: 1, sync: true })
  destination.on('error', tellLost())
  const logger = pino(
    { base: { run: options.run, peer: options.peer }, timestamp: () => `,"time":${now().toFixed(3)}` },
    destination,
  )
  return (event) => {
    if (WARNINGS.has(event.event)) logger.warn(event)
    else logger.info(event)
  }
}

/**
 * A log that cannot be written must not end the peer: the run is worth more. A reader that went away, or a terminal that
 * is gone or slower than this peer, costs lines and nothing else; anything else is said once.
 */
function tellLost(): (error: unknown) => void {
  let told = false
  return (error) => {
    if (told || isErrno(error, 'EPIPE') || isErrno(error, 'EAGAIN') || isErrno(error, 'EIO')) return
    told = true
    process.stderr.write(
      `paceline: the log cannot be written (${describeFailure(error).message}): going on without it\n`,
    )
  }
}

function createPrettyLog(options: LogOptions): Log {
  const lost = tellLost()
  return (event) => {
    const time = new Date(now()).toISOString().slice(11, 23)
    const color = WARNINGS.has(event.event) ? 'yellow' : event.event.startsWith('barrier.') ? 'cyan' : 'none'
    const head = `${paint('dim', time, options.color)} ${options.peer} `
    const line = `${head}${paint(color, printable(describeEvent(event)), options.color)}\n`
    try {
      writeSync(1, line)
    } catch (error) {
      lost(error)
    }
  }
}

const WARNINGS: ReadonlySet<LogEventName> = new Set([
  'node.warning',
  'leader.lost',
  'barrier.aborted',
  'message.rejected',
])

function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}

/** One line for people. Pure. */
function describeEvent(event: LogEvent): string {
  switch (event.event) {
    case 'node.listening':
      return `listening on ${event.addrs.join(' ')}${event.http === undefined ? '' : `; live view at ${event.http}`}`
    case 'node.leaving':
      return `leaving the run: ${event.reason}`
    case 'node.warning':
      return event.message
    case 'peer.joined':
      return `${event.name} joined`
    case 'peer.left':
      return `${event.name} left`
    case 'leader.elected':
      return `${event.leader} leads (term ${event.term})`
    case 'leader.lost':
      return `leader ${event.leader} lost: ${event.reason}`
    case 'plan.accepted':
      return `plan ${event.plan}: ${event.stages.join(' > ')} with ${event.agents.join(', ')}`
    case 'stage.started':
      return `stage ${event.sequence} ${event.stage} started`
    case 'stage.finished':
      return describeFinished(event)
    case 'barrier.waiting':
      return `waiting for the others after ${event.stage}`
    case 'barrier.progress':
      return describeProgress(event)
    case 'barrier.released':
      return describeReleased(event)
    case 'barrier.aborted':
      return `plan ${event.plan} aborted at barrier ${event.sequence}: ${event.reason}`
    case 'message.rejected':
      return `message from ${event.from} refused: ${event.reason} (expected ${event.expected}, got ${event.got})`
    case 'run.finished':
      return `plan ${event.plan} ${event.status}${event.unilateral ? ' (alone, without a quorum)' : ''}${
        event.reason === '' ? '' : `: ${event.reason}`
      }${event.results === '' ? '' : `; results in ${event.results}`}`
  }
}

function describeFinished(event: Extract<LogEvent, { event: 'stage.finished' }>): string {
  const figures = `${formatCount(event.ops)} ops, ${formatBytes(event.bytes)}, ${formatSeconds(event.seconds)}`
  const errors = event.errors === 0 ? '' : `, ${formatCount(event.errors)} errors`
  if (event.status === 'ok') return `stage ${event.sequence} ${event.stage} done: ${figures}${errors}`
  return `stage ${event.sequence} ${event.stage} FAILED: ${event.reason ?? 'unknown reason'} (${figures}${errors})`
}

function describeProgress(event: Extract<LogEvent, { event: 'barrier.progress' }>): string {
  const parts = [`${event.ready.length} ready`]
  if (event.waiting.length > 0) parts.push(`waiting for ${event.waiting.join(', ')}`)
  if (event.failed.length > 0) parts.push(`failed: ${event.failed.join(', ')}`)
  return `barrier ${event.sequence}: ${parts.join('; ')}`
}

function describeReleased(event: Extract<LogEvent, { event: 'barrier.released' }>): string {
  const lost = event.excluded.map((one) => `${one.name} (${one.reason})`).join(', ')
  const alone = event.unilateral ? ' alone, without a quorum' : ` by ${event.leader}`
  return `barrier ${event.sequence} released${alone}${lost === '' ? '' : `; excluded: ${lost}`}`
}
