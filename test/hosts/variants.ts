/** One plan on several hosts: how their network is, how they find each other, and what must hold at the end. */

import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { generateSecret } from '../../src/mesh/mod.ts'
import { Cluster, type LoggedEvent, type Runtime } from '../e2e/cluster.ts'
import { HELD, heldPlan, hold, letGo, untilWaiting } from '../e2e/plans.ts'
import { type Family, type Host, HostNetwork } from './netns.ts'

const PORT = 4001
const STAGES = 5
/** Bad networks take their time. */
const WAIT_MS = 60_000

export interface Variant {
  readonly name: string
  readonly family: Family
  readonly discovery: 'join' | 'mdns'
  /** Share of packets lost at each host, 0 to 1. */
  readonly loss?: number
  /** What each host can send, Mbit/s. */
  readonly rate?: number
  /** One way, ms, and up to a quarter more. */
  readonly delayMs?: number
}

export const variants: readonly Variant[] = [
  { name: 'clean', family: 'ipv4', discovery: 'join' },
  { name: 'clean, IPv6', family: 'ipv6', discovery: 'join' },
  { name: 'multicast DNS', family: 'ipv4', discovery: 'mdns' },
  { name: '2 % loss', family: 'ipv4', discovery: 'join', loss: 0.02 },
  { name: '5 Mbit/s', family: 'ipv4', discovery: 'join', rate: 5 },
  { name: '40 ms away', family: 'ipv4', discovery: 'join', delayMs: 20 },
  { name: 'all of it, IPv6', family: 'ipv6', discovery: 'join', loss: 0.02, rate: 10, delayMs: 10 },
]

export interface Outcome {
  /** From the start of the first process until all know all and a leader, ms. */
  readonly metMs: number
  /** First to last start of each stage, ms, on the clock that the hosts share here. */
  readonly spreadsMs: readonly number[]
  /** Last ready to last released of each barrier, ms. */
  readonly barriersMs: readonly number[]
}

/** Throws when the plan does not complete, when decisions differ, or when somebody was not in step. */
export async function runVariant(variant: Variant, count: number, runtimes: readonly Runtime[]): Promise<Outcome> {
  await using network = HostNetwork.create({ hosts: count, family: variant.family })
  await using cluster = await openCluster()
  network.setLoss(variant.loss ?? 0)
  if (variant.rate !== undefined) network.setRate(variant.rate)
  if (variant.delayMs !== undefined) {
    await network.delay({ delayMs: variant.delayMs, jitterMs: variant.delayMs / 4, port: PORT })
  }
  const began = performance.now()
  const names = await startPeers({ cluster, network, variant, runtimes })
  await cluster.met(names, WAIT_MS)
  const metMs = performance.now() - began
  await completePlan(cluster, network, names)
  await checkEnd(cluster, names)
  return { metMs, spreadsMs: spreads(cluster, names), barriersMs: barriers(cluster, names) }
}

/** A folder with the secret of a private mesh in it. */
export async function openCluster(): Promise<Cluster> {
  const cluster = await Cluster.create()
  await writeFile(secretOf(cluster), generateSecret(), { mode: 0o600 })
  return cluster
}

function secretOf(cluster: Cluster): string {
  return path.join(cluster.folder, 'run.key')
}

export interface Start {
  readonly cluster: Cluster
  readonly network: HostNetwork
  readonly variant: Variant
  readonly runtimes: readonly Runtime[]
}

/** A peer on each host, named as the host. */
export async function startPeers(start: Start): Promise<string[]> {
  const { network, runtimes } = start
  await Promise.all(network.hosts.map((host, at) => startPeer(start, host, runtimes[at % runtimes.length] ?? 'node')))
  return network.hosts.map(({ name }) => name)
}

