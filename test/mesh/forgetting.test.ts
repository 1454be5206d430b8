/** A peer that is there for weeks does not remember everybody who came and went. */

import { expect, it, vi } from 'vitest'
import { Records } from '../../src/mesh/records.ts'
import { met, World } from './helpers.ts'

vi.mock('../../src/mesh/limits.ts', async (load) => {
  const real = await load<typeof import('../../src/mesh/limits.ts')>()
  return { ...real, limits: { ...real.limits, peersMax: 3, hearsayMax: 2 } }
})

it('remembers those that have gone last, but no more than so many', async () => {
  await using world = await World.create()
  const a = await world.peer('a', { rendezvousDir: null })
  const names = ['b', 'c', 'd', 'e', 'f', 'g']
  for (const name of names) {
    const other = await world.peer(name, { rendezvousDir: null, join: [a.address] })
    await met([a, other])
    await other.mesh.leave()
    await a.until(`${name} has left`, () => !a.connected().includes(name))
  }
  await vi.waitFor(() => expect(a.mesh.peers().map(({ name }) => name)).toEqual(['a', 'e', 'f', 'g']), 5000)
})

it('tales of peers that are nowhere leave room for others, and for those that are there', () => {
  const records = new Records()
  const there = records.of(peer('here'))
  there.up = true
  const told = ['a', 'b', 'c', 'd'].map((name) => records.ofHearsay(peer(name)))
  expect(told).not.toContain(undefined)
  expect([...records.all()]).toEqual([there, told[2], told[3]])
  for (const record of told.slice(2)) if (record !== undefined) record.dialing = true
  expect(records.ofHearsay(peer('e'))).toBeUndefined()
  expect(records.ofHearsay('nobody')).toBeUndefined()
})

/** A peer ID with this at its end. */
function peer(end: string): string {
  const id = '12D3KooWQ3Yn8qzHxdfSpSU1YXWjds6d7z5F6h5tuhr31xkBW5H3'
  return `${id.slice(0, -end.length)}${end}`
}
