import { chmodSync, closeSync, mkdirSync, openSync, unlinkSync, writeFileSync, writeSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  cleanup,
  context,
  countOf,
  execute,
  isRoot,
  objectSet,
  onFiles,
  op,
  prepare,
  runStage,
  validation,
} from './helpers.ts'

describe('storage that misbehaves', () => {
  it.skipIf(isRoot)('a folder without permission fails validation (needs an ordinary user)', async () => {
    const { folder, base, engine } = onFiles()
    mkdirSync(`${folder}/data`)
    chmodSync(`${folder}/data`, 0o500)
    const checked = await runStage(engine, validation(base, true))
    expect(checked).toMatchObject({ status: 'failed', code: 'NOT_WRITABLE' })
    expect(checked.reason).toContain('permission denied')
  })

  it('a folder that is a file, a missing one that is only read', async () => {
    const { folder, base, engine } = onFiles()
    const missing = await runStage(engine, validation(base, false))
    expect(missing).toMatchObject({ status: 'failed', code: 'NOT_REACHABLE' })
    expect(missing.reason).toContain('does not exist')
    writeFileSync(`${folder}/data`, '')
    const file = await runStage(engine, validation(base, true))
    expect(file).toMatchObject({ status: 'failed', code: 'NOT_WRITABLE' })
  })

  it('an object that vanishes between the listing and the get is an error, not the end', async () => {
    const { folder, base, engine } = onFiles()
    mkdirSync(`${folder}/data`)
    for (const name of ['a', 'b']) writeFileSync(`${folder}/data/${name}.bin`, name)
    const ran = await runStage(engine, execute([op('get', `${base}*.bin`)], { durationMs: 600 }), context(), {
      onProgress: () => {
        try {
          unlinkSync(`${folder}/data/a.bin`)
        } catch {
          // Progress comes more than once.
        }
      },
    })
    expect(ran.status).toBe('ok')
    expect(ran.errorSamples.map(({ message }) => message).join()).toContain('a.bin: does not exist')
    const { count, bytes, errors } = countOf(ran, 'get')
    expect([count > 0, bytes === count, ran.objects.missing === errors]).toEqual([true, true, true])
  })

  it('verification finds a changed byte', async () => {
    const { folder, base, engine } = onFiles()
    const set = objectSet(base, { count: 1, size: { kind: 'fixed', bytes: 50_000 } })
    await runStage(engine, prepare([set]))
    const fd = openSync(`${folder}/data/prepared-00000000.dat`, 'r+')
    writeSync(fd, Buffer.from([1, 2, 3, 4]), 0, 4, 40_000)
    closeSync(fd)
    const ran = await runStage(engine, execute([op('get', `${base}*`)], { prepared: [set], verify: true }))
    const { errors } = countOf(ran, 'get')
    expect([ran.status, errors > 0]).toEqual(['ok', true])
    expect(countOf(ran, 'get')).toEqual({ count: 0, bytes: 0, errors })
    expect(ran.errorSamples).toHaveLength(1)
    expect(ran.errorSamples[0]?.message).toMatch(/byte 4000\d is not what was written/)
  })

  it('strict cleanup fails on a missing object after deleting the rest; a tolerant one does not', async () => {
    const { folder, base, engine } = onFiles()
    const set = objectSet(base, { count: 5 })
    await runStage(engine, prepare([set]))
    unlinkSync(`${folder}/data/prepared-00000002.dat`)
    const strict = await runStage(engine, cleanup([set], { mode: 'strict' }))
    expect(strict).toMatchObject({ status: 'failed', code: 'CLEANUP_INCOMPLETE', objects: { deleted: 4 } })
    const tolerant = await runStage(engine, cleanup([set]))
    expect(tolerant).toMatchObject({ status: 'ok', objects: { deleted: 0, missing: 5 } })
  })

  it('an operation that takes longer than allowed is counted as timed out', async () => {
    const { engine } = onFiles()
    const slow = op('put', 'null://x/', { size: { kind: 'fixed', bytes: 256 << 20 } })
    const ran = await runStage(engine, execute([slow], { opTimeoutMs: 0.01 }))
    const { errors } = countOf(ran, 'put')
    expect(countOf(ran, 'put')).toEqual({ count: 0, bytes: 0, errors })
    expect([ran.status, errors > 0, ran.measuring.timedOut]).toEqual(['ok', true, errors])
    expect(ran.errorSamples[0]?.message).toContain('allowed are')
  })
})
