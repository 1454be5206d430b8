/** The floor of a single controller: a counter, and a message when it is full. */

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { now } from './clock.ts'
import { goThrough, group, members, type Released } from './member.ts'

/** Commands go out as they are written; `onLine` gets each line of the replies. */
function open(onLine: (line: string) => void): Socket {
  const socket = connect({ port: Number(process.env.REDIS_PORT), host: '127.0.0.1', noDelay: true })
  let rest = ''
  socket.setEncoding('utf8')
  socket.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\r\n')
    rest = lines.pop() ?? ''
    for (const line of lines) onLine(line)
  })
  return socket
}

/** The round that this member waits in. */
let waiting: { readonly round: number; readonly resolve: (released: Released) => void } | undefined

const subscriber = open((line) => {
  if (line !== `go:${waiting?.round}`) return
  const at = now()
  waiting?.resolve({ releasedAt: at, startedAt: at })
})
/** The next reply is that of PUBLISH: the number of its readers. */
let published = false
const counter = open((line) => {
  const full = !published && line === `:${members}`
  if (full) counter.write(`PUBLISH ${group} go:${waiting?.round}\r\n`)
  published = full
})

subscriber.write(`SUBSCRIBE ${group}\r\n`)
await once(subscriber, 'data')

goThrough(
  (round) =>
    new Promise((resolve) => {
      waiting = { round, resolve }
      counter.write(`INCR ${group}:${round}\r\n`)
    }),
)
