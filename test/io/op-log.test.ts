import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { zstdDecompressSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { createEngine, resolveContainment } from '../../src/io/mod.ts'
import {
  allowing,
  cleanup,
  context,
  countOf,
  execute,
  objectSet,
  op,
  operations,
  prepare,
  runStage,
  tempFolder,
} from './helpers.ts'

function rowsOf(file: string): string[][] {
  const [, ...lines] = zstdDecompressSync(readFileSync(file)).toString().trimEnd().split('\n')
  return lines.map((line) => line.split('\t'))
}

it('logs every operation, however fast lanes are', async () => {
  const file = `${tempFolder()}/op_log.tsv.zst`
  const engine = createEngine(resolveContainment(['null://'], false), { opLog: file })
  const work = operations([op('get', 'null://x/prepared-*', { rangeBytes: 4096 })], 20_000, {
    prepared: [objectSet('null://x/', { size: { kind: 'fixed', bytes: 65_536 } })],
  })
  const result = await runStage(engine, work)
  await engine.close()
  const rows = rowsOf(file)
  expect(result.warnings).toEqual([])
  expect(countOf(result, 'get').count).toBe(20_000)
  expect(rows.map(([idx]) => Number(idx)).sort((a, b) => a - b)).toEqual(Array.from({ length: 20_000 }, (_, i) => i))
  expect(new Set(rows.map(([, lane]) => lane))).toEqual(new Set(['0', '1']))
  expect(rows[0]?.slice(2, 7)).toEqual(['GET', 'agent-1', '1', '4096', 'null://x'])
})

it('times are those of the figures: latencies of the log add up to theirs', async () => {
  const folder = tempFolder()
  const engine = createEngine(allowing(folder), { opLog: `${folder}/op_log.tsv.zst` })
  const base = `file://${folder}/data/`
  const set = objectSet(base, { count: 50 })
  const made = await runStage(engine, prepare([set]))
  const read = await runStage(engine, execute([op('get', `${base}*`)], { prepared: [set] }))
  const removed = await runStage(engine, cleanup([set, { ...set, namePrefix: 'missing', count: 3 }]))
  await engine.close()
  const rows = rowsOf(`${folder}/op_log.tsv.zst`)
  for (const [name, { stats, startedAt, endedAt }] of Object.entries({ PUT: made, GET: read, DELETE: removed })) {
    const own = rows.filter(([, , what, , , , , , error]) => what === name && error === '')
    const totalNs = own.reduce((sum, row) => sum + Number(row[12]), 0)
    expect(totalNs / own.length).toBeCloseTo(stats.reduce((sum, one) => sum + one.totalNs, 0) / own.length, -1)
    const [starts, ends] = [9, 11].map((column) => own.map((row) => Date.parse(row[column] ?? '')))
    expect(Math.min(...(starts ?? []))).toBeGreaterThanOrEqual(startedAt - 2)
    expect(Math.max(...(ends ?? []))).toBeLessThanOrEqual(endedAt + 1)
  }
  expect(rows.filter(([, , what, , , , , , error]) => what === 'DELETE' && error !== '')).toHaveLength(3)
})

it('a log that cannot be written is a warning: stages go on, and nothing of the file is touched', async () => {
  const folder = tempFolder()
  const file = `${folder}/op_log.tsv.zst`
  writeFileSync(file, 'somebody else has this')
  const engine = createEngine(resolveContainment(['null://'], false), { opLog: file })
  const result = await runStage(engine, prepare([objectSet('null://x/', { count: 5000 })], { forceOverwrite: true }))
  expect(countOf(result, 'put').count).toBe(5000)
  expect(result.warnings).toEqual([expect.stringContaining(`Operations are not all logged in ${file}: EEXIST`)])
  await expect(engine.close()).rejects.toThrow('Operations are not all logged')
  expect(readFileSync(file, 'utf8')).toBe('somebody else has this')
})

it('its file may be named when lanes are armed already, or never', async () => {
  for (const wanted of [true, false]) {
    const file = `${tempFolder()}/op_log.tsv.zst`
    const named = Promise.withResolvers<string | null>()
    const engine = createEngine(resolveContainment(['null://'], false), { opLog: named.promise })
    const work = operations([op('put', 'null://x/')], 50)
    const stage = await engine.arm(work, context())
    named.resolve(wanted ? file : null)
    const result = await stage.run({ startAt: 0, signal: new AbortController().signal })
    await engine.close()
    expect(result).toMatchObject({ status: 'ok', warnings: [] })
    if (wanted) expect(rowsOf(file)).toHaveLength(50)
    else expect(existsSync(file)).toBe(false)
  }
})
