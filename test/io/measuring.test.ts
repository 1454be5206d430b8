/** How figures were taken, and when they show this machine rather than the storage: what results say about themselves. */

import { execFile } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { clockReadNs } from '../../src/io/clock-cost.ts'
import { decodeResult, encodeResult, plainResult, type StageResult } from '../../src/io/mod.ts'
import { StallMeter } from '../../src/io/stalls.ts'
import { cpuLimits, engineLimits, engineWarnings } from '../../src/io/warnings.ts'
import {
  allowing,
  cleanup,
  countOf,
  execute,
  objectSet,
  op,
  prepare,
  runStage,
  startEngine,
  tempFolder,
} from './helpers.ts'

const SIZE = { kind: 'fixed', bytes: 64 << 20 } as const

describe('results say', () => {
  it('from where latencies count, what the clock takes, how busy lanes were, and keep it on the wire', async () => {
    const engine = startEngine(allowing(tempFolder()))
    const puts = op('put', 'null://x/')
    const closed = await runStage(engine, execute([puts]))
    expect(closed.measuring).toMatchObject({ latencyFrom: 'start', lanes: 2, lagMs: 0, timedOut: 0, stalledMs: 0 })
    expect(closed.measuring.busyShare).toBeGreaterThan(0)
    expect(closed.measuring.laneOpsMax).toBeLessThanOrEqual(countOf(closed, 'put').count)
    expect(decodeResult(encodeResult(closed)).measuring).toEqual(closed.measuring)
    const paced = await runStage(engine, execute([puts], { rate: { opsPerSecond: 500, arrivals: 'fixed' } }))
    expect(paced.measuring.latencyFrom).toBe('intended_start')
  })

  it('what takes too long, by its own time: waiting behind others is latency and no time-out', async () => {
    const engine = startEngine(allowing(tempFolder()))
    const slow = execute([op('put', 'null://x/', { size: SIZE })], { opTimeoutMs: 0.01 })
    const late = await runStage(engine, slow)
    expect(late.measuring.timedOut).toBe(countOf(late, 'put').errors)
    expect(late.measuring.timedOut).toBeGreaterThan(0)
    const queued = await runStage(
      engine,
      execute([op('put', 'null://x/', { size: { kind: 'fixed', bytes: 8 << 20 } })], {
        durationMs: 1500,
        concurrency: 1,
        opTimeoutMs: 1000,
        rate: { opsPerSecond: 1_000_000, arrivals: 'fixed' },
      }),
    )
    expect(queued.measuring.lagMs).toBeGreaterThan(1000)
    expect(queued.measuring.timedOut).toBe(0)
  })

  it('what was done when the first lane ended, and when the last did', async () => {
    const engine = startEngine(allowing(tempFolder()))
    const ops = [op('put', 'null://x/', { concurrency: 1, size: SIZE }), op('stat', 'null://x/', { concurrency: 1 })]
    const work = execute(ops, { type: 'hybrid', durationMs: null, opsMax: 2000 })
    const result = await runStage(engine, work)
    const { firstDone } = result.measuring
    expect(firstDone.ops).toBeGreaterThan(1000)
    expect(firstDone.ops).toBeLessThanOrEqual(2000)
    expect(result.firstLaneDoneSeconds).toBeLessThanOrEqual(result.lastLaneDoneSeconds)
    const set = objectSet('null://x/', { count: 1000 })
    for (const stage of [prepare([set], { forceOverwrite: true }), cleanup([set])]) {
      const done = await runStage(engine, stage)
      expect(done.measuring.firstDone.ops).toBeGreaterThan(900)
      expect(done.measuring.firstDone.ops).toBeLessThanOrEqual(1000)
    }
  })
})

describe('warnings and limits', () => {
  const work = execute([op('put', 'null://x/')])
  const puts: StageResult['stats'][number] = {
    op: 'put',
    bucket: 'zero',
    bucketIndex: 0,
    count: 2000,
    bytes: 0,
    errors: 0,
    totalNs: 1,
    histogram: '',
  }
  const plain = plainResult({ startedAt: 0, endedAt: 1000 })
  const measuring = { ...plain.measuring, lanes: 2, busyShare: 1, laneOpsMin: 1000, laneOpsMax: 1000 }
  const fine: StageResult = { ...plain, stats: [puts], measuring }

  it('are none for lanes that were busy with the storage, on a host with processors to spare', () => {
    const result = { ...fine, cpu: { host: 0.5, process: 0.4 } }
    expect([...engineWarnings(work, result, 0), ...engineLimits(work, result), ...cpuLimits(result)]).toEqual([])
  })

  it('name an engine that was busy with itself, starved lanes, a host without processors to spare', () => {
    expect(engineLimits(work, { ...fine, measuring: { ...measuring, busyShare: 0.5 } }).join()).toContain('only 50 %')
    const uneven = { ...measuring, laneOpsMin: 10, laneOpsMax: 1990 }
    expect(engineLimits(work, { ...fine, measuring: uneven }).join()).toContain('starved')
    expect(cpuLimits({ ...fine, cpu: { host: 0.99, process: 0.2 } }).join()).toContain('All cores')
  })

  it('name an agent that stood still', () => {
    const result = { ...fine, measuring: { ...measuring, stalledMs: 3200 } }
    expect(engineWarnings(work, result, 0).join()).toContain('stood still for 3.2 s')
  })
})

it('a stall is a gap that no busy machine explains', () => {
  const meter = new StallMeter(1000)
  for (const at of [1200, 1400, 2600, 2800]) meter.tick(at)
  expect(meter.totalMs).toBe(0)
  meter.tick(6800)
  expect(meter.totalMs).toBe(4000)
})

it('a look at the clock takes some nanoseconds', () => {
  expect(clockReadNs()).toBeGreaterThan(1)
  expect(clockReadNs()).toBeLessThan(100_000)
  expect(clockReadNs()).toBe(clockReadNs())
})

it('a process that is stopped and goes on says so', async () => {
  const script = path.join(import.meta.dirname ?? 'test/io', 'stalled.ts')
  const running = promisify(execFile)(process.execPath, [script, tempFolder()])
  const { child } = running
  child.stdout?.once('data', () => {
    child.kill('SIGSTOP')
    setTimeout(() => child.kill('SIGCONT'), 2500)
  })
  const { stdout } = await running
  const result: StageResult = JSON.parse(stdout.slice(stdout.indexOf('{')))
  expect(result.measuring.stalledMs).toBeGreaterThan(2000)
  expect(result.warnings.join()).toContain('stood still')
})
