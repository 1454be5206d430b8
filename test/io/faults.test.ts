import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Engine } from '../../src/io/mod.ts'
import {
  allowing,
  cleanup,
  context,
  countOf,
  execute,
  objectSet,
  onCleanup,
  op,
  prepare,
  runStage,
  startEngine,
  tempFolder,
  validation,
} from './helpers.ts'

const isRoot = process.getuid?.() === 0

function setUp(): { folder: string; base: string; engine: Engine } {
  const folder = tempFolder()
  return { folder, base: `file://${folder}/data/`, engine: startEngine(allowing(folder)) }
}

/** A file system of its own that is soon full. */
function smallFileSystem(size: string): string {
  const folder = tempFolder()
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder])
  onCleanup(() => execFileSync('umount', [folder]))
  return folder
}

describe('storage that misbehaves', () => {
  it.skipIf(!isRoot)(
    'a full file system fails a prepare, with what was made; a workload counts it (needs root)',
    async () => {
      const folder = smallFileSystem('1m')
      const engine = startEngine(allowing(folder))
      const base = `file://${folder}/data/`
      const set = objectSet(base, { count: 100, size: { kind: 'fixed', bytes: 65_536 } })
      const checked = await runStage(engine, validation(base, true, 100 * 65_536))
      expect(checked).toMatchObject({ status: 'failed', code: 'NO_SPACE' })
      expect(checked.reason).toContain('free')
      const made = await runStage(engine, prepare([set]))
      expect(made).toMatchObject({ status: 'failed', code: 'PREPARE_INCOMPLETE' })
      expect(made.reason).toContain('no space left on the device (ENOSPC)')
      expect(countOf(made, 'put').count).toBeGreaterThan(3)
      expect(made.objects.created).toBe(countOf(made, 'put').count)
      const ran = await runStage(engine, execute([op('put', base, { size: { kind: 'fixed', bytes: 65_536 } })]))
      expect(ran.status).toBe('ok')
      expect(countOf(ran, 'put').errors).toBeGreaterThan(10)
      expect(ran.errorSamples[0]?.message).toContain('ENOSPC')
      expect(ran.warnings.join()).toContain('Every operation failed')
      const cleaned = await runStage(engine, cleanup([set], { putUris: [base] }))
      expect(cleaned.status).toBe('ok')
    },
  )

  it.skipIf(!isRoot)('a read-only file system fails validation and prepare (needs root)', async () => {
    const folder = smallFileSystem('1m')
    execFileSync('mount', ['-o', 'remount,ro', folder])
    const engine = startEngine(allowing(folder))
    const checked = await runStage(engine, validation(`file://${folder}/`, true))
    expect(checked).toMatchObject({ status: 'failed', code: 'NOT_WRITABLE' })
    expect(checked.reason).toContain('read-only')
    const made = await runStage(engine, prepare([objectSet(`file://${folder}/data/`)]))
    expect(made.status).toBe('failed')
    expect(made.reason).toContain('read-only')
  })

  it.skipIf(isRoot)('a folder without permission fails validation (needs an ordinary user)', async () => {
    const { folder, base, engine } = setUp()
    mkdirSync(`${folder}/data`)
    chmodSync(`${folder}/data`, 0o500)
    const checked = await runStage(engine, validation(base, true))
    expect(checked).toMatchObject({ status: 'failed', code: 'NOT_WRITABLE' })
    expect(checked.reason).toContain('permission denied')
  })

  it('a folder that is a file, a missing one that is only read', async () => {
    const { folder, base, engine } = setUp()
    const missing = await runStage(engine, validation(base, false))
    expect(missing).toMatchObject({ status: 'failed', code: 'NOT_REACHABLE' })
    expect(missing.reason).toContain('does not exist')
    writeFileSync(`${folder}/data`, '')
    const file = await runStage(engine, validation(base, true))
    expect(file).toMatchObject({ status: 'failed', code: 'NOT_WRITABLE' })
  })

  it('objects that vanished or were cut are counted by kind, the rest goes on', async () => {
    const { folder, base, engine } = setUp()
    const set = objectSet(base, { count: 4 })
    await runStage(engine, prepare([set]))
    unlinkSync(`${folder}/data/prepared-00000001.dat`)
    truncateSync(`${folder}/data/prepared-00000002.dat`, 100)
    const ran = await runStage(engine, execute([op('get', `${base}*`)], { prepared: [set] }))
    expect(ran.status).toBe('ok')
    expect(countOf(ran, 'get').count).toBeGreaterThan(0)
    expect(ran.objects.missing).toBeGreaterThan(0)
    const messages = ran.errorSamples.map(({ message }) => message).join('\n')
    expect(messages).toContain('prepared-00000001.dat: does not exist')
    expect(messages).toContain('prepared-00000002.dat: ends after 100 bytes, expected are 4096')
    expect(ran.errorSamples.reduce((sum, { count }) => sum + count, 0)).toBe(countOf(ran, 'get').errors)
  })

  it('an object that vanishes between the listing and the get is an error, not the end', async () => {
    const { folder, base, engine } = setUp()
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
    expect(countOf(ran, 'get').count).toBeGreaterThan(countOf(ran, 'get').errors / 1000)
  })

  it('verification finds a changed byte', async () => {
    const { folder, base, engine } = setUp()
    const set = objectSet(base, { count: 1, size: { kind: 'fixed', bytes: 50_000 } })
    await runStage(engine, prepare([set]))
    const { openSync, writeSync, closeSync } = await import('node:fs')
    const fd = openSync(`${folder}/data/prepared-00000000.dat`, 'r+')
    writeSync(fd, Buffer.from([1, 2, 3, 4]), 0, 4, 40_000)
    closeSync(fd)
    const ran = await runStage(engine, execute([op('get', `${base}*`)], { prepared: [set], verify: true }))
    expect(countOf(ran, 'get').count).toBe(0)
    expect(ran.errorSamples[0]?.message).toMatch(/byte 4000\d is not what was written/)
  })

  it('strict cleanup fails on a missing object after deleting the rest; a tolerant one does not', async () => {
    const { folder, base, engine } = setUp()
    const set = objectSet(base, { count: 5 })
    await runStage(engine, prepare([set]))
    unlinkSync(`${folder}/data/prepared-00000002.dat`)
    const strict = await runStage(engine, cleanup([set], { mode: 'strict' }))
    expect(strict).toMatchObject({ status: 'failed', code: 'CLEANUP_INCOMPLETE', objects: { deleted: 4 } })
    const tolerant = await runStage(engine, cleanup([set]))
    expect(tolerant).toMatchObject({ status: 'ok', objects: { deleted: 0, missing: 5 } })
  })

  it('an operation that takes longer than allowed is counted as timed out', async () => {
    const { engine } = setUp()
    const slow = op('put', 'null://x/', { size: { kind: 'fixed', bytes: 256 << 20 } })
    const ran = await runStage(engine, execute([slow], { opTimeoutMs: 0.01 }))
    expect(countOf(ran, 'put')).toMatchObject({ count: 0 })
    expect(ran.errorSamples[0]?.message).toContain('allowed are')
  })
})
