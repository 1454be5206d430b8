/** A node's pages during a real run: metrics, health, status; to read only, and not for everybody. */

import { spawnSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { families } from '../../src/cli/http/mod.ts'
import { Cluster, hasDeno, type Runtime } from './cluster.ts'
import { HELD, heldPlan, hold, letGo, untilWaiting } from './plans.ts'

const OPENMETRICS = 'application/openmetrics-text; version=1.0.0; charset=utf-8'
const hasPromtool = spawnSync('promtool', ['--version']).status === 0

async function urlOf(cluster: Cluster, name: string): Promise<string> {
  await cluster.until(`${name} listens`, () => cluster.of('node.listening', name).length > 0)
  return String(cluster.of('node.listening', name)[0]?.http)
}

async function metricsOf(url: string, accept = OPENMETRICS): Promise<string> {
  const response = await fetch(`${url}/metrics`, { headers: { accept } })
  expect(response.status).toBe(200)
  return await response.text()
}

/** The value of a sample; undefined where there is none. Labels in the order in which they are written. */
function sampleOf(text: string, sample: string): number | undefined {
  const line = text.split('\n').find((one) => one.startsWith(`${sample} `))
  return line === undefined ? undefined : Number(line.slice(sample.length + 1))
}

function passesPromtool(text: string): void {
  if (!hasPromtool) {
    process.stderr.write('promtool is missing: metrics are not checked by it\n')
    return
  }
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' })
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' })
}

const runtimes: Runtime[] = hasDeno ? ['node', 'deno'] : ['node']

describe.each(runtimes)('%s: metrics', (runtime) => {
  it('count the work of all agents while it happens, and hold the figures of what is finished', async () => {
    await using cluster = await Cluster.of(['a'], { runtime, args: ['--http', '127.0.0.1:0'] })
    cluster.start('b', { runtime: 'node' })
    await cluster.met(['a', 'b'])
    const url = await urlOf(cluster, 'a')
    const idle = await metricsOf(url)
    expect(idle.endsWith('\n# EOF\n')).toBe(true)
    expect(sampleOf(idle, 'paceline_peers{role="agent",connected="true"}')).toBe(2)
    expect(sampleOf(idle, 'paceline_plan_running')).toBe(0)

    await hold(cluster, 'b')
    const submit = await cluster.submit(heldPlan(cluster, { policy: 'majority' }), ['--agents', '2'])
    await untilWaiting(cluster, ['a'], HELD)
    const held = await metricsOf(url)
    expect(sampleOf(held, 'paceline_plan_running')).toBe(1)
    expect(sampleOf(held, 'paceline_plan_sequence')).toBe(HELD)
    expect(sampleOf(held, 'paceline_barriers_total{outcome="released"}')).toBe(HELD)
    await letGo(cluster, 'b')
    expect((await submit.ended).code).toBe(0)
    await cluster.until('a has finished', () => cluster.of('run.finished', 'a').length > 0)

    const text = await metricsOf(url)
    const { stages } = await cluster.summary('a')
    for (const { sequence, name, agents } of stages as Stage[]) {
      for (const { name: agent, ops } of agents) {
        for (const { op, count, bytes, p99Us } of ops) {
          const labels = `plan="1",sequence="${sequence}",stage="${name}",agent="${agent}",op="${op}"`
          expect(sampleOf(text, `paceline_stage_latency_seconds_count{${labels}}`), labels).toBe(count)
          expect(sampleOf(text, `paceline_stage_bytes{${labels}}`), labels).toBe(bytes)
          const p99 = sampleOf(text, `paceline_stage_latency_seconds{${labels},quantile="0.99"}`)
          expect(p99, labels).toBeCloseTo(p99Us / 1e6, 9)
        }
      }
    }
    const all = (agent: string) =>
      (stages as Stage[]).flatMap(({ agents }) => agents.filter(({ name }) => name === agent).flatMap(({ ops }) => ops))
    for (const agent of ['a', 'b']) {
      const ops = all(agent).reduce((sum, { count }) => sum + count, 0)
      expect(sampleOf(text, `paceline_operations_total{agent="${agent}"}`)).toBe(ops)
    }
    expect(sampleOf(text, 'paceline_plans_finished_total{status="completed"}')).toBe(1)
    expect(sampleOf(text, 'paceline_barrier_wait_seconds_count')).toBe(5)
    expect(sampleOf(text, 'process_cpu_seconds_total')).toBeGreaterThan(0)
    for (const { name, type } of Object.values(families)) expect(text).toContain(`# TYPE ${name} ${type}\n`)
    passesPromtool(await metricsOf(url, '*/*'))
    passesPromtool(await metricsOf(url, 'text/plain'))
  })
})

interface Stage {
  readonly sequence: number
  readonly name: string
  readonly agents: readonly {
    readonly name: string
    readonly ops: readonly {
      readonly op: string
      readonly count: number
      readonly bytes: number
      readonly p99Us: number
    }[]
  }[]
}

interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
}

/** As no browser or fetch would ask. */
async function rawRequest(
  url: string,
  options: { method?: string; headers?: Record<string, string>; body?: string },
): Promise<Reply> {
  const { promise, resolve, reject } = Promise.withResolvers<Reply>()
  const { body, ...rest } = options
  const asked = request(url, rest, (response) => {
    response.resume()
    resolve({ status: response.statusCode ?? 0, headers: response.headers })
  })
  asked.on('error', reject)
  asked.end(body)
  return await promise
}

