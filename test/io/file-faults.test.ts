/** What goes wrong with files happens to `direct:` as to `file:`, and is told the same way. */

import { execFile, execFileSync } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, readdirSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import {
  cleanup,
  countOf,
  isRoot,
  mountSmall,
  objectSet,
  onFiles,
  op,
  operations,
  prepare,
  runStage,
  tempFolder,
  validation,
} from './helpers.ts'

/** `nobody` on Linux. */
const NOBODY = 65_534

describe.each(['file', 'direct'])('%s://', (scheme) => {
  it('missing and truncated objects are counted by kind, and the stage goes on', async () => {
    const { folder, base, engine } = onFiles(scheme)
    const set = objectSet(base, { count: 4 })
    expect((await runStage(engine, prepare([set]))).status).toBe('ok')
    unlinkSync(`${folder}/data/prepared-00000001.dat`)
    truncateSync(`${folder}/data/prepared-00000002.dat`, 100)
    for (const rangeBytes of [null, 4096]) {
      const ran = await runStage(engine, operations([op('get', `${base}*`, { rangeBytes })], 200, { prepared: [set] }))
      const { count, bytes, errors } = countOf(ran, 'get')
      expect(ran.status).toBe('ok')
      expect([count + errors, bytes]).toEqual([200, 4096 * count])
      expect([count > 0, ran.objects.missing > 0, ran.objects.missing < errors]).toEqual([true, true, true])
      const messages = ran.errorSamples.map(({ message }) => message).join('\n')
      expect(messages).toContain('prepared-00000001.dat: does not exist')
      expect(messages).toContain('prepared-00000002.dat: ends after 100 bytes, expected are 4096')
    }
  })

  it('what is replaced by something else is an error, and is not waited for', async () => {
    const { folder, base, engine } = onFiles(scheme)
    const set = objectSet(base, { count: 2 })
    await runStage(engine, prepare([set]))
    for (const name of readdirSync(`${folder}/data`)) unlinkSync(`${folder}/data/${name}`)
    execFileSync('mkfifo', [`${folder}/data/prepared-00000000.dat`])
    mkdirSync(`${folder}/data/prepared-00000001.dat`)
    const ran = await runStage(engine, operations([op('get', `${base}*`)], 20, { prepared: [set] }))
    expect(ran.status).toBe('ok')
    expect(countOf(ran, 'get')).toEqual({ count: 0, bytes: 0, errors: 20 })
    expect(ran.warnings.join()).toContain('Every operation failed')
  })

  it.skipIf(!isRoot)(
    'a full file system fails a prepare, with what was made; a workload counts it (needs root)',
    async () => {
      const { folder, base, engine } = onFiles(scheme, mountSmall(4 << 20))
      const size = { kind: 'fixed', bytes: 65_536 } as const
      const set = objectSet(base, { count: 100, size })
      const checked = await runStage(engine, validation(base, true, 100 * size.bytes))
      expect(checked).toMatchObject({ status: 'failed', code: 'NO_SPACE' })
      expect(checked.reason).toContain('free')
      const made = await runStage(engine, prepare([set]))
      expect(made).toMatchObject({ status: 'failed', code: 'PREPARE_INCOMPLETE' })
      expect(made.reason).toContain('no space left on the device (ENOSPC)')
      const { count, bytes, errors } = countOf(made, 'put')
      expect([count > 3, count < 100, bytes]).toEqual([true, true, count * size.bytes])
      expect(made.objects.created).toBe(count)
      // One for each lane, at most.
      expect([1, 2]).toContain(errors)
      const ran = await runStage(engine, operations([op('put', base, { size })], 40))
      const puts = countOf(ran, 'put')
      expect([ran.status, puts.count + puts.errors, puts.bytes]).toEqual(['ok', 40, puts.count * size.bytes])
      expect(puts.errors).toBeGreaterThan(20)
      expect(ran.errorSamples).toEqual([{ message: expect.stringContaining('ENOSPC'), count: puts.errors }])
      const cleaned = await runStage(engine, cleanup([set], { putUris: [base] }))
      expect(cleaned).toMatchObject({ status: 'ok', errorSamples: [] })
      expect(readdirSync(`${folder}/data`)).toEqual([])
    },
  )

  it.skipIf(!isRoot)(
    'a read-only file system fails all but reading, and nothing of it is lost (needs root)',
    async () => {
      const { folder, base, engine } = onFiles(scheme, mountSmall(4 << 20))
      const set = objectSet(base, { count: 10 })
      expect((await runStage(engine, prepare([set]))).status).toBe('ok')
      execFileSync('mount', ['-o', 'remount,ro', folder])
      const readOnly = expect.stringContaining('the file system is read-only (EROFS)')
      const checked = await runStage(engine, validation(base, true))
      expect(checked).toMatchObject({ status: 'failed', code: 'NOT_WRITABLE', reason: readOnly })
      const made = await runStage(engine, prepare([objectSet(base, { namePrefix: 'more' })]))
      expect(made).toMatchObject({ status: 'failed', code: 'PREPARE_INCOMPLETE', reason: readOnly })
      expect(made.objects.created).toBe(0)
      const ops = [op('get', `${base}prepared-*`), op('put', base)]
      const ran = await runStage(engine, operations(ops, 100, { prepared: [set], verify: true }))
      const [gets, puts] = [countOf(ran, 'get'), countOf(ran, 'put')]
      expect(ran.status).toBe('ok')
      expect([gets.count + puts.errors, gets.bytes, gets.errors]).toEqual([100, 4096 * gets.count, 0])
      expect([puts.count, puts.bytes, puts.errors > 0]).toEqual([0, 0, true])
      expect(ran.errorSamples).toEqual([{ message: readOnly, count: puts.errors }])
      const cleaned = await runStage(engine, cleanup([set], { putUris: [base] }))
      expect(cleaned).toMatchObject({ status: 'failed', code: 'CLEANUP_INCOMPLETE', reason: readOnly })
      expect([cleaned.objects.deleted, countOf(cleaned, 'delete').errors]).toEqual([0, 10])
      expect(readdirSync(`${folder}/data`)).toHaveLength(10)
    },
  )

  it.skipIf(!isRoot)('what may not be read, written or deleted is said (needs root)', async () => {
    const folder = tempFolder()
    chmodSync(folder, 0o755)
    mkdirSync(`${folder}/data`)
    for (const [number, mode] of [0o444, 0o000].entries()) {
      writeFileSync(`${folder}/data/prepared-0000000${number}.dat`, Buffer.alloc(4096))
      chmodSync(`${folder}/data/prepared-0000000${number}.dat`, mode)
    }
    chownSync(`${folder}/data`, 0, 0)
    const script = fileURLToPath(new URL('forbidden.ts', import.meta.url))
    const options = { uid: NOBODY, gid: NOBODY, env: { ...process.env, HOME: folder } }
    const { stdout } = await promisify(execFile)(process.execPath, [script, `${scheme}://${folder}/`], options)
    const seen = JSON.parse(stdout)
    expect(seen.validation).toMatchObject({ status: 'failed', code: 'NOT_WRITABLE' })
    expect(seen.prepare).toMatchObject({ status: 'failed', code: 'PREPARE_INCOMPLETE', count: 0, bytes: 0 })
    const { status, count, bytes, errors } = seen.gets
    expect([status, count > 0, errors > 0]).toEqual(['ok', true, true])
    expect([count + errors, bytes]).toEqual([100, 4096 * count])
    expect(seen.cleanup).toMatchObject({ status: 'failed', code: 'CLEANUP_INCOMPLETE', count: 0, errors: 2 })
    for (const { text } of [seen.validation, seen.prepare, seen.gets, seen.cleanup]) {
      expect(text).toContain('permission denied')
    }
    expect(readdirSync(`${folder}/data`)).toHaveLength(2)
  })
})
