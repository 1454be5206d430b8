/** Operations that are done again where the plan asks for it. */

import { describe, expect, it } from 'vitest'
import { retryPause } from '../../src/io/lanes/retries.ts'
import type { RetrySpec } from '../../src/io/mod.ts'
import { Random } from '../../src/io/random.ts'
import { context, countOf, execute, objectSet, onFiles, op, operations, prepare, runStage } from './helpers.ts'
import { sendError, sharedEngine, startScript } from './s3-servers.ts'

const QUICK: RetrySpec = { max: 2, firstMs: 1, factor: 2, longestMs: 5, jitter: 0 }

describe('pauses between attempts', () => {
  it('grow up to a limit, and end', () => {
    const pauses = [1, 2, 3, 4, 5].map((at) => retryPause({ ...QUICK, max: 4 }, at, new Random(1)))
    expect(pauses).toEqual([1, 2, 4, 5, null])
  })

  it('are numbers, however often they have grown', () => {
    for (const firstMs of [0, 1]) {
      const spec = { max: 1000, firstMs, factor: 1000, longestMs: 5, jitter: 1 }
      expect(retryPause(spec, 1000, new Random(1))).toBe(firstMs === 0 ? 0 : 5)
    }
  })

  it('differ by the jitter at most, and use all of it', () => {
    const random = new Random(1)
    const spec = { ...QUICK, firstMs: 1000, longestMs: 10_000, jitter: 0.25 }
    const pauses = Array.from({ length: 1000 }, () => retryPause(spec, 1, random) ?? 0)
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(750)
    expect(Math.max(...pauses)).toBeLessThanOrEqual(1250)
    expect(Math.max(...pauses) - Math.min(...pauses)).toBeGreaterThan(450)
  })
})

describe('operations that are done again', () => {
  const engine = sharedEngine()

  it('are errors once, when the last attempt has failed', async () => {
    const { base, engine } = onFiles()
    await runStage(engine, prepare([objectSet(base, { count: 10 })]))
    const more = { prepared: [objectSet(base, { count: 20 })], retries: QUICK }
    const ran = await runStage(engine, operations([op('get', `${base}prepared-*`)], 100, more))
    const { count, bytes, errors } = countOf(ran, 'get')
    expect([ran.status, count + errors, bytes, errors > 0]).toEqual(['ok', 100, 4096 * count, true])
    expect([ran.repeated, ran.objects.missing]).toEqual([2 * errors, errors])
    expect(ran.warnings.join()).toContain(`${2 * errors} attempts were repeated`)
  })

  it('are successes when an attempt succeeds, and take as long as all of them', async () => {
    const failed = new Set<string>()
    const script = await startScript(({ url = '' }, response) => {
      // Refused: the client does not repeat that by itself.
      if (!failed.has(url)) sendError(response, 403, 'AccessDenied')
      else response.writeHead(200, { 'content-length': 4096 }).end(Buffer.alloc(4096))
      failed.add(url)
    })
    const work = operations([op('get', `${script.base}prepared-*`)], 60, {
      prepared: [objectSet(script.base, { count: 20 })],
      retries: { ...QUICK, firstMs: 40, longestMs: 40 },
      concurrency: 4,
    })
    const ran = await runStage(engine, work)
    expect(ran).toMatchObject({ status: 'ok', errorSamples: [], repeated: failed.size })
    expect(countOf(ran, 'get')).toEqual({ count: 60, bytes: 60 * 4096, errors: 0 })
    expect(script.requests).toHaveLength(60 + failed.size)
    expect(ran.stats.reduce((sum, { totalNs }) => sum + totalNs, 0)).toBeGreaterThan(failed.size * 40e6)
  })

  it('are not begun again when their time, or that of the stage, would be over', async () => {
    const { base, engine } = onFiles()
    const get = op('get', `${base}prepared-*`)
    const more = { prepared: [objectSet(base)], retries: { ...QUICK, firstMs: 600_000, longestMs: 600_000 } }
    const timed = await runStage(engine, operations([get], 10, { ...more, opTimeoutMs: 60_000 }))
    expect([timed.status, timed.repeated, countOf(timed, 'get').errors]).toEqual(['ok', 0, 10])
    const ended = await runStage(engine, execute([get], { ...more, durationMs: 100, opTimeoutMs: 6_000_000 }))
    expect([ended.status, ended.repeated, countOf(ended, 'get').errors > 0]).toEqual(['ok', 0, true])
  })

  it('end with a stage that is cancelled while they wait', async () => {
    const { base, engine } = onFiles()
    const cancel = new AbortController()
    const more = { prepared: [objectSet(base)], retries: { ...QUICK, firstMs: 600_000, longestMs: 600_000 } }
    const work = operations([op('get', `${base}prepared-*`)], 10, { ...more, opTimeoutMs: 6_000_000 })
    const ran = await runStage(engine, work, context(), {
      signal: cancel.signal,
      onProgress: () => cancel.abort(new Error('enough')),
    })
    expect(ran).toMatchObject({ status: 'failed', code: 'CANCELLED', repeated: 0 })
    expect(countOf(ran, 'get')).toEqual({ count: 0, bytes: 0, errors: 2 })
  })
})