describe.each(runtimes)('%s: who asks', (runtime) => {
  it('on loopback: reads, changes nothing, and must mean this host', async () => {
    await using cluster = await Cluster.of(['a'], { runtime, args: ['--http', '127.0.0.1:0'] })
    const url = await urlOf(cluster, 'a')
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    const health = await fetch(`${url}/healthz`)
    expect([health.status, await health.json()]).toEqual([200, { status: 'ok', run: cluster.runId, peer: 'a' }])
    expect(health.headers.get('x-content-type-options')).toBe('nosniff')
    expect(health.headers.get('content-security-policy')).toContain("default-src 'none'")
    const status = await (await fetch(`${url}/status`)).json()
    expect(status).toMatchObject({ core: { self: { name: 'a' } }, plan: null })
    const text = await fetch(`${url}/metrics`)
    expect(text.headers.get('content-type')).toBe(OPENMETRICS)

    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
      const { status: refused, headers } = await rawRequest(`${url}/metrics`, { method })
      expect([method, refused, headers.allow]).toEqual([method, 405, 'GET, HEAD'])
    }
    expect((await rawRequest(`${url}/metrics`, { method: 'HEAD' })).status).toBe(200)
    expect((await rawRequest(`${url}/metrics`, { headers: { host: 'evil.example' } })).status).toBe(403)
    expect((await rawRequest(`${url}/metrics`, { headers: { 'content-length': '1' }, body: 'x' })).status).toBe(413)
    expect((await rawRequest(`${url}/${'x'.repeat(4000)}`, {})).status).toBe(414)
    expect((await rawRequest(`${url}/`, { headers: { x: 'x'.repeat(20_000) } })).status).toBe(431)
    expect((await rawRequest(`${url}/../../etc/passwd`, {})).status).toBe(404)
  })

  it('elsewhere: only with the token that was printed', async () => {
    await using cluster = await Cluster.of(['a'], { runtime, args: ['--http', '0.0.0.0:0'] })
    const url = (await urlOf(cluster, 'a')).replace('0.0.0.0', '127.0.0.1')
    const token = /\?token=(\S+)/.exec(cluster.peers.get('a')?.stderr ?? '')?.[1] ?? ''
    expect(token).toMatch(/^[\w-]{32}$/)
    for (const page of ['/', '/healthz', '/metrics', '/status', '/nowhere']) {
      expect([page, (await rawRequest(url + page, {})).status]).toEqual([page, 401])
    }
    expect((await rawRequest(`${url}/metrics`, { headers: { authorization: 'Bearer wrong' } })).status).toBe(401)
    const headers = { authorization: `Bearer ${token}` }
    expect((await rawRequest(`${url}/metrics`, { headers })).status).toBe(200)
    const signedIn = await rawRequest(`${url}/status?token=${token}`, {})
    expect([signedIn.status, signedIn.headers.location]).toEqual([303, '/status'])
    const [cookie = ''] = String(signedIn.headers['set-cookie']).split(';')
    expect((await rawRequest(`${url}/status`, { headers: { cookie } })).status).toBe(200)
  })
})

it('`run` tells where its first peer shows the run', async () => {
  await using cluster = await Cluster.create()
  const plan = path.join(cluster.folder, 'plan.yaml')
  await writeFile(plan, heldPlan(cluster, { policy: 'majority' }))
  await hold(cluster, 'agent-1', 'agent-2')
  const flags = [
    '--agents',
    '2',
    '--allow',
    cluster.target,
    '--allow-exec',
    '--http',
    '0.0.0.0:0',
    '--run-id',
    cluster.runId,
  ]
  const run = cluster.command(['run', plan, ...flags])
  const { promise: told, resolve } = Promise.withResolvers<URL>()
  run.process.stderr?.on('data', () => {
    const address = /^live view: (\S+)$/m.exec(run.stderr)?.[1]
    if (address !== undefined) resolve(new URL(address.replace('0.0.0.0', '127.0.0.1')))
  })
  const { origin, searchParams } = await told
  const headers = { authorization: `Bearer ${searchParams.get('token')}` }
  const health = await fetch(`${origin}/healthz`, { headers })
  expect(await health.json()).toEqual({ status: 'ok', run: cluster.runId, peer: 'agent-1' })
  await letGo(cluster, 'agent-1', 'agent-2')
  expect((await run.ended).code).toBe(0)
})

it('a token of the operator is taken from a file, and refused when it is weak', async () => {
  await using cluster = await Cluster.create()
  const file = path.join(cluster.folder, 'token')
  await writeFile(file, 'short\n')
  const args = ['--http', '0.0.0.0:0', '--http-token-file', file]
  const weak = cluster.command(['node', '--run-id', cluster.runId, '--no-mdns', ...args])
  expect((await weak.ended).code).toBe(2)
  expect(weak.stderr).toContain('16 to 512 characters')
  await writeFile(file, 'long-enough-for-anybody\n')
  cluster.start('a', { args })
  const url = (await urlOf(cluster, 'a')).replace('0.0.0.0', '127.0.0.1')
  expect((await rawRequest(`${url}/healthz`, {})).status).toBe(401)
  const headers = { authorization: 'Bearer long-enough-for-anybody' }
  expect((await rawRequest(`${url}/healthz`, { headers })).status).toBe(200)
  expect(cluster.peers.get('a')?.stderr).not.toContain('token')

  const taken = cluster.command(['node', '--run-id', `${cluster.runId}-b`, '--no-mdns', '--http', new URL(url).host])
  expect((await taken.ended).code).toBe(2)
  expect(taken.stderr).toContain('choose another with --http')
})
