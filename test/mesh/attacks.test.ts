/** Strangers and liars that speak libp2p to the peers of a run: each is refused and named, and the run goes on. */

import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { Decision, Message } from '../../src/barrier/mod.ts'
import { encodeFrame } from '../../src/mesh/frames.ts'
import { limits, protocols } from '../../src/mesh/limits.ts'
import { generateSecret } from '../../src/mesh/mod.ts'
import { normalizeSecret } from '../../src/mesh/secret.ts'
import { Attacker, pour } from './attacker.ts'
import { closed, finished, refusedBy, rejectedBy, underWay } from './attacks.ts'
import { World } from './helpers.ts'

describe.concurrent('strangers', () => {
  it('without the secret, or with another one, get no further than the handshake', async () => {
    await using world = await World.create()
    const key = () => new TextEncoder().encode(generateSecret())
    const { peers, walk, leader } = await underWay(world, { secret: key(), listen: ['/ip4/127.0.0.1/tcp/0'] })
    await using none = await Attacker.create()
    await using other = await Attacker.create({ secret: normalizeSecret(key()) })
    for (const attacker of [other, none]) await expect(attacker.dial(leader.address)).rejects.toThrow()
    const refused = await refusedBy(leader, 'handshake', '/ip4/127.0.0.1')
    expect(refused).toMatchObject({ expected: 'a peer with the secret of this run', got: expect.stringMatching(/./) })
    await finished(walk)
    expect(peers.every((peer) => peer.connected().length === 2)).toBe(true)
  })

  it('of another run are turned away', async () => {
    await using world = await World.create()
    const { walk, leader } = await underWay(world)
    await using attacker = await Attacker.create()
    const stream = await attacker.join(leader.address, 'another-run')
    const refused = await refusedBy(leader, 'hello', attacker.peerId)
    expect(refused).toMatchObject({ expected: `run ${world.runId}`, got: 'run another-run' })
    await closed(stream)
    await finished(walk)
  })

  it('that say nothing, or never end what they say, are closed', async () => {
    await using world = await World.create()
    const { walk, leader, follower } = await underWay(world)
    await using silent = await Attacker.create()
    await using slow = await Attacker.create()
    await using unending = await Attacker.create()
    const connection = await silent.dial(leader.address)
    const loris = await slow.stream(leader.address)
    loris.send(new Uint8Array([0, 0, 1]))
    const endless = await unending.join(follower.address, world.runId, { role: 'client' })
    endless.send(new Uint8Array([0, 1, 0, 0, ...new Uint8Array(100)]))
    expect((await refusedBy(leader, 'hello', slow.peerId)).got).toBe('an unfinished one')
    expect((await refusedBy(leader, 'hello', silent.peerId)).got).toBe('a connection without one')
    expect((await refusedBy(follower, 'frame', unending.peerId)).expected).toBe('frames that end')
    await Promise.all([closed(loris), closed(endless)])
    expect(connection.status).not.toBe('open')
    await finished(walk)
  })
})

