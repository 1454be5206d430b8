/** An established mesh is split for longer than anybody waits, heals, and must go through a plan together. */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Runtime } from '../e2e/cluster.ts'
import { HostNetwork } from './netns.ts'
import { checkEnd, completePlan, openCluster, startPeers } from './variants.ts'

/** From healing to one leader known to all. */
const HEALING_MS_MAX = 30_000

export interface Healing {
  readonly name: string
  readonly splitSeconds: number
}

export const healings: readonly Healing[] = [
  { name: 'split for 8 s', splitSeconds: 8 },
  { name: 'split for 25 s', splitSeconds: 25 },
  // Longer than a dead link is kept.
  { name: 'split for 75 s', splitSeconds: 75 },
]

/** Returns the time from healing until one leader is known to all, ms. Throws when the plan then fails. */
export async function runHealing(
  { splitSeconds }: Healing,
  count: number,
  runtimes: readonly Runtime[],
): Promise<number> {
  await using network = HostNetwork.create({ hosts: count })
  await using cluster = await openCluster()
  const variant = { name: 'healing', family: 'ipv4', discovery: 'join' } as const
  const names = await startPeers({ cluster, network, variant, runtimes })
  await cluster.met(names)
  // The peer that all joined stays with the fewer.
  const few = Math.max(1, Math.floor((count - 1) / 2))
  network.split(network.hosts.slice(0, few), network.hosts.slice(few))
  await sleep(splitSeconds * 1000)
  const leaders = () => new Set(names.map((name) => cluster.of('leader.elected', name).at(-1)?.leader))
  if (leaders().size === 1) throw new Error('The halves never had leaders of their own: the split tested nothing')
  network.heal()
  const healed = performance.now()
  await cluster.until('one leads them all', () => leaders().size === 1, HEALING_MS_MAX)
  const elapsed = performance.now() - healed
  await completePlan(cluster, network, names)
  await checkEnd(cluster, names)
  return elapsed
}
