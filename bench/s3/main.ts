/**
 * S3 clients side by side, one process each, against a server on loopback that does nothing or against a real one.
 *
 *   npm run bench:s3 -- [--seconds 3] [--repeat 3] [--lanes 32] [--only paceline] [--on node,deno]
 *                       [--endpoint URL --bucket NAME]
 *
 * With --endpoint, the credentials are those of the AWS environment variables; the bucket must be there, and what is
 * below its `paceline-bench/` is made and deleted. Prints for each load the median of the repetitions: operations a
 * second with their range, CPU time of the client's process an operation (its threads included), and Paceline's share of the
 * best other by both, with the range of the turns' shares.
 */

import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs, promisify } from 'node:util'
import { median } from '../statistics.ts'
import type { Figures } from './load.ts'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '3' },
    repeat: { type: 'string', default: '3' },
    lanes: { type: 'string', default: '32' },
    only: { type: 'string', default: 'paceline,signer+dispatch,aws4+undici,aws-sdk' },
    on: { type: 'string', default: 'node,deno' },
    endpoint: { type: 'string' },
    bucket: { type: 'string', default: 'paceline-bench' },
  },
})

const LOADS = [
  { name: 'put 4 KiB', op: 'put', bytes: 4096, objects: 1000 },
  { name: 'get 4 KiB', op: 'get', bytes: 4096, objects: 1000 },
  { name: 'put 1 MiB', op: 'put', bytes: 1024 * 1024, objects: 32 },
  { name: 'get 1 MiB', op: 'get', bytes: 1024 * 1024, objects: 32 },
] as const

type Load = (typeof LOADS)[number]
type Environment = Record<string, string>

const folder = import.meta.dirname
const deno = path.join(folder, '../../node_modules/.bin/deno')

async function main(): Promise<void> {
  const clients = values.only.split(',')
  for (const load of LOADS) {
    const target = await startTarget(load)
    try {
      await runLoad('node', 'prepare', load, target.env)
      for (const runtime of values.on.split(','))
        print(runtime, load, await compare(runtime, clients, load, target.env))
      // The other server keeps nothing, and lists nothing.
      if (values.endpoint !== undefined) await runLoad('node', 'cleanup', load, target.env)
    } finally {
      target.server?.kill()
    }
  }
}

async function startTarget(load: Load): Promise<{ env: Environment; server?: ChildProcess }> {
  const base = `s3://${values.bucket}/paceline-bench/${load.bytes}/`
  if (values.endpoint !== undefined) return { env: { BENCH_BASE: base, AWS_ENDPOINT_URL: values.endpoint } }
  const server = spawn(process.execPath, [path.join(folder, 'server.ts'), String(load.bytes)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [port] = await once(createInterface(server.stdout), 'line')
  const env = {
    BENCH_BASE: base,
    AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`,
    AWS_ACCESS_KEY_ID: 'nobody',
    AWS_SECRET_ACCESS_KEY: 'nothing',
    AWS_REGION: 'us-east-1',
  }
  return { env, server }
}

/** Clients take turns, so that a machine's moods meet all of them. */
async function compare(
  runtime: string,
  clients: readonly string[],
  load: Load,
  env: Environment,
): Promise<Map<string, Figures[]>> {
  const figures = new Map<string, Figures[]>(clients.map((client) => [client, []]))
  for (let turn = 0; turn < Number(values.repeat); turn++) {
    for (const client of clients) {
      const measured = await runLoad(runtime, client, load, env)
      if (measured !== null) figures.get(client)?.push(measured)
    }
  }
  return figures
}

async function runLoad(runtime: string, client: string, load: Load, env: Environment): Promise<Figures | null> {
  const { op, bytes, objects } = load
  const [program, before] = runtime === 'deno' ? [deno, ['run', '-A']] : [process.execPath, process.execArgv]
  const numbers = [bytes, objects, values.seconds, values.lanes].map(String)
  const { stdout } = await promisify(execFile)(
    program,
    [...before, path.join(folder, 'load.ts'), client, op, ...numbers],
    { env: { ...process.env, ...env } },
  )
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? 'null')
}

function print(runtime: string, load: Load, measured: ReadonlyMap<string, readonly Figures[]>): void {
  const medians = [...measured].map(([client, figures]) => ({
    client,
    rates: figures.map(({ opsPerSecond }) => opsPerSecond),
    ops: median(figures.map(({ opsPerSecond }) => opsPerSecond)),
    cpu: median(figures.map(({ cpuUsPerOp }) => cpuUsPerOp)),
    errors: figures.reduce((sum, { errors }) => sum + errors, 0),
  }))
  for (const { client, rates, ops, cpu, errors } of medians) {
    const failed = errors > 0 ? `   ${errors} errors` : ''
    const head = `${runtime.padEnd(5)} ${load.name.padEnd(10)} ${client.padEnd(15)}`
    const range = rangeOf(rates, 0).padEnd(15)
    console.log(
      `${head} ${ops.toFixed(0).padStart(7)} ${range} ops/s ${cpu.toFixed(0).padStart(6)} us CPU an op${failed}`,
    )
  }
  const own = medians.find(({ client }) => client === 'paceline')
  const others = medians.filter((one) => one !== own)
  if (own === undefined || others.length === 0) return
  const best = others.reduce((one, other) => (other.ops > one.ops ? other : one))
  const shares = own.rates.map((rate, turn) => rate / (best.rates[turn] ?? Number.NaN))
  const byCpu = Math.min(...others.map(({ cpu }) => cpu)) / own.cpu
  const head = `${runtime.padEnd(5)} ${load.name.padEnd(10)} paceline / best other:`
  console.log(`${head} ${median(shares).toFixed(2)} ${rangeOf(shares, 2)}, by CPU ${byCpu.toFixed(2)}`)
}

function rangeOf(numbers: readonly number[], digits: number): string {
  return `(${Math.min(...numbers).toFixed(digits)}-${Math.max(...numbers).toFixed(digits)})`
}

await main()
