/** What a workload does when it meets errors: nothing, an end, a pause. */

import { describe, expect, it } from 'vitest'
import { CONTROL } from '../../src/io/lanes/board.ts'
import { ErrorLimits } from '../../src/io/lanes/error-limits.ts'
import type { ErrorLimitSpec, StageResult } from '../../src/io/mod.ts'
import { context, countOf, execute, objectSet, onFiles, op, operations, prepare, runStage } from './helpers.ts'
import { sendError, sharedEngine, startScript } from './s3-servers.ts'

const NONE: ErrorLimitSpec = { total: null, perSecond: null, windowMs: 1000, backoffMs: 5000 }

function limitsOf(more: Partial<ErrorLimitSpec>): ErrorLimits {
  return new ErrorLimits({ ...NONE, ...more }, new Int32Array(new SharedArrayBuffer(4 * CONTROL.LENGTH)), 1000)
}

describe('limits of errors', () => {
  it('the last error that is too many says stop, and so does every later one', () => {
    const limits = limitsOf({ total: 3 })
    expect([1, 2, 3, 4].map((at) => limits.count(1000 + at))).toEqual([0, 0, 'stop', 'stop'])
  })

  it('a rate is counted in windows, each from 0', () => {
    const limits = limitsOf({ perSecond: 6, windowMs: 500, backoffMs: 70 })
    expect([0, 100, 499, 499.9].map((at) => limits.count(1000 + at))).toEqual([0, 0, 70, 70])
    expect([500, 600, 700, 1000].map((at) => limits.count(1000 + at))).toEqual([0, 0, 70, 0])
  })
})

/** Gets of objects of which every second one is missing. */
async function meetErrors(limits: Partial<ErrorLimitSpec> | null, opsMax: number | null): Promise<StageResult> {
  const { base, engine } = onFiles()
  await runStage(engine, prepare([objectSet(base, { count: 10 })]))
  const more = {
    prepared: [objectSet(base, { count: 20 })],
    errorLimits: limits === null ? null : { ...NONE, ...limits },
  }
  const get = op('get', `${base}prepared-*`)
  return await runStage(
    engine,
    opsMax === null ? execute([get], { ...more, durationMs: 600_000 }) : operations([get], opsMax, more),
  )
}

describe('a workload that meets errors', () => {
  it('goes on without limits, and below them', async () => {
    for (const limits of [null, { total: 100_000 }]) {
      const ran = await meetErrors(limits, 400)
      const { count, errors } = countOf(ran, 'get')
      expect([ran.status, count + errors, errors > 100]).toEqual(['ok', 400, true])
    }
  })

  it('fails when it has met as many as are allowed, with what it did until then', async () => {
    const ran = await meetErrors({ total: 25 }, null)
    const { count, errors } = countOf(ran, 'get')
    expect(ran).toMatchObject({ status: 'failed', code: 'TOO_MANY_ERRORS' })
    expect(ran.reason).toMatch(/^Stopped after 25 errors \(max_total_errors\), the last: get .*: does not exist/)
    // Each of the other lanes may have been at one.
    expect(errors).toBeGreaterThanOrEqual(25)
    expect(errors).toBeLessThanOrEqual(26)
    expect(count).toBeGreaterThan(0)
  })

  it('pauses at too many a second; the pause is no operation, and ends with the stage', async () => {
    const ran = await meetErrors({ perSecond: 4, windowMs: 60_000, backoffMs: 100 }, 600)
    const { errors } = countOf(ran, 'get')
    // Two lanes; the first 239 errors of the only window cost no pause.
    expect(ran.status).toBe('ok')
    expect(ran.seconds).toBeGreaterThan(((errors - 239 - 2) / 2) * 0.1)
    expect(ran.measuring.busyShare).toBeLessThan(0.5)
  })

  it('pauses no longer than the stage lasts, and no longer than it is let', async () => {
    const { base, engine } = onFiles()
    const work = execute([op('get', `${base}prepared-*`)], {
      prepared: [objectSet(base)],
      errorLimits: { ...NONE, perSecond: 0.001, backoffMs: 600_000 },
    })
    const ran = await runStage(engine, { ...work, durationMs: 500 })
    expect([ran.status, countOf(ran, 'get').errors]).toEqual(['ok', 2])
    const cancel = new AbortController()
    const cut = await runStage(engine, { ...work, durationMs: 600_000 }, context(), {
      signal: cancel.signal,
      onProgress: ({ errors }) => {
        if (errors === 2) cancel.abort(new Error('enough'))
      },
    })
    expect(cut).toMatchObject({ status: 'failed', code: 'CANCELLED' })
    expect(countOf(cut, 'get').errors).toBe(2)
  })
})

describe('a workload on S3 that meets errors', () => {
  const engine = sharedEngine()

  it('ends for all lanes of the thread, and waits without blocking them', async () => {
    const script = await startScript((request, response) => {
      if (request.url?.endsWith('7.dat')) sendError(response, 403, 'AccessDenied')
      else response.writeHead(200, { 'content-length': 4096 }).end(Buffer.alloc(4096))
    })
    const limited = execute([op('get', `${script.base}prepared-*`)], {
      prepared: [objectSet(script.base)],
      concurrency: 4,
      durationMs: 600_000,
      errorLimits: { total: 20, perSecond: 5, windowMs: 1000, backoffMs: 50 },
    })
    const ran = await runStage(engine, limited)
    expect(ran).toMatchObject({ status: 'failed', code: 'TOO_MANY_ERRORS' })
    expect(ran.reason).toContain('access was denied')
    expect(countOf(ran, 'get').errors).toBeGreaterThanOrEqual(20)
    expect(countOf(ran, 'get').errors).toBeLessThan(24)
  })
})
