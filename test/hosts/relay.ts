/** Holds back what goes through it: TCP connections on one port a host, each byte late by the same time, in order. */

import { connect, createServer, type Socket } from 'node:net'

interface RelayOptions {
  readonly address: string
  readonly delayMs: number
  readonly jitterMs: number
  readonly routes: readonly { readonly listen: number; readonly host: string; readonly port: number }[]
}

/** Bytes held back of one direction before its sender has to wait. */
const HELD_MAX = 16 * 1024 * 1024

const options: RelayOptions = JSON.parse(process.argv[2] ?? '{}')

function forward(from: Socket, to: Socket): void {
  let held = 0
  let last = 0
  const later = (act: () => void) => {
    const due = performance.now() + options.delayMs + Math.random() * options.jitterMs
    // Jitter must not reorder the bytes of a stream.
    last = Math.max(last, due)
    setTimeout(act, last - performance.now())
  }
  from.on('data', (chunk: Buffer) => {
    held += chunk.length
    if (held > HELD_MAX) from.pause()
    later(() => {
      held -= chunk.length
      if (from.isPaused() && held <= HELD_MAX) from.resume()
      if (!to.destroyed) to.write(chunk)
    })
  })
  from.on('end', () => later(() => to.end()))
  from.on('error', () => to.destroy())
  from.on('close', () => later(() => to.destroy()))
}

let listening = 0
for (const { listen, host, port } of options.routes) {
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (inbound) => {
    const outbound = connect({ host, port, noDelay: true, allowHalfOpen: true })
    forward(inbound, outbound)
    forward(outbound, inbound)
  })
  server.listen(listen, options.address, () => {
    listening += 1
    if (listening === options.routes.length) process.stdout.write('listening\n')
  })
}
