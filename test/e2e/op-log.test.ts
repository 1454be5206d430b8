/** The log of operations of a whole plan, read back and compared with the plan's figures, on each runtime. */

import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { zstdDecompressSync } from 'node:zlib'
import { afterAll, describe, expect, it } from 'vitest'
import { hasDeno } from './cluster.ts'

const root = path.resolve(import.meta.dirname ?? 'test/e2e', '../..')
const main = path.join(root, 'src/cli/main.ts')
const folder = await mkdtemp(path.join(tmpdir(), 'paceline-oplog-'))
afterAll(() => rm(folder, { recursive: true, force: true }))

const RUNTIMES: readonly [name: string, command: readonly [string, ...string[]]][] = [
  ['Node', [process.execPath, main]],
  ...(hasDeno
    ? [['Deno', [path.join(root, 'node_modules/deno/deno'), 'run', '-A', main]] as [string, [string, ...string[]]]]
    : []),
]

const planOf = (target: string) => `
target: ${target}
concurrency: 2
duration: 500ms
warmup_period: 200ms
io_rate: { iops: 600 }
op_log_path: /elsewhere/trace.tsv.zst
prepare:
  cleanup: true
  ensure_objects: [{ count: 40, size: 4KiB }]
workload:
  - { op: get, path: 'prepared-*', weight: 3 }
  - { op: get, path: 'gone', weight: 1 }
  - { op: put, path: 'new-', object_size: 8KiB, weight: 1 }
  - { op: stat, path: 'prepared-*', weight: 1 }
  - { op: list, path: './', weight: 1 }
`

type Row = Readonly<Record<string, string>>

function rowsOf(text: string): Row[] {
  const [head = '', ...lines] = text.trimEnd().split('\n')
  const columns = head.split('\t')
  return lines.map((line) => Object.fromEntries(line.split('\t').map((cell, at) => [columns[at] ?? '?', cell])))
}

/** How many operations of each kind. */
function tally(counts: Iterable<readonly [op: string, count: number]>): Record<string, number> {
  const sums: Record<string, number> = {}
  for (const [op, count] of counts) if (count > 0) sums[op] = (sums[op] ?? 0) + count
  return sums
}

function sumOf(rows: readonly Row[], column: string): number {
  return rows.reduce((sum, row) => sum + Number(row[column]), 0)
}

describe.each(RUNTIMES)('paceline run on %s with op_log_path', (name, [program, ...before]) => {
  it('logs what the figures count, errors and the warm-up too, in the folder of each agent', async () => {
    const plan = path.join(folder, `${name}.yaml`)
    const out = path.join(folder, name)
    await writeFile(plan, planOf(`file://${folder}/data-${name}/`))
    const flags = ['run', plan, '--agents', '2', '--out', out, '--json', '--allow', `file://${folder}`]
    const { stderr } = await promisify(execFile)(program, [...before, ...flags], { timeout: 60_000 })
    expect(stderr).toContain('op_log_path: operations are logged in agents/<name>/trace.tsv.zst')
    const [dir = ''] = await readdir(out)
    for (const agent of ['agent-1', 'agent-2']) {
      const own = path.join(out, dir, 'agents', agent)
      const text = zstdDecompressSync(await readFile(path.join(own, 'trace.tsv.zst'))).toString()
      const head = 'idx thread op client_id n_objects bytes endpoint file error start first_byte end duration_ns'
      expect(text.split('\n')[0]).toBe([...head.split(' '), 'stage', 'is_warmup'].join('\t'))
      const rows = rowsOf(text)
      expect(new Set(rows.map(({ idx }) => idx)).size).toBe(rows.length)
      for (const row of rows) {
        expect(row).toMatchObject({ client_id: agent, endpoint: 'file://' })
        expect(row.file).toMatch(new RegExp(`^${folder}/data-${name}/`))
        expect(Number(row.duration_ns)).toBeGreaterThan(0)
        expect(Date.parse(row.end ?? '')).toBeGreaterThanOrEqual(Date.parse(row.start ?? ''))
      }
      const failed = rows.filter(({ error }) => error !== '')
      expect(new Set(failed.map(({ file, error }) => `${path.basename(file ?? '')}: ${error}`))).toEqual(
        new Set(['gone: does not exist (ENOENT)']),
      )
      const warm = rows.filter(({ is_warmup }) => is_warmup === '1')
      expect(new Set(warm.map(({ stage }) => stage))).toEqual(new Set(['execute']))
      const measured = rows.filter(({ is_warmup }) => is_warmup === '0')
      const events = (await readFile(path.join(own, 'events.jsonl'), 'utf8')).trimEnd().split('\n')
      const stages = events.map((line) => JSON.parse(line)).filter(({ event }) => event === 'stage.finished')
      expect(stages.map(({ stage }) => stage)).toEqual(['validation', 'prepare', 'execute', 'cleanup'])
      for (const { stage, sequence, ops, bytes, errors } of stages) {
        const logged = measured.filter((row) => row.stage === stage)
        const good = logged.filter(({ error }) => error === '')
        expect({ ops: good.length, errors: logged.length - good.length }).toEqual({ ops, errors })
        expect(sumOf(good, 'bytes')).toBe(bytes)
        const figures = rowsOf(await readFile(path.join(own, `0${sequence}_${stage}_results.tsv`), 'utf8'))
        const counted = figures.filter(({ bucket_idx }) => Number(bucket_idx) < 90)
        expect(tally(good.map(({ op = '' }) => [op, 1]))).toEqual(
          tally(counted.map(({ operation = '', count }) => [nameOf(operation), Number(count)])),
        )
      }
    }
  })
})

/** Figures have the name that plans have. */
function nameOf(operation: string): string {
  return operation === 'STAT' ? 'HEAD' : operation
}
