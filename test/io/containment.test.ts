/** Ways out of what an operator allowed, for plans and for whoever changes the folders while a plan runs. */

import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { type Engine, resolveContainment } from '../../src/io/mod.ts'
import { Folders } from '../../src/io/stores/folders.ts'
import {
  allowing,
  cleanup,
  context,
  countOf,
  custom,
  execute,
  objectSet,
  onCleanup,
  op,
  prepare,
  runStage,
  startEngine,
  tempFolder,
  tree,
  validation,
} from './helpers.ts'

interface Place {
  readonly folder: string
  readonly base: string
  readonly engine: Engine
  /** Where nothing may be touched: a file named as an object, and one that is not. */
  readonly outside: string
}

const PRECIOUS = ['prepared-00000000.dat', 'secret']

function setUp(): Place {
  const [folder, outside] = [tempFolder(), tempFolder()]
  for (const name of PRECIOUS) writeFileSync(`${outside}/${name}`, name)
  return { folder, base: `file://${folder}/data/`, engine: startEngine(allowing(folder)), outside }
}

function expectUntouched(outside: string): void {
  expect(readdirSync(outside)).toEqual(expect.arrayContaining([...PRECIOUS]))
  expect(readdirSync(outside)).toHaveLength(PRECIOUS.length)
  for (const name of PRECIOUS) expect(readFileSync(`${outside}/${name}`, 'utf8')).toBe(name)
}

/** What somebody does to the target between two stages. */
function replaceByLink(folder: string, target: string): void {
  renameSync(folder, `${folder}-moved`)
  symlinkSync(target, folder)
}

const outside = (folder: string) => path.relative('/', folder)

/** Spellings of a place: D is an allowed folder, O another one without its first slash, N the name of that one. */
const SPELLINGS: readonly [what: string, uri: string, code: 'NOT_ALLOWED' | 'BAD_URI'][] = [
  ['an absolute path', 'file:///O/', 'NOT_ALLOWED'],
  ['..', 'file://D/../N/', 'NOT_ALLOWED'],
  ['many ..', `file://D/${'../'.repeat(40)}O/`, 'NOT_ALLOWED'],
  ['.. below what is not there', 'file://D/no/such/../../../N/', 'NOT_ALLOWED'],
  ['dots and slashes', 'file://D//.//..//./N//', 'NOT_ALLOWED'],
  ['a name that begins like an allowed one', 'file://D-2/x/', 'NOT_ALLOWED'],
  ['slashes at the front', 'file://///O/', 'NOT_ALLOWED'],
  ['the other scheme for files', 'direct:///O/', 'NOT_ALLOWED'],
  ['the root', 'file:///', 'NOT_ALLOWED'],
  ['a way through /proc', 'file:///proc/self/root/O/', 'NOT_ALLOWED'],
  ['a bucket', 's3://bucket/x/', 'NOT_ALLOWED'],
  ['a host', 'file://localhost/O/', 'BAD_URI'],
  ['no path', 'file://', 'BAD_URI'],
  ['a relative path', 'file://O/', 'BAD_URI'],
  ['one slash', 'file:/O/', 'BAD_URI'],
  ['a scheme in capitals', 'FILE:///O/', 'BAD_URI'],
  ['a blank in front', ' file:///O/', 'BAD_URI'],
  ['a NUL', 'file://D/\0/../../O/', 'BAD_URI'],
  ['another scheme', 'http:///O/', 'BAD_URI'],
  ['a scheme in a scheme', 'file://file:///O/', 'BAD_URI'],
]

/** Spellings of names, which mean nothing but themselves. */
const ODD_NAMES = [
  '%2e%2e',
  '..%2f..',
  '%00',
  '..\u2215..',
  '\u2025',
  '\uff0e\uff0e',
  '..;',
  '$(id)',
  '~',
  'a\\..\\b',
  '...',
]

