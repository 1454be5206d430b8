/** A network that was split and heals: the halves find each other again, and one of them all leads. */

import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { meshLimits } from '../../src/mesh/mod.ts'
import { Cluster } from '../e2e/cluster.ts'
import { type Host, HostNetwork, whyNoNamespaces } from './netns.ts'

const PORT = 4001
const test = it.skipIf(whyNoNamespaces() !== null)

function start(cluster: Cluster, host: Host, joined: readonly Host[]): void {
  const join = joined.flatMap(({ prefix }) => ['--join', `${prefix}/tcp/${PORT}`])
  cluster.start(host.name, {
    prefix: ['ip', 'netns', 'exec', host.namespace],
    args: ['--insecure', '--no-rendezvous', '--listen', `${host.prefix}/tcp/${PORT}`, ...join],
  })
}

test('halves that were started apart find each other when the network heals', async () => {
  await using network = HostNetwork.create({ hosts: 4 })
  await using cluster = await Cluster.create()
  const [h1, h2, h3, h4] = [network.host(0), network.host(1), network.host(2), network.host(3)]
  const [left, right] = [
    [h1, h2],
    [h3, h4],
  ]
  network.split(left, right)
  // The usual way: everybody is given the same addresses, its own among them.
  for (const host of network.hosts) start(cluster, host, [h1, h3])
  await cluster.met(left.map(({ name }) => name))
  await cluster.met(right.map(({ name }) => name))
  expect(cluster.of('peer.joined', 'h1').map(({ name }) => name)).toEqual(['h2'])
  // Nothing may be left on its way that was sent at the start.
  await sleep(meshLimits.dialMs + 500)
  network.heal()
  await cluster.met(network.hosts.map(({ name }) => name))
  await cluster.until('one leads them all', () => {
    const known = network.hosts.map(({ name }) => cluster.of('leader.elected', name).at(-1)?.leader)
    return new Set(known).size === 1
  })
})
