/** A peer that is there for weeks does not remember everybody who came and went. */

import { expect, it, vi } from 'vitest'
import { met, World } from './helpers.ts'

vi.mock('../../src/mesh/limits.ts', async (load) => {
  const real = await load<typeof import('../../src/mesh/limits.ts')>()
  return { ...real, limits: { ...real.limits, peersMax: 3 } }
})

it('remembers those that have gone, but no more than so many', async () => {
  await using world = await World.create()
  const a = await world.peer('a', { rendezvousDir: null })
  const names = ['b', 'c', 'd', 'e', 'f', 'g']
  for (const name of names) {
    const other = await world.peer(name, { rendezvousDir: null, join: [a.address] })
    await met([a, other])
    await other.mesh.leave()
    await a.until(`${name} has left`, () => !a.connected().includes(name))
  }
  await vi.waitFor(() => expect(a.mesh.peers().map(({ name }) => name)).toEqual(['a', 'b', 'c', 'd']), 5000)
})
