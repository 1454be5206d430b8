/** The floor of a single controller: a counter, and a message when it is full. */

import { connect, type Socket } from 'node:net'
import { goThrough, group, members } from './member.ts'

const port = Number(process.env.REDIS_PORT)

/** Sends commands in order; `onReply` gets each reply line by line, bulk headers left out. */
function open(onLine: (line: string) => void): Socket {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  let rest = ''
  socket.setEncoding('utf8')
  socket.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\r\n')
    rest = lines.pop() ?? ''
    for (const line of lines) onLine(line)
  })
  return socket
}

const released = new Map<number, () => void>()
const full = new Set<number>()

function release(round: number): void {
  full.add(round)
  released.get(round)?.()
}

const subscriber = open((line) => {
  if (line.startsWith('go:')) release(Number(line.slice(3)))
})
const counter = open((line) => {
  const [, value, round] = line.match(/^:(\d+)$/) === null ? [] : ['', line.slice(1), String(pending.shift())]
  if (value !== undefined && round !== 'undefined' && Number(value) === members && Number(round) >= 0) {
    pending.push(-1)
    counter.write(`PUBLISH ${group} go:${round}\r\n`)
  }
})
/** Rounds whose INCR was sent and not answered; -1 for a PUBLISH, whose answer means nothing here. */
const pending: number[] = []

await new Promise<void>((resolve) => {
  subscriber.once('data', () => resolve())
  subscriber.write(`SUBSCRIBE ${group}\r\n`)
})

// All must listen before the first round: the counter itself serves as the meeting point.
await goThrough(
  (round) =>
    new Promise<void>((resolve) => {
      if (full.has(round)) resolve()
      else released.set(round, resolve)
      pending.push(round)
      counter.write(`INCR ${group}:${round}\r\n`)
    }),
)
