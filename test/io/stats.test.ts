import { deflateSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { IoError } from '../../src/io/errors.ts'
import { encodeHistogram, HISTOGRAM_LENGTH, histogramIndex } from '../../src/io/histogram.ts'
import {
  decodeResult,
  encodeResult,
  mergeStats,
  type OpStats,
  plainResult,
  type StageResult,
  summarize,
} from '../../src/io/mod.ts'

function stats(op: OpStats['op'], latencies: readonly number[], errors = 0): OpStats {
  const counts = new Float64Array(HISTOGRAM_LENGTH)
  for (const ns of latencies) counts[histogramIndex(ns)] = (counts[histogramIndex(ns)] ?? 0) + 1
  return {
    op,
    bucket: '1B-8KiB',
    bucketIndex: 1,
    count: latencies.length,
    bytes: latencies.length * 4096,
    errors,
    totalNs: latencies.reduce((sum, ns) => sum + ns, 0),
    histogram: encodeHistogram(counts),
  }
}

describe('mergeStats', () => {
  const fast = Array.from({ length: 99 }, () => 1000)
  const slow = [1_000_000]

  it('gives the percentiles of all latencies together, in whatever order', () => {
    const [merged] = mergeStats([[stats('get', fast)], [stats('get', slow, 2)]])
    const [reversed] = mergeStats([[stats('get', slow, 2)], [stats('get', fast)]])
    expect(merged).toEqual(reversed)
    expect(merged).toEqual(stats('get', [...fast, ...slow], 2))
    const summary = summarize(merged ?? stats('get', []), 2)
    expect(summary).toMatchObject({ count: 100, errors: 2, opsPerSecond: 50, p50Us: 1, p99Us: 1, minUs: 1 })
    expect(summary.meanUs).toBeCloseTo((99 * 1000 + 1_000_000) / 100 / 1000)
    expect(summary.maxUs).toBeGreaterThanOrEqual(1000)
    expect(summary.maxUs).toBeLessThan(1001)
  })

  it('keeps ops apart and sorts them', () => {
    const merged = mergeStats([[stats('delete', slow), stats('get', fast)], [stats('put', slow)]])
    expect(merged.map(({ op }) => op)).toEqual(['get', 'put', 'delete'])
  })

  it('summarizes nothing as zeros', () => {
    expect(summarize(stats('get', []), 0)).toMatchObject({ count: 0, meanUs: 0, p99Us: 0, opsPerSecond: 0 })
  })
})

describe('results on the wire', () => {
  const idle = { ops: 0, bytes: 0, meanNs: 0, p50Ns: 0, p90Ns: 0, p99Ns: 0 }
  const result: StageResult = {
    ...plainResult({ startedAt: 1_700_000_000_000.125, endedAt: 1_700_000_001_000.5 }),
    stats: [stats('get', [1000, 2000])],
    perf: [
      {
        second: 1,
        ops: 2,
        bytes: 8192,
        errors: 0,
        p50Ns: 1000,
        p99Ns: 2000,
        get: { ops: 2, bytes: 8192, meanNs: 1500, p50Ns: 1000, p90Ns: 2000, p99Ns: 2000 },
        put: idle,
        meta: idle,
        warm: true,
        cpu: null,
      },
    ],
    warnings: ['engine was saturated'],
    exitCode: 3,
    output: 'grün\n',
  }

  it('come back as they were', () => {
    expect(decodeResult(encodeResult(result))).toEqual(result)
  })

  it('are taken however many warnings there are, and however long', () => {
    const warnings = Array.from({ length: 200 }, (_, at) => `The empty folder ${at} ${'x'.repeat(2000)} is still there`)
    const decoded = decodeResult(encodeResult({ ...result, warnings, limits: warnings }))
    expect(decoded.stats).toEqual(result.stats)
    expect(decoded.warnings[0]).toMatch(/^The empty folder 0 x+…$/)
    expect([decoded.warnings.length, decoded.warnings.at(-1)]).toEqual([64, 'and 137 more of the kind'])
    expect([decoded.limits.length, decoded.limits.at(-1)]).toEqual([16, 'and 185 more of the kind'])
  })

  it('are refused when they are damaged, too large, or something else', () => {
    const pack = (value: unknown): string => deflateSync(JSON.stringify(value)).toString('base64')
    const bomb = deflateSync(Buffer.alloc(80 << 20, 32)).toString('base64')
    const [first] = result.stats
    const wrong = [
      '',
      'no base64 at all',
      encodeResult(result).slice(0, 50),
      bomb,
      'A'.repeat(9 << 20),
      pack(null),
      pack({ ...result, extra: 1 }),
      pack({ ...result, seconds: -1 }),
      pack({ ...result, stats: [{ ...first, histogram: 'AAAA' }] }),
      pack({ ...result, stats: [{ ...first, bucket: 'zero' }] }),
      pack({ ...result, perf: Array.from({ length: 4000 }, () => result.perf[0]) }),
    ]
    for (const text of wrong) expect(() => decodeResult(text)).toThrow(IoError)
  })
})
