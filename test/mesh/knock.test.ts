/** Knocking tells a port at which nothing listens from one that is there and from one that cannot be known. */

import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { expect, it } from 'vitest'
import { knock } from '../../src/mesh/knock.ts'

const PEER = '12D3KooWBDQitbyeyvnUG1dNJcTUenXvaJc4TRPaHkn9LxkZamAc'

async function port(): Promise<{ open: string; close: () => Promise<void> }> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const close = async () => {
    server.close()
    await once(server, 'close')
  }
  return { open: `/ip4/127.0.0.1/tcp/${port}/p2p/${PEER}`, close }
}

it('says who is there, who is not, and what it cannot know', async () => {
  const [one, other] = [await port(), await port()]
  await other.close()
  expect(await knock([one.open], 1000)).toBe('open')
  expect(await knock([other.open], 1000)).toBe('refused')
  expect(await knock([other.open, one.open], 1000)).toBe('open')
  expect(await knock([], 1000)).toBe('unknown')
  expect(await knock([other.open, '/dns4/host.example/tcp/4001'], 1000)).toBe('unknown')
  await one.close()
})
