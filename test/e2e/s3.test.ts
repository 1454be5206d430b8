/** A plan on an S3 server from the command line to the results, on each runtime. */

import { spawn } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { zstdDecompressSync } from 'node:zlib'
import { startFauxqs } from 'fauxqs'
import { afterAll, describe, expect, it } from 'vitest'
import { hasDeno } from './cluster.ts'

const root = path.resolve(import.meta.dirname ?? 'test/e2e', '../..')
const main = path.join(root, 'src/cli/main.ts')
const SECRET = 'a-secret-that-nobody-may-see'
const BUCKET = 'bench'

const RUNTIMES: readonly [name: string, command: readonly string[]][] = [
  ['Node', [process.execPath, main]],
  ...(hasDeno ? [['Deno', [path.join(root, 'node_modules/deno/deno'), 'run', '-A', main]] as const] : []).map(
    ([name, command]): [string, readonly string[]] => [name, command],
  ),
]

const folder = await mkdtemp(path.join(tmpdir(), 'paceline-s3-'))
const server = await startFauxqs({ port: 0, logger: false })
server.createBucket(BUCKET)
afterAll(async () => {
  await server.stop()
  await rm(folder, { recursive: true, force: true })
})

/**
 * Fewer objects than fit on one page of a listing: this server sorts by language and goes on by code points, so that keys
 * between its pages are left out.
 */
const PLAN = `
target: s3://${BUCKET}/data/
concurrency: 4
duration: 1s
io_rate: { iops: 1000 }
verify: true
op_log: true
prepare:
  cleanup: true
  ensure_objects: [{ count: 40, size: 4KiB }]
workload:
  - { op: get, path: 'prepared-*', weight: 3 }
  - { op: put, path: 'new-', object_size: 8KiB, weight: 1 }
  - { op: stat, path: 'prepared-*', weight: 1 }
`

interface Ended {
  readonly code: number | null
  readonly text: string
}

function run(command: readonly string[], out: string, flags: readonly string[]): Promise<Ended> {
  const [program = '', ...before] = command
  const plan = path.join(folder, 'plan.yaml')
  const env = { ...process.env, AWS_ACCESS_KEY_ID: 'AKTEST', AWS_SECRET_ACCESS_KEY: SECRET, AWS_REGION: 'us-east-1' }
  const child = spawn(program, [...before, 'run', plan, '--agents', '2', '--out', out, '--json', ...flags], { env })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (more) => (text += more))
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, text })))
}

async function everythingIn(dir: string): Promise<string> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name))
  return (await Promise.all(files.map((file) => readFile(file, 'utf8')))).join('\n')
}

describe.each(RUNTIMES)('paceline run on %s, on s3://', (name, command) => {
  it('prepares, works, cleans up; its results have the figures, and no secrets', async () => {
    await writeFile(path.join(folder, 'plan.yaml'), PLAN)
    const out = path.join(folder, name)
    const flags = ['--endpoint', `http://127.0.0.1:${server.port}`, '--allow', `s3://${BUCKET}/data/`]
    const { code, text } = await run(command, out, flags)
    expect(code, text).toBe(0)
    const written = await everythingIn(out)
    expect(written).toContain('stage.finished')
    for (const all of [text, written]) {
      expect(all).not.toContain(SECRET)
      expect(all).not.toContain('AKTEST')
    }
    const [dir = ''] = await readdir(out)
    const summary = JSON.parse(await readFile(path.join(out, dir, 'summary.json'), 'utf8'))
    expect(summary.status).toBe('completed')
    const opLog = await readFile(path.join(out, dir, 'agents/agent-1/op_log.tsv.zst'))
    expect(zstdDecompressSync(opLog).toString()).toMatch(
      `\tGET\tagent-1\t1\t4096\ts3://${BUCKET}\t${BUCKET}/data/prepared-`,
    )
    const list = await fetch(`http://127.0.0.1:${server.port}/${BUCKET}?list-type=2`)
    expect(await list.text()).not.toContain('<Key>')
  })

  it('is refused where the operator did not allow it, and says the flag', async () => {
    await writeFile(path.join(folder, 'plan.yaml'), PLAN)
    const flags = ['--endpoint', `http://127.0.0.1:${server.port}`]
    const { code, text } = await run(command, path.join(folder, `${name}-refused`), flags)
    expect(code).toBe(1)
    expect(text).toContain(`--allow s3://${BUCKET}/data/`)
  })
})
