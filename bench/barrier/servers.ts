/** Starts the servers that the barrier benchmark compares with; undefined where they are not installed. */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'

export interface Servers {
  /** Where its members find it. */
  readonly environment: Readonly<Record<string, string>>
  stop(): Promise<void>
}

/** Three members on loopback, as shipped: data on disk, default timings. */
export async function startEtcd(): Promise<Servers | undefined> {
  if (!isInstalled('etcd')) return undefined
  const folder = mkdtempSync(path.join(tmpdir(), 'bench-etcd-'))
  const ports = await freePorts(6)
  const names = ['e0', 'e1', 'e2']
  const cluster = names.map((name, at) => `${name}=http://127.0.0.1:${ports[at + 3]}`).join(',')
  const children = names.map((name, at) =>
    spawn(
      'etcd',
      [
        ...['--name', name, '--data-dir', path.join(folder, name), '--log-level', 'error'],
        ...['--listen-client-urls', `http://127.0.0.1:${ports[at]}`],
        ...['--advertise-client-urls', `http://127.0.0.1:${ports[at]}`],
        ...['--listen-peer-urls', `http://127.0.0.1:${ports[at + 3]}`],
        ...['--initial-advertise-peer-urls', `http://127.0.0.1:${ports[at + 3]}`],
        ...['--initial-cluster', cluster, '--initial-cluster-state', 'new'],
      ],
      { stdio: 'ignore' },
    ),
  )
  const hosts = names.map((_, at) => `http://127.0.0.1:${ports[at]}`)
  await Promise.all(hosts.map(healthy))
  return { environment: { ETCD_HOSTS: hosts.join(',') }, stop: () => stopAll(children, folder) }
}

export async function startRedis(): Promise<Servers | undefined> {
  if (!isInstalled('redis-server')) return undefined
  const folder = mkdtempSync(path.join(tmpdir(), 'bench-redis-'))
  const [port] = await freePorts(1)
  const options = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', folder]
  const child = spawn('redis-server', options, { stdio: 'ignore' })
  await reachable(port ?? 0)
  return { environment: { REDIS_PORT: String(port) }, stop: () => stopAll([child], folder) }
}

function isInstalled(command: string): boolean {
  const found = spawnSync('sh', ['-c', `command -v ${command}`]).status === 0
  if (!found) console.log(`${command} is not installed: left out`)
  return found
}

async function stopAll(children: readonly ChildProcess[], folder: string): Promise<void> {
  await Promise.all(
    children.map(async (child) => {
      if (child.exitCode !== null) return
      child.kill('SIGKILL')
      await once(child, 'exit')
    }),
  )
  rmSync(folder, { recursive: true, force: true })
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'))
  await Promise.all(servers.map((server) => once(server, 'listening')))
  const ports = servers.map((server) => {
    const address = server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  })
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}

/** Until the cluster answers that it has a leader; 30 s at most. */
async function healthy(host: string): Promise<void> {
  const deadline = Date.now() + 30_000
  while (Date.now() < deadline) {
    const answer = await fetch(`${host}/health`).catch(() => undefined)
    if (answer?.ok) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error(`etcd at ${host} did not become healthy within 30 s`)
}

async function reachable(port: number): Promise<void> {
  const deadline = Date.now() + 10_000
  while (Date.now() < deadline) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect({ port, host: '127.0.0.1' })
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
      socket.once('connect', () => socket.destroy())
    })
    if (open) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`redis-server did not listen on port ${port} within 10 s`)
}