/** A peer as an operator would start it there. */
async function startPeer({ cluster, network, variant }: Start, host: Host, runtime: Runtime): Promise<void> {
  // A temp folder of its own: as on separate hosts, nobody finds anybody through files.
  const temp = path.join(cluster.folder, `tmp-${host.name}`)
  await mkdir(temp)
  const first = network.host(0)
  const join = variant.discovery === 'join' && host !== first ? ['--join', `${first.prefix}/tcp/${PORT}`] : []
  cluster.start(host.name, {
    runtime,
    prefix: inside(host),
    env: { TMPDIR: temp },
    mdns: variant.discovery === 'mdns',
    args: ['--once', '--secret-file', secretOf(cluster), '--listen', `${host.prefix}/tcp/${PORT}`, ...join],
  })
}

/** The plan is handed in from a machine that is no peer, to a host that is not the one that all joined. */
export async function completePlan(cluster: Cluster, network: HostNetwork, names: readonly string[]): Promise<void> {
  const slow = names[1] ?? ''
  await hold(cluster, slow)
  const asked = network.host(network.hosts.length - 1)
  const submit = await cluster.submit(
    heldPlan(cluster, { policy: 'all_or_nothing' }),
    ['--agents', String(names.length), '--secret-file', secretOf(cluster), '--peer', `${asked.prefix}/tcp/${PORT}`],
    { prefix: inside(network.hub), env: { TMPDIR: cluster.folder } },
  )
  const early = submit.ended.then(({ code }) => {
    if (code !== 0) throw new Error(`The submitter ended with ${code}: ${submit.stderr}`)
  })
  const others = names.filter((name) => name !== slow)
  await Promise.race([early, untilWaiting(cluster, others, HELD, WAIT_MS)])
  await letGo(cluster, slow)
  await Promise.race([early, cluster.until('all have finished', () => finished(cluster, names), WAIT_MS)])
  await early
}

function finished(cluster: Cluster, names: readonly string[]): boolean {
  return names.every((name) => cluster.of('run.finished', name).length > 0)
}

/** Throws when decisions differ, or somebody was not in step. */
export async function checkEnd(cluster: Cluster, names: readonly string[]): Promise<void> {
  const wanted = JSON.stringify(await cluster.decisions())
  for (const name of names) {
    const { code } = await cluster.ended(name)
    if (code !== 0) throw new Error(`${name} ended with ${code}\n${cluster.timeline()}`)
    const got = JSON.stringify(await cluster.decisions(name))
    if (got !== wanted) throw new Error(`The decisions of ${name} differ:\n${got}\n${wanted}`)
  }
  for (let sequence = 1; sequence < STAGES; sequence += 1) {
    const lastDone = Math.max(...times(cluster, 'stage.finished', names, sequence))
    const firstReleased = Math.min(...times(cluster, 'barrier.released', names, sequence))
    const firstStarted = Math.min(...times(cluster, 'stage.started', names, sequence + 1))
    if (firstReleased < lastDone) throw new Error(`Barrier ${sequence} was released before all were done`)
    if (firstStarted < firstReleased) throw new Error(`Stage ${sequence + 1} started before its release`)
  }
}

function spreads(cluster: Cluster, names: readonly string[]): number[] {
  return Array.from({ length: STAGES }, (_, at) => {
    const starts = names.map((name) => Number(eventOf(cluster, 'stage.started', name, at + 1).ownAt))
    return Math.max(...starts) - Math.min(...starts)
  })
}

function barriers(cluster: Cluster, names: readonly string[]): number[] {
  return Array.from({ length: STAGES }, (_, at) => {
    const ready = Math.max(...times(cluster, 'barrier.waiting', names, at + 1))
    return Math.max(...times(cluster, 'barrier.released', names, at + 1)) - ready
  })
}

/** When it happened at each peer, on the clock that all processes of this machine share, ms. */
function times(cluster: Cluster, event: string, names: readonly string[], sequence: number): number[] {
  return names.map((name) => eventOf(cluster, event, name, sequence).time)
}

function eventOf(cluster: Cluster, event: string, name: string, sequence: number): LoggedEvent {
  const found = cluster.of(event, name).find((one) => one.sequence === sequence)
  if (found === undefined) throw new Error(`${name} never logged ${event} of ${sequence}\n${cluster.timeline()}`)
  return found
}

function inside(host: Host): string[] {
  return ['ip', 'netns', 'exec', host.namespace]
}
