/** Those that come as clients, in raw libp2p: who asks nothing, or too much, is refused and named, and others are served. */

import type { Stream } from '@libp2p/interface'
import { describe, expect, it } from 'vitest'
import { encodeFrame } from '../../src/mesh/frames.ts'
import { limits, protocols } from '../../src/mesh/limits.ts'
import { Cluster } from '../e2e/cluster.ts'
import { Attacker, pour } from './attacker.ts'
import { closed, finished, refusedBy, underWay } from './attacks.ts'
import { World } from './helpers.ts'

describe.concurrent('clients', () => {
  it('that never say what they want, or never end it, are sent away', async () => {
    await using cluster = await Cluster.of(['a'])
    const [address] = JSON.parse(JSON.stringify(cluster.of('node.listening', 'a')[0]?.addrs))
    await using silent = await Attacker.create()
    await using slow = await Attacker.create()
    for (const attacker of [silent, slow]) await attacker.join(address, cluster.runId, { role: 'client' })
    const [mute, endless] = [
      await silent.stream(address, protocols.client),
      await slow.stream(address, protocols.client),
    ]
    endless.send(new Uint8Array([0, 0, 1, 0, ...new Uint8Array(100)]))
    const isRequest = ({ reason }: Record<string, unknown>) => reason === 'request'
    const refused = (from: string) =>
      cluster.of('message.rejected', 'a').find((event) => isRequest(event) && event.from === from)
    for (const { peerId } of [silent, slow]) {
      await cluster.until('it is refused', () => refused(peerId) !== undefined)
      expect(refused(peerId)?.got).toContain('silence')
    }
    await Promise.all([ended(mute), ended(endless)])
  }, 60_000)

  it('that are too many are turned away, until others have gone', async () => {
    await using world = await World.create()
    const { walk, leader } = await underWay(world)
    leader.mesh.onClient(() => {})
    await using crowd = new AsyncDisposableStack()
    const come = async () => crowd.use(await Attacker.create())
    const attackers = await Promise.all(
      Array.from({ length: limits.clientsMax / limits.clientStreamsPerConnection }, () => come()),
    )
    const ask = async (attacker: Attacker) => {
      const stream = await attacker.stream(leader.address, protocols.client)
      stream.send(encodeFrame({ type: 'status' }))
      return stream
    }
    const streams: Stream[] = []
    for (const attacker of attackers) {
      for (let at = 0; at < limits.clientStreamsPerConnection; at += 1) streams.push(await ask(attacker))
    }
    const last = await come()
    await ask(last).catch(() => {})
    expect((await refusedBy(leader, 'clients', last.peerId)).expected).toBe(`at most ${limits.clientsMax} at once`)
    const served = new Promise<string>((resolve) => leader.mesh.onClient(({ peer }) => resolve(peer)))
    streams[0]?.abort(new Error('had enough'))
    const again = setInterval(() => void ask(last).catch(() => {}), 100)
    expect(await served).toBe(last.peerId)
    clearInterval(again)
    await finished(walk)
  })

  it('that go on talking are cut off', async () => {
    await using world = await World.create()
    const { walk, leader } = await underWay(world)
    leader.mesh.onClient(({ documents }) => {
      void (async () => {
        for await (const _ of documents);
      })().catch(() => {})
    })
    await using attacker = await Attacker.create()
    const stream = await attacker.stream(leader.address, protocols.client)
    await pour(
      stream,
      Array.from({ length: 10 * limits.clientDocumentBurst }, () => encodeFrame({ type: 'abort', reason: 'again' })),
    )
    expect((await refusedBy(leader, 'request', attacker.peerId)).expected).toBe('few documents')
    await closed(stream)
    await finished(walk)
  })
})

/** The other side has nothing more to say. */
const ended = (stream: Stream): Promise<void> =>
  stream.remoteWriteStatus === 'closed'
    ? Promise.resolve()
    : new Promise((resolve) => {
        for (const event of ['remoteCloseWrite', 'close'] as const) {
          stream.addEventListener(event, () => resolve(), { once: true })
        }
      })
