/** What goes wrong with files happens to `direct:` as to `file:`, and is told the same way. */

import { execFile, execFileSync } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, readdirSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import {
  allowing,
  cleanup,
  countOf,
  objectSet,
  onCleanup,
  op,
  operations,
  prepare,
  runStage,
  startEngine,
  tempFolder,
  validation,
} from './helpers.ts'

const isRoot = process.getuid?.() === 0
/** `nobody` on Linux. */
const NOBODY = 65_534

describe.each(['file', 'direct'])('%s://', (scheme) => {
  it('missing and truncated objects are counted by kind, and the stage goes on', async () => {
    const folder = tempFolder()
    const base = `${scheme}://${folder}/data/`
    const engine = startEngine(allowing(folder))
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
    const folder = tempFolder()
    const base = `${scheme}://${folder}/data/`
    const engine = startEngine(allowing(folder))
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

  it.skipIf(!isRoot)('a file system that gets full fails a prepare, with what was made (needs root)', async () => {
    const folder = tempFolder()
    const image = `${tempFolder()}/image`
    writeFileSync(image, '')
    truncateSync(image, 4 << 20)
    execFileSync('mkfs.ext4', ['-q', '-O', '^has_journal', image])
    execFileSync('mount', ['-o', 'loop', image, folder])
    onCleanup(() => execFileSync('umount', [folder]))
    const base = `${scheme}://${folder}/data/`
    const engine = startEngine(allowing(folder))
    const set = objectSet(base, { count: 100, size: { kind: 'fixed', bytes: 65_536 } })
    const checked = await runStage(engine, validation(base, true, 100 * 65_536))
    expect(checked).toMatchObject({ status: 'failed', code: 'NO_SPACE' })
    const made = await runStage(engine, prepare([set]))
    expect(made).toMatchObject({ status: 'failed', code: 'PREPARE_INCOMPLETE' })
    expect(made.reason).toContain('no space left on the device (ENOSPC)')
    expect(countOf(made, 'put').count).toBeGreaterThan(3)
    expect(made.objects.created).toBe(countOf(made, 'put').count)
    expect((await runStage(engine, cleanup([set]))).status).toBe('ok')
    expect(readdirSync(`${folder}/data`)).toEqual([])
  })

  it.skipIf(!isRoot)('what may not be read, written or deleted is said (another user: needs root)', async () => {
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
    expect(seen.prepare).toMatchObject({ status: 'failed', code: 'PREPARE_INCOMPLETE', done: 0 })
    expect(seen.gets).toMatchObject({ status: 'ok' })
    expect(seen.gets.done).toBeGreaterThan(0)
    expect(seen.cleanup).toMatchObject({ status: 'failed', code: 'CLEANUP_INCOMPLETE', done: 0 })
    for (const { text } of [seen.validation, seen.prepare, seen.gets, seen.cleanup]) {
      expect(text).toContain('permission denied')
    }
    expect(readdirSync(`${folder}/data`)).toHaveLength(2)
  })
})
