/**
 * Barriers side by side: Paceline, a 3-member etcd barrier, a Redis counter barrier; N processes on this host.
 *
 *   node scripts/with-node.js bench/barrier/main.ts [--members 3,8,16,32] [--rounds 60] [--repeat 3] [--only paceline]
 *
 * Every process waits a random 0 to 20 ms, arrives, and notes when it was released and when it started to work. Prints
 * for each N the p50 and p99 of last arrival to last release and of the spread of starts, the CPU time a barrier of the
 * busiest member and of all members (servers not counted), and the ratios.
 */

import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { type Etcd, startEtcd, startRedis } from './servers.ts'

export interface Round {
  readonly arrivedAt: number
  readonly releasedAt: number
  readonly startedAt: number
  /** CPU time of the member's process so far. */
  readonly cpuMs: number
}

interface Figures {
  readonly members: number
  readonly system: string
  readonly release: readonly number[]
  readonly spread: readonly number[]
  /** CPU time a barrier, ms: of the busiest member, and of all together. */
  readonly cpuBusiest: number
  readonly cpuTotal: number
}

const { values } = parseArgs({
  options: {
    members: { type: 'string', default: '3,8,16,32' },
    rounds: { type: 'string', default: '60' },
    repeat: { type: 'string', default: '3' },
    only: { type: 'string' },
  },
})

/** Rounds at the beginning that warm up code and connections; not counted. */
const WARMUP = 10

async function main(): Promise<void> {
  const systems = (values.only ?? 'paceline,etcd,redis').split(',')
  const rounds = Number(values.rounds)
  const etcd = systems.includes('etcd') ? await startEtcd() : undefined
  const redis = systems.includes('redis') ? await startRedis() : undefined
  if (systems.includes('etcd') && etcd === undefined) console.log('etcd: not installed (Debian: etcd-server), left out')
  if (systems.includes('redis') && redis === undefined)
    console.log('redis: not installed (Debian: redis-server), left out')
  const environment = { paceline: {}, etcd: etcdEnvironment(etcd), redis: redis?.environment }
  try {
    for (const members of (values.members ?? '').split(',').map(Number)) {
      const figures: Figures[] = []
      for (let turn = 0; turn < Number(values.repeat); turn += 1) {
        for (const [system, env] of Object.entries(environment)) {
          if (!systems.includes(system) || env === undefined) continue
          figures.push(figuresOf(system, members, await measure(system, members, rounds + WARMUP, env)))
        }
      }
      print(members, figures)
    }
  } finally {
    await etcd?.stop()
    await redis?.stop()
  }
}

function etcdEnvironment(etcd: Etcd | undefined): Record<string, string> | undefined {
  return etcd === undefined ? undefined : { ETCD_HOSTS: etcd.hosts.join(',') }
}

/** One row a member: its rounds. */
async function measure(
  system: string,
  members: number,
  rounds: number,
  env: Record<string, string>,
): Promise<Round[][]> {
  const group = randomBytes(6).toString('hex')
  const children: ChildProcess[] = []
  for (let index = 0; index < members; index += 1) {
    children.push(
      spawn(process.execPath, [...process.execArgv, path.join(import.meta.dirname, `${system}.ts`)], {
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
        env: { ...process.env, ...env, GROUP: group, INDEX: `${index}`, MEMBERS: `${members}`, ROUNDS: `${rounds}` },
      }),
    )
  }
  try {
    return await Promise.all(children.map(rowsOf))
  } finally {
    for (const child of children) child.kill('SIGKILL')
  }
}

async function rowsOf(child: ChildProcess): Promise<Round[]> {
  const result = new Promise<Round[]>((resolve, reject) => {
    child.once('message', (rows: Round[]) => resolve(rows))
    child.once('exit', (code) => reject(new Error(`a member ended early with ${code}`)))
  })
  const rows = await result
  child.removeAllListeners('exit')
  child.send('done')
  await once(child, 'exit')
  return rows
}

function figuresOf(system: string, members: number, rows: readonly Round[][]): Figures {
  const release: number[] = []
  const spread: number[] = []
  const count = Math.min(...rows.map((row) => row.length))
  for (let round = WARMUP; round < count; round += 1) {
    const column = rows.map((row) => row[round]).filter((cell) => cell !== undefined)
    release.push(Math.max(...column.map((c) => c.releasedAt)) - Math.max(...column.map((c) => c.arrivedAt)))
    spread.push(Math.max(...column.map((c) => c.startedAt)) - Math.min(...column.map((c) => c.startedAt)))
  }
  const cpu = rows.map((row) => ((row[count - 1]?.cpuMs ?? 0) - (row[WARMUP]?.cpuMs ?? 0)) / (count - 1 - WARMUP))
  const cpuTotal = cpu.reduce((sum, one) => sum + one, 0)
  return { system, members, release, spread, cpuBusiest: Math.max(...cpu), cpuTotal }
}

function print(members: number, figures: readonly Figures[]): void {
  const summary = new Map<string, { p50: number; p99: number; spread50: number; spread99: number }>()
  for (const system of new Set(figures.map((one) => one.system))) {
    const own = figures.filter((one) => one.system === system)
    const release = own.flatMap((one) => one.release)
    const spread = own.flatMap((one) => one.spread)
    const row = {
      p50: quantile(release, 0.5),
      p99: quantile(release, 0.99),
      spread50: quantile(spread, 0.5),
      spread99: quantile(spread, 0.99),
    }
    summary.set(system, row)
    console.log(
      `N=${String(members).padEnd(3)} ${system.padEnd(9)} release p50 ${ms(row.p50)} p99 ${ms(row.p99)}` +
        `   start spread p50 ${ms(row.spread50)} p99 ${ms(row.spread99)}` +
        `   CPU busiest ${ms(median(own.map((one) => one.cpuBusiest)))} all ${ms(median(own.map((one) => one.cpuTotal)))}` +
        `   (${release.length} rounds)`,
    )
  }
  const own = summary.get('paceline')
  for (const other of ['etcd', 'redis']) {
    const row = summary.get(other)
    if (own === undefined || row === undefined) continue
    console.log(`N=${String(members).padEnd(3)} paceline / ${other}: release p50 ${(own.p50 / row.p50).toFixed(2)}`)
  }
}

function median(numbers: readonly number[]): number {
  return quantile(numbers, 0.5)
}

function ms(value: number): string {
  return `${value.toFixed(2).padStart(7)} ms`
}

function quantile(numbers: readonly number[], share: number): number {
  const sorted = [...numbers].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN
}

await main()
