/** The commands of the documentation that need only this machine, run as they are written, in their order. */

import { execFile, spawnSync } from 'node:child_process'
import { readdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { startFauxqs } from 'fauxqs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { pacelineArguments, shellLines } from '../docs/pages.ts'
import { Cluster, type Program } from './cluster.ts'

const PAGES = ['README.md', 'live-view.md', 'metrics.md', 'events.md', 'troubleshooting.md', 'traces.md', 's3.md']
const BUCKET = 'bench'
/** Small, and allowed everywhere by default. */
const PLAN = `
target: null://
concurrency: 1
distributed:
  stages:
    - { name: preflight, order: 1, type: validation }
    - { name: read, order: 2, type: execute, duration: 200ms, workload: [{ op: get, path: 'data/*', weight: 1 }] }
`

const S3_PLAN = `
target: s3://${BUCKET}/data/
concurrency: 2
duration: 300ms
prepare: { cleanup: true, ensure_objects: [{ count: 4, size: 4KiB }] }
workload: [{ op: get, path: 'prepared-*', weight: 1 }]
`
/** As `export` of the page sets them. */
const CREDENTIALS = { AWS_ACCESS_KEY_ID: 'AKTEST', AWS_SECRET_ACCESS_KEY: 'a-secret', AWS_REGION: 'us-east-1' }

interface Documented {
  readonly line: string
  readonly args: readonly string[]
  readonly env: NodeJS.ProcessEnv
}

/** The lines that begin as one types them in a checkout; those with the prompts of several hosts do not. */
function commandsOf(pages: readonly string[]): Documented[] {
  const lines = pages.flatMap((page) => shellLines(page === 'README.md' ? page : `docs/${page}`))
  const own = [...new Set(lines)].filter((line) => /^(?:[A-Z_]+=\S+ )*node bin\/paceline\.js /.test(line))
  return own.map((line) => {
    const env = Object.fromEntries(
      [...line.matchAll(/([A-Z_]+)=(\S+) /g)].map(([, name = '', value = '']) => [name, value]),
    )
    return { line, args: pacelineArguments(line) ?? [], env }
  })
}

describe('documented commands', () => {
  let cluster: Cluster
  let storage: Awaited<ReturnType<typeof startFauxqs>>

  beforeAll(async () => {
    cluster = await Cluster.create()
    storage = await startFauxqs({ port: 0, logger: false })
    storage.createBucket(BUCKET)
    await writeFile(path.join(cluster.folder, 'plan.yaml'), PLAN)
    await writeFile(path.join(cluster.folder, 's3-plan.yaml'), S3_PLAN)
    await writeFile(path.join(cluster.folder, 'http-token'), 'long-enough-for-anybody')
  })

  afterAll(async () => {
    await storage?.stop()
    await cluster?.[Symbol.asyncDispose]()
  })

  /** Run IDs, plans, folders and ports of this test in place of those that are written there. */
  async function inPlace(word: string): Promise<string> {
    if (word === 'demo') return cluster.runId
    if (word === 'examples/quickstart.yaml') return 'plan.yaml'
    if (/^DIR\d?$/.test(word))
      return path.join('results', (await readdir(path.join(cluster.folder, 'results'))).at(-1) ?? '')
    if (word === 'http://127.0.0.1:9000') return `http://127.0.0.1:${storage.port}`
    return word.replace(/^((?:[\d.]+:)?)9464$/, '$10')
  }

  async function untilListening(node: Program): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const look = () => {
      if (node.stdout.includes('"node.listening"')) resolve()
    }
    node.process.stdout?.on('data', look)
    void node.ended.then(({ code }) => reject(new Error(`It ended with ${code}: ${node.stderr}`)))
    await promise
  }

  it.each(commandsOf(PAGES))('$line', async ({ args, env }) => {
    const onS3 = args.includes('--endpoint')
    const words = await Promise.all(args.map((word) => (onS3 && word === 'plan.yaml' ? 's3-plan.yaml' : inPlace(word))))
    if (words[0] === 'node') {
      const node = cluster.command([...words, '--no-mdns', '--allow', 'null://'], { env })
      return await untilListening(node)
    }
    const flags = words[0] === 'run' ? ['--allow', 'null://'] : []
    const command = cluster.command([...words, ...flags], { env: { ...env, ...CREDENTIALS } })
    expect((await command.ended).code, command.stderr).toBe(0)
  })
})

const tools = ['curl', 'openssl']
const areThere = tools.every((tool) => spawnSync(tool, ['--version']).error === undefined)

it.runIf(areThere)('documented commands of other programs get an answer from a node', async () => {
  await using cluster = await Cluster.create()
  const cwd = cluster.folder
  const lines = PAGES.flatMap((page) => shellLines(page === 'README.md' ? page : `docs/${page}`))
  const own = (tool: string) => lines.filter((line) => line.startsWith(`${tool} `))
  const shell = async (line: string) => await promisify(execFile)('sh', ['-c', line], { cwd })
  for (const line of own('openssl')) await shell(line)
  cluster.start('open', { args: ['--http', '127.0.0.1:0'] })
  cluster.start('guarded', { args: ['--http', '0.0.0.0:0', '--http-token-file', path.join(cwd, 'http-token')] })
  const listening = (name: string) => cluster.of('node.listening', name)[0]
  await cluster.until('both listen', () => listening('open') !== undefined && listening('guarded') !== undefined)
  const hostOf = (name: string) => new URL(String(listening(name)?.http)).host.replace('0.0.0.0', '127.0.0.1')
  for (const line of own('curl')) {
    const there = line.replace('127.0.0.1:9464', hostOf('open')).replace('host1:9464', hostOf('guarded'))
    expect(there).not.toContain('9464')
    expect((await shell(there.replace('curl ', 'curl --fail '))).stdout).toMatch(/^paceline_peers|"peers":/m)
  }
  expect([own('curl').length, own('openssl').length]).toEqual([2, 1])
})
