/** What tests of attacks have in common: a run that is under way, and what its peers said of the attacker. */

import type { Stream } from '@libp2p/interface'
import type { MeshEvent } from '../../src/mesh/mod.ts'
import { barrierPlan, Walk } from './barriers.ts'
import { led, met, type TestPeer, type World } from './helpers.ts'

type Refused = Extract<MeshEvent, { type: 'refused' }>

/** Three peers in the middle of a plan of four stages. */
export async function underWay(world: World, options: Parameters<World['peer']>[1] = {}) {
  const names = ['a', 'b', 'c']
  const peers: TestPeer[] = []
  for (const name of names) peers.push(await world.peer(name, options))
  await met(peers)
  const [first] = peers
  if (first === undefined) throw new Error('unreachable')
  await led(peers)
  const walk = new Walk(peers, 1)
  first.mesh.submit(barrierPlan(names, 4))
  await walk.reached(2)
  const leaderName = first.mesh.status().leader?.name
  const leader = peers.find(({ name }) => name === leaderName) ?? first
  const follower = peers.find(({ name }) => name !== leaderName) ?? first
  return { peers, walk, leader, follower }
}

export async function finished(walk: Walk): Promise<void> {
  walk.goOn()
  await walk.completed()
}

export function refusedBy(peer: TestPeer, reason: string, from: string): Promise<Refused> {
  const found = () => peer.of('refused').find((event) => event.reason === reason && event.from === from)
  return peer
    .until(`"${reason}" of ${from} is refused`, () => found() !== undefined, 25_000)
    .then(() => {
      const event = found()
      if (event === undefined) throw new Error('unreachable')
      return event
    })
}

export function rejectedBy(peer: TestPeer, reason: string, from: string): Promise<void> {
  const found = () => peer.of('rejected').some((event) => event.reason === reason && event.from === from)
  return peer.until(`"${reason}" of ${from} is rejected`, found)
}

export const closed = (stream: Stream): Promise<void> =>
  stream.status === 'open'
    ? new Promise((resolve) => stream.addEventListener('close', () => resolve(), { once: true }))
    : Promise.resolve()
