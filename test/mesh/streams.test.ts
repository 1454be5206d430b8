/** Streams, connections and peers that end at the wrong moment. */

import type { Stream } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { expect, it, vi } from 'vitest'
import { clientChannel } from '../../src/mesh/client.ts'
import { encodeFrame } from '../../src/mesh/frames.ts'
import { Gate } from '../../src/mesh/gate.ts'
import { Guard } from '../../src/mesh/guard.ts'
import { Inbound } from '../../src/mesh/inbound.ts'
import { limits, protocols } from '../../src/mesh/limits.ts'
import type { Node } from '../../src/mesh/node.ts'
import { Peers } from '../../src/mesh/peers.ts'
import { Attacker } from './attacker.ts'
import { World } from './helpers.ts'
import { hello } from './samples.ts'

/** What is used of a stream. */
class FakeStream extends EventTarget {
  status = 'open'
  readStatus = 'readable'
  writeBufferLength = 0
  readonly sent: Uint8Array[] = []

  send(data: Uint8Array): boolean {
    this.sent.push(data)
    return true
  }

  abort(): void {
    this.status = 'aborted'
  }

  pause(): void {}

  /** Several parts, as they come in one packet. */
  hears(...parts: Uint8Array[]): void {
    this.dispatchEvent(Object.assign(new Event('message'), { data: parts }))
  }

  get asStream(): Stream {
    // biome-ignore lint/suspicious/noExplicitAny: what is used of a stream
    return this as any
  }
}

/** Of a stream that hears nothing of interest. */
const deaf = { onHello: () => 0, onDocument: () => {}, onBytes: () => {}, heldByAll: () => 0, onRefused: () => {} }

const noise = new Uint8Array([0, 0, 0, 2, 1, 2])

it('nothing is heard behind what ends a stream, though it came in the same packet', () => {
  const stream = new FakeStream()
  const told: string[] = []
  new Inbound(stream.asStream, new Guard(), {
    ...deaf,
    onHello: () => told.push('hello') * limits.helloBytesMax,
    onDocument: () => told.push('document'),
    onRefused: (reason) => told.push(reason),
    onEnd: () => told.push('end'),
  })
  stream.hears(noise, encodeFrame(hello), encodeFrame({ type: 'leave' }))
  expect(told).toEqual(['malformed', 'end'])
})

it('a client that is refused is refused once', () => {
  const stream = new FakeStream()
  const refused: string[] = []
  clientChannel(stream.asStream, { peer: 'p1', bytesMax: 1000, onRefused: (expected) => refused.push(expected) })
  stream.hears(noise, noise, encodeFrame({ type: 'status' }))
  expect(refused).toHaveLength(1)
})

it('documents end, also where the other side had closed the stream before anybody looked', async () => {
  await using world = await World.create()
  const peer = await world.peer('a')
  peer.mesh.onClient((channel) => void channel.send({ type: 'answer' }).then(() => channel.close()))
  await using raw = await Attacker.create()
  const stream = await raw.stream(peer.address, protocols.client)
  await vi.waitUntil(() => stream.remoteWriteStatus === 'closed', { timeout: 10_000 })
  const documents: unknown[] = []
  for await (const document of clientChannel(stream, { peer: 'a', bytesMax: 1000 }).documents) documents.push(document)
  expect(documents).toEqual([{ type: 'answer' }])
  // Sooner than the other side gives up waiting for this one's end.
}, 8000)

it('a stream that had ended before anybody listened has ended', async () => {
  const stream = new FakeStream()
  stream.status = 'aborted'
  const ended = Promise.withResolvers<void>()
  new Inbound(stream.asStream, new Guard(), { ...deaf, onEnd: ended.resolve })
  await ended.promise
})

it('a link is opened over the other connection, where the one that was tried first is closed meanwhile', async () => {
  vi.useFakeTimers()
  try {
    const id = '12D3KooWQ3Yn8qzHxdfSpSU1YXWjds6d7z5F6h5tuhr31xkBW5H3'
    const stream = new FakeStream()
    const first = { status: 'open', newStream: () => closing.promise, close: async () => {} }
    const second = { status: 'open', newStream: async () => stream, close: async () => {} }
    const closing = Promise.withResolvers<FakeStream>()
    const { node, connect } = fakeNode(() => [first, second])
    const peers = new Peers(node, new Gate(false), self, quiet)
    await peers.open()
    connect(id)
    first.status = 'closed'
    closing.reject(new Error('the connection is closed'))
    await vi.advanceTimersByTimeAsync(limits.lookMs)
    expect(stream.sent).toHaveLength(1)
    peers.close()
  } finally {
    vi.useRealTimers()
  }
})

it('who is told twice to leave is gone at once all the same', async () => {
  await using world = await World.create()
  const { mesh } = await world.peer('a')
  const startedAt = performance.now()
  await Promise.all([mesh.leave(30_000), mesh.leave(30_000)])
  expect(performance.now() - startedAt).toBeLessThan(15_000)
})

const { type: _, wire: __, addrs: ___, peers: ____, ...self } = hello

const quiet = {
  onUp: () => {},
  onDown: () => {},
  onFrame: () => {},
  onUnreachable: () => {},
  onHearsay: () => {},
  onRefused: () => {},
}

/** What is used of a node that has these connections to everybody. */
function fakeNode(connections: () => object[]) {
  const events = new EventTarget()
  const node = Object.assign(events, {
    peerId: peerIdFromString('12D3KooWFNiSq6XvbpRPjfvHDk4zEQ8Y5sTQVQhyC73sb1nQXNPp'),
    handle: async () => {},
    getConnections: connections,
    getMultiaddrs: () => [],
  })
  const connect = (peer: string) => events.dispatchEvent(Object.assign(new Event('peer:connect'), { detail: peer }))
  // biome-ignore lint/suspicious/noExplicitAny: what is used of a node
  return { node: node as any as Node, connect }
}