describe.concurrent('liars', () => {
  it('cannot change their name, their role or their incarnation', async () => {
    await using world = await World.create()
    const { walk, leader } = await underWay(world)
    for (const [name, role] of [
      ['b', 'client'],
      ['mallory', 'agent'],
    ] as const) {
      await using attacker = await Attacker.create()
      await attacker.join(leader.address, world.runId, { role: 'client' })
      await attacker.join(leader.address, world.runId, { name, role })
      const refused = await refusedBy(leader, 'hello', attacker.peerId)
      expect(refused).toMatchObject({ expected: 'client mallory, as before', got: `${role} ${name}` })
    }
    await finished(walk)
  })

  it('cannot say that they are where nobody can be', async () => {
    await using world = await World.create()
    const { walk, leader } = await underWay(world)
    await using attacker = await Attacker.create()
    await attacker.join(leader.address, world.runId, { addrs: ['/ip4/127.0.0.1/tcp/9', 'nowhere'] })
    expect((await refusedBy(leader, 'hello', attacker.peerId)).got).toBe('addrs.1: no multiaddr')
    await finished(walk)
  })

  it('that come as clients have no say in the agreement', async () => {
    await using world = await World.create()
    const { walk, leader } = await underWay(world)
    await using attacker = await Attacker.create()
    const stream = await attacker.join(leader.address, world.runId, { role: 'client' })
    stream.send(encodeFrame({ type: 'leave' } satisfies Message))
    expect((await refusedBy(leader, 'role', attacker.peerId)).got).toBe('leave of a client')
    await finished(walk)
  })

  it('cannot speak for the leader, nor repeat what was decided, nor decide anew', async () => {
    await using world = await World.create()
    const { walk, leader, follower } = await underWay(world)
    await using attacker = await Attacker.create()
    const stream = await attacker.join(follower.address, world.runId)
    await follower.until('it is there', () => follower.connected().includes('mallory'))
    const decided = leader.of('decided').map(({ decision }) => decision)
    const [start, release] = decided
    if (start === undefined || release?.kind !== 'release') throw new Error('nothing was decided')
    const { ballot, plan } = release
    const say = (message: Message) => stream.send(encodeFrame(message))
    const invented: Decision = { ...release, sequence: 2, startAt: 0 }
    const higher = { term: ballot.term + 1000, peer: attacker.peerId }
    say({ type: 'propose', ballot, decision: invented })
    say({ type: 'decided', ballot, plan, sequence: 2, startAt: null })
    await rejectedBy(follower, 'not_leader', attacker.peerId)
    say({ type: 'decision', decision: release, startAt: null })
    say({ type: 'decision', decision: invented, startAt: null })
    say({ type: 'propose', ballot: higher, decision: { ...invented, ballot: higher } })
    say({ type: 'ready', plan, sequence: 2, status: 'failed', payload: '', waitedMs: 0 })
    await rejectedBy(follower, 'not_member', attacker.peerId)
    await finished(walk)
    expect(follower.of('decided').map(({ decision }) => decision)).toEqual(
      leader.of('decided').map(({ decision }) => decision),
    )
  })
})

describe.concurrent('noise', () => {
  it('on every protocol is refused', async () => {
    await using world = await World.create()
    const { walk, leader, peers } = await underWay(world)
    await using probe = await Attacker.create()
    const spoken = await probe.protocolsOf(leader.address)
    expect(spoken).toEqual(expect.arrayContaining([protocols.peer, protocols.client, '/ipfs/id/1.0.0']))
    for (const protocol of spoken) {
      await using attacker = await Attacker.create()
      for (const peer of peers) {
        const stream = await attacker.stream(peer.address, protocol)
        await pour(stream, [randomBytes(5), randomBytes(1000), randomBytes(100_000)])
      }
    }
    await finished(walk)
    expect(leader.of('refused').map(({ reason }) => reason)).toEqual(expect.arrayContaining(['frame']))
  })

  it('in a greeted stream is refused, and so is what is larger than allowed', async () => {
    await using world = await World.create()
    const { walk, leader } = await underWay(world)
    await using attacker = await Attacker.create()
    const stream = await attacker.join(leader.address, world.runId, { role: 'client' })
    stream.send(new Uint8Array([0, 0, 0, 4, 1, 2, 3, 4]))
    expect((await refusedBy(leader, 'malformed', attacker.peerId)).expected).toBe('JSON text')
    stream.send(encodeFrame({ type: 'obey' }))
    stream.send(new Uint8Array([0xff, 0, 0, 0]))
    const frame = await refusedBy(leader, 'frame', attacker.peerId)
    expect(frame.expected).toBe(`frames of at most ${limits.helloBytesMax} bytes`)
    expect(frame.got).toContain(`${0xff00_0000} bytes`)
    await closed(stream)
    await finished(walk)
  })

  it('that takes long to read is heard once', async () => {
    await using world = await World.create()
    const { walk, leader } = await underWay(world)
    await using attacker = await Attacker.create()
    const stream = await attacker.join(leader.address, world.runId)
    const { refusalsMax, refusedBytesPerRefusal } = limits
    stream.send(encodeFrame({ type: 'leave', noise: 'x'.repeat(refusalsMax * refusedBytesPerRefusal) }))
    await refusedBy(leader, 'malformed', attacker.peerId)
    await closed(stream)
    await expect(attacker.stream(leader.address)).rejects.toThrow()
    await finished(walk)
  })
})

