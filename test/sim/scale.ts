/** npm run sim:scale: what a barrier costs in messages and bytes, from ten members to a thousand. */

import { parseArgs } from 'node:util'
import type { Message, Output } from '../../src/barrier/mod.ts'
import { barrierSpec, planOf } from '../barrier/plans.ts'
import { Rehearsal } from './rehearsal.ts'

export interface Cost {
  readonly count: number
  /** Messages and bytes of all members together, a barrier. */
  readonly messages: number
  /** Of messages that carry no results. */
  readonly bytes: number
  /** Of proposals: each member gets the results of all. */
  readonly resultBytes: number
}

/** A member, a barrier. */
const MESSAGES_MAX = 5.5
const BYTES_MAX = 800
/** A member and result: each member gets the results of all, as small as they are here. */
const RESULT_BYTES_MAX = 300

/** These come by time, not by barrier. */
const timed: ReadonlySet<Message['type']> = new Set(['ping', 'pong', 'heartbeat'])

class Scales {
  messages = 0
  bytes = 0
  resultBytes = 0
  /** The same message to many is weighed once. */
  readonly #sizes = new WeakMap<Message, number>()

  weigh(output: Output): void {
    if (output.type !== 'send' && output.type !== 'broadcast') return
    const { message } = output
    if (timed.has(message.type)) return
    const size = this.#sizes.get(message) ?? JSON.stringify(message).length
    this.#sizes.set(message, size)
    this.messages += 1
    if (message.type === 'propose') this.resultBytes += size
    else this.bytes += size
  }
}

export function costOf(count: number): Cost {
  const barriers = 2
  const show = new Rehearsal({ count, stageMs: () => 300 })
  show.start(planOf({ submission: 'p', stages: 3, barrier: barrierSpec('all_or_nothing'), agents: count }))
  const scales = new Scales()
  show.cluster.watchers.push({
    booted: () => undefined,
    fed: () => undefined,
    carried: (_, output) => scales.weigh(output),
  })
  show.until(10_000, () => show.cluster.live().every(({ stage }) => stage?.sequence === 1 + barriers))
  const { messages, bytes, resultBytes } = scales
  return { count, messages: messages / barriers, bytes: bytes / barriers, resultBytes: resultBytes / barriers }
}

/** Why this costs more than it may; undefined when it does not. */
export function excess({ count, messages, bytes, resultBytes }: Cost): string | undefined {
  if (messages / count > MESSAGES_MAX) return `${messages} messages for ${count} members`
  if (bytes / count > BYTES_MAX) return `${bytes} bytes without results for ${count} members`
  if (resultBytes / count / count > RESULT_BYTES_MAX) return `${resultBytes} bytes of results for ${count} members`
  return undefined
}

function main(): void {
  const { values } = parseArgs({ options: { members: { type: 'string', default: '10,100,1000' } } })
  for (const count of values.members.split(',').map(Number)) {
    const cost = costOf(count)
    const each = (all: number) => Math.round(all / count)
    process.stdout.write(
      `${count} members: ${cost.messages} messages, ${each(cost.bytes)} bytes a member, and ${each(cost.resultBytes)} of results\n`,
    )
    const fault = excess(cost)
    if (fault === undefined) continue
    process.stdout.write(`Too much: ${fault}\n`)
    process.exitCode = 1
  }
}

if (process.argv[1] === import.meta.filename) main()