describe('a place that is not allowed', () => {
  it.each(SPELLINGS)('%s', async (_, spelling, code) => {
    const { folder, engine, outside: other } = setUp()
    const uri = spelling.replace('D', folder).replace('O', outside(other)).replace('N', path.basename(other))
    for (const work of [
      validation(uri, true),
      prepare([objectSet(uri)]),
      prepare([], { trees: [tree(uri)] }),
      execute([op('put', uri)]),
      execute([op('get', `${uri}*`)]),
      execute([op('delete', `${uri}prepared-00000000.dat`)]),
      cleanup([objectSet(uri)]),
      cleanup([], { putUris: [uri] }),
    ]) {
      const result = await runStage(engine, work)
      expect(result).toMatchObject({ status: 'failed', code })
      if (code === 'NOT_ALLOWED') expect(result.reason).toMatch(/start it with --allow (file|s3):\/\//)
    }
    expectUntouched(other)
  })

  it('a key of an allowed bucket with ".." in it', async () => {
    const engine = startEngine(resolveContainment(['s3://bucket/mine'], false))
    for (const uri of [
      's3://bucket/mine/../x/',
      's3://bucket/mine2/',
      's3://bucket2/mine/',
      's3://h:9000/bucket/mine/',
    ]) {
      const result = await runStage(engine, execute([op('put', uri)]))
      expect(result).toMatchObject({ status: 'failed', code: 'NOT_ALLOWED' })
    }
  })

  it.each(ODD_NAMES)('"%s" is a name like any other', async (name) => {
    const { folder, engine, outside: other } = setUp()
    const made = await runStage(engine, prepare([objectSet(`file://${folder}/${name}/`, { count: 1 })]))
    expect(made).toMatchObject({ status: 'ok', objects: { created: 1 } })
    expect(readdirSync(folder)).toEqual([name])
    expect(existsSync(`${folder}/${name}/prepared-00000000.dat`)).toBe(true)
    expectUntouched(other)
  })

  it('unless the operator said so: by default a paceline folder, and none that is a link', async () => {
    const { allow, allowExec } = resolveContainment([], false)
    expect(allowExec).toBe(false)
    expect(allow.every((prefix) => prefix.endsWith('/paceline'))).toBe(true)
    expect(() => resolveContainment(['az://x'], false)).toThrow('Cannot use')
    const folder = tempFolder()
    mkdirSync(`${folder}/real`)
    symlinkSync(`${folder}/real`, `${folder}/link`)
    expect(resolveContainment([`${folder}/link/../link/x`], false).allow).toEqual([`file://${folder}/real/x`])
    const before = process.env.TMPDIR
    onCleanup(() => {
      if (before === undefined) delete process.env.TMPDIR
      else process.env.TMPDIR = before
    })
    process.env.TMPDIR = folder
    expect(resolveContainment([], false).allow).toContain(`file://${folder}/paceline`)
    symlinkSync('/', `${folder}/paceline`)
    expect(resolveContainment([], false).allow).not.toContain('file:///')
    expect(resolveContainment([], false).allow).not.toContain(`file://${folder}/paceline`)
  })

  it('is made, with what is above it, where it is an allowed one', async () => {
    const folder = tempFolder()
    const engine = startEngine(resolveContainment([`file://${folder}/a/b`], false))
    const made = await runStage(engine, prepare([objectSet(`file://${folder}/a/b/c/`, { count: 1 })]))
    expect(made).toMatchObject({ status: 'ok', objects: { created: 1 } })
    const beside = await runStage(engine, prepare([objectSet(`file://${folder}/a/c/`, { count: 1 })]))
    expect(beside).toMatchObject({ status: 'failed', code: 'NOT_ALLOWED' })
    expect(readdirSync(`${folder}/a`)).toEqual(['b'])
  })
})

describe('links', () => {
  it('that were there before lead nowhere, be they folders or objects', async () => {
    const { folder, base, engine, outside: other } = setUp()
    symlinkSync(other, `${folder}/data`)
    for (const work of [validation(base, true), prepare([objectSet(base)]), execute([op('put', base)])]) {
      expect(await runStage(engine, work)).toMatchObject({ status: 'failed', code: 'NOT_ALLOWED' })
    }
    unlinkSync(`${folder}/data`)
    mkdirSync(`${folder}/data`)
    symlinkSync(`${other}/prepared-00000000.dat`, `${folder}/data/prepared-00000000.dat`)
    const set = objectSet(base, { count: 1 })
    const made = await runStage(engine, prepare([set], { forceOverwrite: true }))
    expect(made.status).toBe('failed')
    expect(made.reason).toContain('symbolic link')
    const read = await runStage(engine, execute([op('get', `${base}prepared-*`)], { prepared: [set] }))
    expect(countOf(read, 'get').count).toBe(0)
    expectUntouched(other)
  })

  it('in a circle are no place at all', async () => {
    const { folder, base, engine } = setUp()
    symlinkSync(`${folder}/round`, `${folder}/data`)
    symlinkSync(`${folder}/data`, `${folder}/round`)
    const made = await runStage(engine, prepare([objectSet(base, { count: 1 })]))
    expect(made).toMatchObject({ status: 'failed', code: 'BAD_URI' })
    expect(made.reason).toContain('too many symbolic links')
  })

  it('put in the place of a folder after it was prepared lead nowhere either', async () => {
    const { folder, base, engine, outside: other } = setUp()
    const set = objectSet(base, { count: 5 })
    await runStage(engine, prepare([set]))
    replaceByLink(`${folder}/data`, other)
    const put = op('put', base)
    const overwrite = prepare([set], { forceOverwrite: true })
    for (const work of [validation(base, true), overwrite, execute([put]), cleanup([set], { putUris: [base] })]) {
      const result = await runStage(engine, work, context({ sequence: 2 }))
      expect(result).toMatchObject({ status: 'failed', code: 'NOT_ALLOWED' })
    }
    expectUntouched(other)
  })

  it('put there while stages are armed or at work lead nowhere either', async () => {
    const { folder, base, engine, outside: other } = setUp()
    const set = objectSet(base, { count: 5 })
    await runStage(engine, prepare([set]))
    let swapped = false
    const onProgress = () => {
      if (!swapped) replaceByLink(`${folder}/data`, other)
      swapped = true
    }
    const ops = [op('put', base), op('delete', `${base}prepared-*`), op('list', base)]
    const ran = await runStage(engine, execute(ops, { durationMs: 700 }), context({ sequence: 2 }), { onProgress })
    expect({ swapped, status: ran.status }).toEqual({ swapped: true, status: 'ok' })
    expectUntouched(other)
    unlinkSync(`${folder}/data`)
    renameSync(`${folder}/data-moved`, `${folder}/data`)
    const armed = await engine.arm(cleanup([set]), context({ sequence: 3 }))
    replaceByLink(`${folder}/data`, other)
    const cleaned = await armed.run({ startAt: 0, signal: new AbortController().signal })
    expect(cleaned.status).toBe('failed')
    expect(cleaned.reason).toContain(`leads to file://${other}`)
    expectUntouched(other)
  })

  it('to another allowed folder do not turn a cleanup against what is there', async () => {
    const folder = tempFolder()
    const [base, other] = [`file://${folder}/data/`, `${folder}/precious`]
    mkdirSync(other)
    for (const name of PRECIOUS) writeFileSync(`${other}/${name}`, name)
    const engine = startEngine(allowing(folder))
    const spec = tree(base)
    await runStage(engine, prepare([], { trees: [spec] }))
    writeFileSync(`${other}/file_00000000.dat`, 'not ours')
    replaceByLink(`${folder}/data/d1_w1.dir/d2_w1.dir`, other)
    const part = await runStage(engine, cleanup([], { trees: [spec] }), context({ sequence: 2 }))
    expect(part).toMatchObject({ status: 'failed', objects: { deleted: 9 } })
    expect(part.reason).toContain('this plan made nothing')
    replaceByLink(`${folder}/data`, other)
    const whole = await runStage(engine, cleanup([objectSet(base)]), context({ sequence: 3 }))
    expect(whole).toMatchObject({ status: 'failed', code: 'NOT_ALLOWED' })
    unlinkSync(`${other}/file_00000000.dat`)
    expectUntouched(other)
  })

  it('hard ones: what has another name is neither emptied nor written', async () => {
    const { folder, base, engine, outside: other } = setUp()
    mkdirSync(`${folder}/data`)
    linkSync(`${other}/prepared-00000000.dat`, `${folder}/data/prepared-00000000.dat`)
    const set = objectSet(base, { count: 1 })
    for (const forceOverwrite of [true, false]) {
      const made = await runStage(engine, prepare([set], { forceOverwrite }))
      expect(made).toMatchObject({ status: 'failed', code: 'NOT_ALLOWED' })
      expect(made.reason).toContain('hard link')
    }
    expectUntouched(other)
    await runStage(engine, cleanup([set]), context({ sequence: 2 }))
    expectUntouched(other)
  })

  it('are looked for before each operation where folders cannot be held', () => {
    const { folder, outside: other } = setUp()
    mkdirSync(`${folder}/data/sub`, { recursive: true })
    const folders = new Folders(allowing(folder), 8, false)
    expect(folders.hold(`${folder}/data/sub/`, false).prefix).toBe(`${folder}/data/sub/`)
    expect(folders.hold(`${folder}/data/sub/`, false).prefix).toBe(`${folder}/data/sub/`)
    mkdirSync(`${other}/sub`)
    replaceByLink(`${folder}/data`, other)
    expect(() => folders.hold(`${folder}/data/sub/`, false).prefix).toThrow('--allow')
    unlinkSync(`${folder}/data`)
    renameSync(`${folder}/data-moved`, `${folder}/data`)
    expect(folders.hold(`${folder}/data/sub/`, false).prefix).toBe(`${folder}/data/sub/`)
  })
})

describe('custom commands', () => {
  const allowed = (): Engine => startEngine(resolveContainment([`file://${tempFolder()}`], true))

  it('need --allow-exec, which the validation knows', async () => {
    const { base, engine } = setUp()
    for (const work of [custom('true', []), { ...validation(base, true), commands: ['true'] }]) {
      const result = await runStage(engine, work)
      expect(result).toMatchObject({ status: 'failed', code: 'NOT_ALLOWED' })
      expect(result.reason).toContain('--allow-exec')
    }
  })

  it('see a stated environment, no shell, and their output is kept', async () => {
    process.env.PACELINE_TEST_SECRET = 'do not tell'
    onCleanup(() => delete process.env.PACELINE_TEST_SECRET)
    const result = await runStage(allowed(), custom('env', [], { env: { EXTRA: '1' } }), context({ stage: 'convert' }))
    expect(result).toMatchObject({ status: 'ok', exitCode: 0 })
    const names = result.output
      .trim()
      .split('\n')
      .map((line) => line.split('=')[0])
    const ours = ['EXTRA', 'MEMBERS', 'PEER', 'PLAN', 'RUN_ID', 'SEQUENCE', 'STAGE']
    const wanted = ours.map((name) => (name === 'EXTRA' ? name : `PACELINE_${name}`))
    const own = ['HOME', 'PATH', 'TMPDIR']
    expect(names.sort()).toEqual([...wanted, ...own].sort())
    const lies = { PACELINE_PEER: 'another', PACELINE_RUN_ID: 'another', TMPDIR: '/elsewhere' }
    const lied = (await runStage(allowed(), custom('env', [], { env: lies }))).output.split('\n')
    expect(lied).toContain(`PACELINE_PEER=${context().agent}`)
    expect(lied).toContain(`PACELINE_RUN_ID=${context().run}`)
    expect(lied).toContain('TMPDIR=/elsewhere')
    const shell = ['$HOME; echo `id` > x && y', '$(touch /tmp/x)', '| cat', "'", '"', '*', '~', '-n', '']
    const echoed = await runStage(allowed(), custom('printf', ['%s\n', ...shell]))
    expect(echoed.output).toBe(`${shell.join('\n')}\n`)
    const missing = await runStage(allowed(), custom('true; touch x', []))
    expect(missing).toMatchObject({ status: 'failed', code: 'COMMAND_FAILED', exitCode: null })
  })

  it('fail with their exit code, a missing program, or after their time', async () => {
    const engine = allowed()
    const failed = await runStage(engine, custom('sh', ['-c', 'echo oops >&2; exit 3']))
    expect(failed).toMatchObject({ status: 'failed', code: 'COMMAND_FAILED', exitCode: 3, output: 'oops\n' })
    const missing = await runStage(engine, custom('no-such-program-here', []))
    expect(missing).toMatchObject({ status: 'failed', code: 'COMMAND_FAILED', exitCode: null })
    expect(missing.reason).toContain('no such program')
    const slow = await runStage(engine, custom('sh', ['-c', 'sleep 30 & wait'], { timeoutMs: 100 }))
    expect(slow).toMatchObject({ status: 'failed', code: 'TIMED_OUT' })
    expect(slow.seconds).toBeLessThan(2)
  })

  it('are cancelled with everything that they started, and keep the tail of a long output', async () => {
    const engine = allowed()
    const cancel = new AbortController()
    const running = runStage(engine, custom('sh', ['-c', 'trap "" TERM; sleep 30']), context(), {
      signal: cancel.signal,
      onStarted: () => setImmediate(() => cancel.abort()),
    })
    const result = await running
    expect(result).toMatchObject({ status: 'failed', code: 'CANCELLED' })
    expect(result.seconds).toBeLessThan(1)
    const long = await runStage(engine, custom('sh', ['-c', 'yes ab | head -c 300000; echo end']))
    expect(long.output).toHaveLength(65_536)
    expect(long.output.endsWith('end\n')).toBe(true)
  })
})