describe.concurrent('floods', () => {
  it('of messages end with the connection, and the flooder stays out', async () => {
    await using world = await World.create()
    const { walk, leader } = await underWay(world)
    await using attacker = await Attacker.create()
    const stream = await attacker.join(leader.address, world.runId)
    const ping = encodeFrame({ type: 'query', nonce: 1, plan: null } satisfies Message)
    const many = Buffer.concat(Array.from({ length: 1000 }, () => ping))
    await pour(
      stream,
      Array.from({ length: 40 }, () => many),
    )
    const refused = await refusedBy(leader, 'rate', attacker.peerId)
    expect(refused.expected).toBe(`at most ${limits.messagesPerSecond} messages a second`)
    await closed(stream)
    await expect(attacker.stream(leader.address)).rejects.toThrow()
    await finished(walk)
  })

  it('of connections by one peer are cut', async () => {
    await using world = await World.create()
    const { walk, leader } = await underWay(world)
    await using attacker = await Attacker.create()
    for (let at = 0; at < 2 * limits.connectionsPerPeer; at += 1) await attacker.dial(leader.address, true)
    await refusedBy(leader, 'connections', attacker.peerId)
    await finished(walk)
  })

  it('of streams are bounded', async () => {
    await using world = await World.create()
    const { walk, leader } = await underWay(world)
    await using attacker = await Attacker.create()
    const streams = Array.from({ length: 300 }, () => attacker.stream(leader.address, protocols.client))
    const opened = await Promise.allSettled(streams)
    await finished(walk)
    const open = opened.filter((one) => one.status === 'fulfilled' && one.value.status === 'open')
    expect(open.length).toBeLessThanOrEqual(limits.clientStreamsPerConnection)
  })

  it('of requests that are given up at once leave room for others', async () => {
    await using world = await World.create()
    const leader = await world.peer('a')
    let served = 0
    leader.mesh.onClient((channel) => {
      served += 1
      void channel.close()
    })
    await using attacker = await Attacker.create()
    const connection = await attacker.dial(leader.address)
    for (let at = 0; at < 3 * limits.clientsMax; at += 1) {
      const options = { maxOutboundStreams: 100_000, negotiateFully: false }
      // The node may have cut the stream off before it knew what it was for.
      const stream = await connection.newStream(protocols.client, options).catch(() => undefined)
      stream?.abort(new Error('never mind'))
    }
    served = 0
    const client = await world.peer('c', { role: 'client' })
    const channel = await client.mesh.openClient(leader.mesh.peerId, AbortSignal.timeout(5000), leader.mesh.addrs())
    for await (const _ of channel.documents) throw new Error('nothing is said')
    expect(served).toBe(1)
  })

  it('of peers that somebody tells of are bounded', async () => {
    await using world = await World.create()
    const { walk, leader } = await underWay(world)
    for (let at = 0; at < 3; at += 1) {
      await using attacker = await Attacker.create()
      const peers = Array.from({ length: limits.peersInHelloMax }, (_, index) => {
        return { peer: `12D3KooW${index}`, addrs: ['/ip4/127.0.0.1/tcp/9'] }
      })
      await attacker.join(leader.address, world.runId, { name: `m${at}`, peers })
    }
    await finished(walk)
  })
})
