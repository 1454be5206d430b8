/** Lies and noise by gossip: refused and named, not passed on, and the run goes on. */

import { setImmediate } from 'node:timers/promises'
import { TopicValidatorResult } from '@chainsafe/libp2p-gossipsub'
import { peerIdFromString } from '@libp2p/peer-id'
import { describe, expect, it } from 'vitest'
import { GossipTopic } from '../../src/mesh/gossip.ts'
import { Guard } from '../../src/mesh/guard.ts'
import { limits } from '../../src/mesh/limits.ts'
import { topicOf } from '../../src/mesh/node.ts'
import { Attacker } from './attacker.ts'
import { finished, refusedBy, underWay } from './attacks.ts'
import { type TestPeer, World } from './helpers.ts'
import { messages } from './samples.ts'

const encode = (document: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(document))
const heartbeat = messages.find(({ type }) => type === 'heartbeat')

/** A peer of the run that has said hello and listens to its topic. */
async function gossiper(world: World, peer: TestPeer): Promise<Attacker> {
  const attacker = await Attacker.create()
  await attacker.join(peer.address, world.runId)
  await attacker.hearsOf(topicOf(world.runId))
  await peer.until('it is there', () => peer.connected().includes('mallory'))
  return attacker
}

describe.concurrent('by gossip', () => {
  it('nobody speaks for another: what the author has not signed is refused', async () => {
    await using world = await World.create()
    const { walk, leader, follower } = await underWay(world)
    await using attacker = await gossiper(world, follower)
    const { pubsub } = attacker.node.services
    // Names the leader as the author, and signs with its own key.
    Object.assign(Reflect.get(pubsub, 'publishConfig'), { author: peerIdFromString(leader.mesh.peerId) })
    const { incarnation } = leader.mesh
    await pubsub.publish(
      topicOf(world.runId),
      encode({ type: 'message', run: world.runId, incarnation, number: 1e6, message: heartbeat }),
    )
    const refused = await refusedBy(follower, 'gossip', attacker.peerId)
    expect(refused.expected).toBe('a message signed by its author')
    await finished(walk)
  })

  it.each([
    ['no JSON', () => new Uint8Array([0xff, 0, 1]), 'no JSON text'],
    ['no message', () => encode({ type: 'obey' }), expect.stringContaining('type')],
    ['another run', () => encode({ ...envelope('another-run'), message: heartbeat }), 'run another-run'],
    ['what belongs to streams', (run: string) => encode({ ...envelope(run), message: { type: 'leave' } }), 'leave'],
    ['too much', () => new Uint8Array(limits.gossipBytesMax + 1), `${limits.gossipBytesMax + 1} bytes`],
  ])('%s is refused', async (_, forge, got) => {
    await using world = await World.create()
    const { walk, follower } = await underWay(world)
    await using attacker = await gossiper(world, follower)
    await attacker.node.services.pubsub.publish(topicOf(world.runId), forge(world.runId))
    expect((await refusedBy(follower, 'gossip', attacker.peerId)).got).toEqual(got)
    await finished(walk)
  })

  it('strangers are not heard', async () => {
    await using world = await World.create()
    const { walk, follower } = await underWay(world)
    await using attacker = await Attacker.create()
    await attacker.dial(follower.address)
    await attacker.hearsOf(topicOf(world.runId))
    const document = { ...envelope(world.runId), message: heartbeat }
    await attacker.node.services.pubsub.publish(topicOf(world.runId), encode(document))
    await refusedBy(follower, 'stranger', attacker.peerId)
    await finished(walk)
  })

  it('a flood ends with the connection', async () => {
    await using world = await World.create()
    const { walk, follower } = await underWay(world)
    await using attacker = await gossiper(world, follower)
    let gone = false
    const left = follower
      .until('it is gone', () => !follower.connected().includes('mallory'), 25_000)
      .then(() => {
        gone = true
      })
    for (let number = 1; !gone; number += 1) {
      const document = { type: 'progress', run: world.runId, incarnation: 'ffff', number, data: number }
      await attacker.node.services.pubsub.publish(topicOf(world.runId), encode(document)).catch(() => {})
      if (number % 50 === 0) await setImmediate()
    }
    expect((await refusedBy(follower, 'rate', attacker.peerId)).expected).toContain('by gossip')
    await left
    await finished(walk)
  })
})

const envelope = (run: string) => ({ type: 'message', run, incarnation: 'ffff', number: 1 })

describe('a topic', () => {
  /** Its validator, as gossipsub calls it. */
  function topic() {
    const validators = new Map<string, (source: unknown, message: unknown) => TopicValidatorResult>()
    const refused: string[] = []
    const told: unknown[] = []
    const pubsub = { topicValidators: validators, subscribe: () => {}, publish: async () => {} }
    const author = peerIdFromString('12D3KooWQ3Yn8qzHxdfSpSU1YXWjds6d7z5F6h5tuhr31xkBW5H3')
    const guard = new Guard()
    // biome-ignore lint/suspicious/noExplicitAny: what is used of a node
    new GossipTopic({ services: { pubsub } } as any, 'r1', 'own', {
      onMessage: (_, __, message) => told.push(message),
      onProgress: (_, __, data) => told.push(data),
      onRefused: (reason) => refused.push(reason),
      knows: (_, incarnation) => incarnation === 'known',
      guardOf: () => guard,
    })
    const say = (number: number, incarnation = 'known', from = author) => {
      const data = encode({ type: 'progress', run: 'r1', incarnation, number, data: number })
      return validators.get(topicOf('r1'))?.(from, { from, data })
    }
    return { say, refused, told }
  }

  it('passes on what is new, ignores what is late, and names what was sent again', () => {
    const { say, refused, told } = topic()
    expect(say(1)).toBe(TopicValidatorResult.Accept)
    expect(say(limits.gossipLateMax + 5)).toBe(TopicValidatorResult.Accept)
    expect([say(limits.gossipLateMax + 4), refused]).toEqual([TopicValidatorResult.Ignore, []])
    expect([say(1), refused]).toEqual([TopicValidatorResult.Ignore, ['replay']])
    expect(told).toEqual([1, limits.gossipLateMax + 5])
  })

  it('copies of what somebody said do not use up its budget', () => {
    const { say, refused } = topic()
    say(1000)
    for (let at = 0; at < 10 * limits.gossipBurst; at += 1) say(1 + (at % 900))
    expect(new Set(refused)).toEqual(new Set(['replay']))
    expect(say(1001)).toBe(TopicValidatorResult.Accept)
  })

  it('who calls its incarnation like that of another does not count on for it', () => {
    const { say, told } = topic()
    const liar = peerIdFromString('12D3KooWFNiSq6XvbpRPjfvHDk4zEQ8Y5sTQVQhyC73sb1nQXNPp')
    expect(say(1)).toBe(TopicValidatorResult.Accept)
    expect(say(Number.MAX_SAFE_INTEGER, 'known', liar)).toBe(TopicValidatorResult.Accept)
    expect(say(2)).toBe(TopicValidatorResult.Accept)
    expect(told).toEqual([1, Number.MAX_SAFE_INTEGER, 2])
  })

  it('knows incarnations apart', () => {
    const { say, refused, told } = topic()
    expect(say(1, 'older')).toBe(TopicValidatorResult.Ignore)
    expect([refused, told]).toEqual([['stranger'], []])
  })
})
