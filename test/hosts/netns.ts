/**
 * Hosts of their own on one machine: network namespaces on a bridge, each with its address, and troubles for their
 * network: cuts one way or both, random loss, limited bandwidth, delay. Linux, root, iproute2 and nftables are needed.
 *
 *   await using net = HostNetwork.create({ hosts: 5 })
 *   net.spawn(net.host(0), process.execPath, ['src/cli/main.ts', 'node', ...], { stdio: 'pipe' })
 *   net.cut(net.host(0), net.host(1))       // what host 0 sends to host 1 is lost, not the other way round
 *   net.heal()
 */

import { type ChildProcess, type SpawnOptions, spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'

export type Family = 'ipv4' | 'ipv6'

export interface Host {
  /** "h1", "h2", ...; for programs on the hosts also "host1", "host2", ... */
  readonly name: string
  readonly namespace: string
  readonly address: string
  /** The address in front of a port: "/ip4/10.77.0.1". */
  readonly prefix: string
}

export interface HostNetworkOptions {
  /** 1 to 200. */
  readonly hosts: number
  readonly family?: Family
}

export interface DelayOptions {
  /** One way, ms. */
  readonly delayMs: number
  /** Up to so much more, at random, ms. */
  readonly jitterMs?: number
  /** Only connections to this port of the hosts are delayed. */
  readonly port: number
}

/** Ports of the relay: one a host. */
const RELAY_PORT = 20_000
const TABLE = 'inet trouble'
/** Where iproute2 looks for what differs in a namespace. */
const NAMES = '/etc/netns'

/** Why namespaces cannot be used here, or null. */
export function whyNoNamespaces(): string | null {
  if (process.platform !== 'linux') return 'network namespaces need Linux'
  if (process.getuid?.() !== 0) return 'network namespaces need root'
  for (const tool of ['ip', 'nft', 'tc']) {
    if (spawnSync('sh', ['-c', `command -v ${tool}`]).status !== 0) return `"${tool}" is not installed`
  }
  const name = `pl${randomBytes(3).toString('hex')}-try`
  const made = spawnSync('ip', ['netns', 'add', name], { encoding: 'utf8' })
  if (made.status !== 0) return `no namespace can be made: ${made.stderr.trim()}`
  spawnSync('ip', ['netns', 'del', name])
  return null
}

export class HostNetwork implements AsyncDisposable {
  readonly hosts: readonly Host[]
  readonly family: Family
  /** The namespace of the bridge; it has an address too: clients and the relay run there. */
  readonly hub: Host
  readonly #children = new Set<ChildProcess>()
  #relay: ChildProcess | undefined
  /** A run that is cut short leaves nothing behind either. */
  readonly #onExit = (): void => this.#remove()

  private constructor(options: HostNetworkOptions) {
    this.family = options.family ?? 'ipv4'
    const tag = `pl${randomBytes(3).toString('hex')}`
    this.hub = this.#describe('hub', `${tag}-hub`, 254)
    this.hosts = Array.from({ length: options.hosts }, (_, at) =>
      this.#describe(`h${at + 1}`, `${tag}-h${at + 1}`, at + 1),
    )
  }

  /** Throws with the tool's own words where a step fails; nothing is left behind then. */
  static create(options: HostNetworkOptions): HostNetwork {
    const net = new HostNetwork(options)
    process.once('exit', net.#onExit)
    try {
      net.#build()
    } catch (error) {
      net.#remove()
      throw error
    }
    return net
  }

  host(at: number): Host {
    const host = this.hosts[at]
    if (host === undefined) throw new Error(`There is no host ${at}`)
    return host
  }

  /** Starts a program on a host. Its process ID is the program's own: signals reach it. Killed at the end. */
  spawn(host: Host, program: string, args: readonly string[], options: SpawnOptions = {}): ChildProcess {
    const child = spawn('ip', ['netns', 'exec', host.namespace, program, ...args], options)
    this.#children.add(child)
    child.once('exit', () => this.#children.delete(child))
    return child
  }

  /** Packets of `from` do not reach `to` any more. */
  cut(from: Host, to: Host): void {
    const saddr = this.family === 'ipv4' ? 'ip saddr' : 'ip6 saddr'
    nft(to, `add rule ${TABLE} cuts ${saddr} ${from.address} drop`)
  }

  /** Every member of one group is cut off from every member of the other, both ways. */
  split(one: readonly Host[], other: readonly Host[]): void {
    for (const a of one) {
      for (const b of other) {
        this.cut(a, b)
        this.cut(b, a)
      }
    }
  }

  /** Nothing comes in, nothing goes out, or neither. */
  isolate(host: Host, way: 'in' | 'out' | 'both' = 'both'): void {
    if (way !== 'out') nft(host, `add rule ${TABLE} cuts iifname != "lo" drop`)
    if (way !== 'in') nft(host, `add rule ${TABLE} leaving oifname != "lo" drop`)
  }

  /** Takes all cuts back, those of one host or of all; loss, bandwidth and delay stay. */
  heal(host?: Host): void {
    for (const one of host === undefined ? this.hosts : [host]) {
      nft(one, `flush chain ${TABLE} cuts; flush chain ${TABLE} leaving`)
    }
  }

  /** A share (0 to 1) of the packets that come in at each host is lost at random. */
  setLoss(share: number, hosts: readonly Host[] = this.hosts): void {
    for (const host of hosts) {
      nft(host, `flush chain ${TABLE} loss`)
      const threshold = Math.round(share * 10_000)
      if (threshold > 0) {
        nft(host, `add rule ${TABLE} loss iifname != "lo" numgen random mod 10000 <= ${threshold - 1} drop`)
      }
    }
  }

  /** What each host sends is limited to so many Mbit/s; null: unlimited. */
  setRate(mbits: number | null, hosts: readonly Host[] = this.hosts): void {
    for (const host of hosts) {
      // Fails where there was no limit.
      if (mbits === null) spawnSync('ip', inside(host, 'tc', 'qdisc', 'del', 'dev', 'eth0', 'root'))
      else {
        const shape = ['tbf', 'rate', `${mbits}mbit`, 'burst', '64kb', 'latency', '200ms']
        tool('ip', inside(host, 'tc', 'qdisc', 'replace', 'dev', 'eth0', 'root', ...shape))
      }
    }
  }

  /**
   * From now on new connections between hosts go through a relay that holds the bytes back. The kernel's own way
   * (netem) is missing on many machines. All peers then seem to come from the relay's address.
   */
  async delay({ delayMs, jitterMs = 0, port }: DelayOptions): Promise<void> {
    const routes = this.hosts.map(({ address }, at) => ({ listen: RELAY_PORT + at, host: address, port }))
    const relay = path.join(import.meta.dirname ?? 'test/hosts', 'relay.ts')
    const options = JSON.stringify({ address: this.hub.address, delayMs, jitterMs, routes })
    const child = this.spawn(this.hub, process.execPath, [relay, options], { stdio: ['ignore', 'pipe', 'inherit'] })
    this.#relay = child
    if (child.stdout !== null) await Promise.race([once(child.stdout, 'data'), failedExit(child)])
    const [table, daddr] = this.family === 'ipv4' ? ['ip nat', 'ip daddr'] : ['ip6 nat', 'ip6 daddr']
    for (const host of this.hosts) {
      const rules = [`add table ${table}`, `add chain ${table} out { type nat hook output priority -100; }`]
      for (const [at, other] of this.hosts.entries()) {
        if (other === host) continue
        const relayed = `${bracketed(this.hub.address)}:${RELAY_PORT + at}`
        rules.push(`add rule ${table} out ${daddr} ${other.address} tcp dport ${port} dnat to ${relayed}`)
      }
      nft(host, rules.join('; '))
    }
  }

  /** Kills what was started here and removes the namespaces. */
  async [Symbol.asyncDispose](): Promise<void> {
    const ends = [...this.#children].map((child) => once(child, 'exit'))
    for (const child of this.#children) {
      child.kill('SIGCONT')
      child.kill('SIGKILL')
    }
    this.#relay?.kill('SIGKILL')
    await Promise.all(ends)
    this.#remove()
  }

  #describe(name: string, namespace: string, at: number): Host {
    const address = this.family === 'ipv4' ? `10.77.0.${at}` : `fd77::${at.toString(16)}`
    return { name, namespace, address, prefix: `/${this.family === 'ipv4' ? 'ip4' : 'ip6'}/${address}` }
  }

  #build(): void {
    const { namespace } = this.hub
    tool('ip', ['netns', 'add', namespace])
    const steps = ['link set lo up', 'link add br0 type bridge forward_delay 0', 'link set br0 up']
    batch(this.hub, [...steps, this.#addressStep(this.hub, 'br0')])
    for (const host of [...this.hosts, this.hub]) this.#writeNames(host)
    for (const [at, host] of this.hosts.entries()) {
      tool('ip', ['netns', 'add', host.namespace])
      batch(this.hub, [
        `link add veth${at} type veth peer name eth0 netns ${host.namespace}`,
        `link set veth${at} master br0`,
        `link set veth${at} up`,
      ])
      // Multicast (for mDNS) needs a route; nothing else is reachable.
      const everywhere = this.family === 'ipv4' ? 'route add default dev eth0' : '-6 route add default dev eth0'
      batch(host, ['link set lo up', this.#addressStep(host, 'eth0'), 'link set eth0 up', everywhere])
      const chains = [
        `add table ${TABLE}`,
        `add chain ${TABLE} cuts { type filter hook input priority 0; }`,
        `add chain ${TABLE} loss { type filter hook input priority 1; }`,
        `add chain ${TABLE} leaving { type filter hook output priority 0; }`,
      ]
      nft(host, chains.join('; '))
    }
  }

  /** "ip netns exec" puts what is in this folder in the place of the file in /etc. */
  #writeNames({ namespace }: Host): void {
    const names = this.hosts.map(({ address, name }) => `${address} ${name} ${name.replace('h', 'host')}`)
    mkdirSync(`${NAMES}/${namespace}`, { recursive: true })
    writeFileSync(`${NAMES}/${namespace}/hosts`, `${['127.0.0.1 localhost', ...names].join('\n')}\n`)
  }

  #addressStep({ address }: Host, device: string): string {
    // "nodad": an IPv6 address is usable at once, not after a second of asking around.
    return this.family === 'ipv4'
      ? `addr add ${address}/24 dev ${device}`
      : `addr add ${address}/64 dev ${device} nodad`
  }

  #remove(): void {
    process.off('exit', this.#onExit)
    for (const { namespace } of [...this.hosts, this.hub]) {
      const { stdout } = spawnSync('ip', ['netns', 'pids', namespace], { encoding: 'utf8' })
      for (const pid of stdout.split('\n').filter(Boolean)) killHard(Number(pid))
      spawnSync('ip', ['netns', 'del', namespace])
      rmSync(`${NAMES}/${namespace}`, { recursive: true, force: true })
    }
  }
}

function killHard(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}

function inside(host: Host, program: string, ...args: readonly string[]): string[] {
  return ['netns', 'exec', host.namespace, program, ...args]
}

function batch(host: Host, steps: readonly string[]): void {
  const lines = `${steps.map((step) => step.replace(/^-6 /, '')).join('\n')}\n`
  const family = steps.some((step) => step.startsWith('-6 ')) ? ['-6'] : []
  tool('ip', ['-n', host.namespace, ...family, '-batch', '-'], lines)
}

function nft(host: Host, rules: string): void {
  tool('ip', inside(host, 'nft', '-f', '-'), `${rules.split('; ').join('\n')}\n`)
}

function tool(program: string, args: readonly string[], input = ''): void {
  const { status, stderr } = spawnSync(program, args, { input, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr.trim()}\n${input}`)
}

function bracketed(address: string): string {
  return address.includes(':') ? `[${address}]` : address
}

async function failedExit(child: ChildProcess): Promise<never> {
  const [code] = await once(child, 'exit')
  throw new Error(`the relay ended with ${code}`)
}
