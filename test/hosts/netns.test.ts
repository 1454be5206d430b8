/** The troubles of the hosts' network do what they say. Skipped where namespaces cannot be made. */

import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { type Family, type Host, HostNetwork, whyNoNamespaces } from './netns.ts'

const PORT = 4001

const server = (address: string) => `
  const echo = require('node:net').createServer((socket) => { socket.on('error', () => {}); socket.pipe(socket) })
  echo.listen(${PORT}, '${address}', () => console.log('listening'))`

/** Prints the milliseconds of one round trip, or "lost". */
const client = (address: string) => `
  const socket = require('node:net').connect({ port: ${PORT}, host: '${address}' })
  const lost = setTimeout(() => { console.log('lost'); process.exit() }, 800)
  let at
  socket.on('connect', () => { at = performance.now(); socket.write('x') })
  socket.on('data', () => { clearTimeout(lost); console.log(performance.now() - at); process.exit() })`

class Echo {
  readonly #net: HostNetwork
  constructor(net: HostNetwork) {
    this.#net = net
  }

  async open(host: Host): Promise<void> {
    const child = this.#net.spawn(host, process.execPath, ['-e', server(host.address)], { stdio: 'pipe' })
    if (child.stdout !== null) await once(child.stdout, 'data')
  }

  async ask(from: Host, to: Host): Promise<number | 'lost'> {
    const child = this.#net.spawn(from, process.execPath, ['-e', client(to.address)], { stdio: 'pipe' })
    let text = ''
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
    })
    await once(child, 'close')
    return text.trim() === 'lost' ? 'lost' : Number(text)
  }
}

const skipped = whyNoNamespaces()

describe.skipIf(skipped !== null).each(['ipv4', 'ipv6'] satisfies Family[])('hosts with %s addresses', (family) => {
  it('reach each other, unless cut; are lost in full or not at all; and are as late as the relay makes them', async () => {
    await using net = HostNetwork.create({ hosts: 3, family })
    const [a, b, c] = [net.host(0), net.host(1), net.host(2)]
    const echo = new Echo(net)
    await Promise.all([a, b, c].map((host) => echo.open(host)))
    expect(await echo.ask(a, b)).toBeLessThan(100)
    net.cut(a, b)
    expect(await Promise.all([echo.ask(a, b), echo.ask(a, c)])).toEqual(['lost', expect.any(Number)])
    net.heal()
    net.split([a], [b, c])
    net.isolate(c, 'in')
    expect(await Promise.all([echo.ask(b, a), echo.ask(b, c)])).toEqual(['lost', 'lost'])
    net.heal()
    net.setLoss(1, [b])
    expect(await Promise.all([echo.ask(a, b), echo.ask(a, c)])).toEqual(['lost', expect.any(Number)])
    net.setLoss(0)
    net.setRate(10)
    expect(await echo.ask(a, b)).toBeLessThan(100)
    net.setRate(null)
    await net.delay({ delayMs: 30, port: PORT })
    const late = await echo.ask(a, b)
    expect(late).toBeGreaterThanOrEqual(59)
    expect(late).toBeLessThan(400)
  })
})

it.skipIf(skipped !== null)('nothing is left behind', async () => {
  const net = HostNetwork.create({ hosts: 1 })
  const child = net.spawn(net.host(0), process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
  const ended = once(child, 'exit')
  await net[Symbol.asyncDispose]()
  await ended
  expect(() => net.isolate(net.host(0))).toThrow(/Cannot open network namespace/)
})
