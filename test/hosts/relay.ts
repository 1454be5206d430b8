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

/** Acts of one direction, each late by its delay, in order: timers alone may swap two that are due in one millisecond. */
class Line {
  readonly #acts: { readonly act: () => void; readonly due: number }[] = []
  #timer: NodeJS.Timeout | undefined
  #last = 0

  later(act: () => void): void {
    this.#last = Math.max(this.#last, performance.now() + options.delayMs + Math.random() * options.jitterMs)
    this.#acts.push({ act, due: this.#last })
    if (this.#timer === undefined) this.#arm()
  }

  #arm(): void {
    const first = this.#acts[0]
    this.#timer =
      first === undefined
        ? undefined
        : setTimeout(() => this.#run(), Math.max(0, Math.ceil(first.due - performance.now())))
  }

  #run(): void {
    const now = performance.now()
    for (let first = this.#acts[0]; first !== undefined && first.due <= now; first = this.#acts[0]) {
      this.#acts.shift()
      first.act()
    }
    this.#arm()
  }
}

function forward(from: Socket, to: Socket): void {
  let held = 0
  const line = new Line()
  from.on('data', (chunk: Buffer) => {
    held += chunk.length
    if (held > HELD_MAX) from.pause()
    line.later(() => {
      held -= chunk.length
      if (from.isPaused() && held <= HELD_MAX) from.resume()
      if (!to.destroyed) to.write(chunk)
    })
  })
  from.on('end', () => line.later(() => to.end()))
  from.on('error', () => to.destroy())
  from.on('close', () => line.later(() => to.destroy()))
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
