/** A plan begins when all that it names are ready for it, and those that are not named have nothing to get ready. */

import { expect, it } from 'vitest'
import { barrierPlan, Walk } from './barriers.ts'
import { led, met, World } from './helpers.ts'

it('a start waits for the last of its members to be ready', async () => {
  await using world = await World.create()
  const peers = [await world.peer('a'), await world.peer('b'), await world.peer('c')]
  const slow = Promise.withResolvers<void>()
  const members = peers.slice(0, 2)
  const watcher = peers[2]
  members.at(-1)?.mesh.onProposed(() => slow.promise)
  await met(peers)
  await led(peers)
  const walk = new Walk(members)
  watcher?.mesh.submit(
    barrierPlan(
      members.map(({ name }) => name),
      1,
    ),
  )
  for (const peer of members) await peer.until('it is proposed a plan', () => peer.of('plan_proposed').length > 0)
  expect(members.flatMap((peer) => peer.of('plan_started'))).toEqual([])
  slow.resolve()
  await walk.completed()
  expect(watcher?.of('plan_proposed')).toEqual([])
})

it('a peer that cannot get ready takes part all the same', async () => {
  await using world = await World.create()
  const peers = [await world.peer('a'), await world.peer('b')]
  peers[0]?.mesh.onProposed(() => Promise.reject(new Error('no engine')))
  await met(peers)
  await led(peers)
  const walk = new Walk(peers)
  peers[0]?.mesh.submit(barrierPlan(['a', 'b'], 1))
  await walk.completed()
})
