import { execFile } from 'node:child_process'
import { mkdirSync, readdirSync, symlinkSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { isRoot, mountSmall, tempFolder } from './helpers.ts'
import { keysBelow, startStorage } from './s3-servers.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const script = fileURLToPath(new URL('smoke.ts', import.meta.url))
const deno = path.join(root, 'node_modules/.bin/deno')

type Runtime = (places: readonly string[], net: readonly string[]) => readonly [string, ...string[]]

const RUNTIMES: readonly (readonly [name: string, command: Runtime])[] = [
  ['Node', () => [process.execPath]],
  ['Node that loads no addons', () => [process.execPath, '--no-addons']],
  [
    'Node with nothing but the permissions it needs',
    (places, net) => [
      ...([process.execPath, '--permission', '--allow-worker', `--allow-fs-read=${root}`] as const),
      ...places.flatMap((place) => [`--allow-fs-read=${place}`, `--allow-fs-write=${place}`]),
      ...(net.length > 0 && process.allowedNodeEnvironmentFlags.has('--allow-net') ? ['--allow-net'] : []),
    ],
  ],
  ['Deno', () => [deno, 'run', '-A']],
  [
    'Deno with nothing but the permissions it needs',
    (places, net) => [
      ...([deno, 'run', '--no-prompt', '--allow-sys', '--allow-env'] as const),
      `--allow-read=${[root, ...places].join(',')}`,
      ...(places.length > 0 ? [`--allow-write=${places.join(',')}`] : []),
      ...(net.length > 0 ? [`--allow-net=${net.join(',')}`] : []),
    ],
  ],
]

async function smoke([program, ...before]: readonly [string, ...string[]], args: readonly string[]): Promise<unknown> {
  const { stdout } = await promisify(execFile)(program, [...before, script, ...args], { cwd: root, timeout: 50_000 })
  return JSON.parse(stdout)
}

const fine = { status: 'ok', code: '', reason: '', errors: [] }

const common = {
  validation: { ...fine, done: [] },
  prepare: { ...fine, done: ['put'] },
  mixed: { ...fine, done: ['get', 'put', 'stat', 'list'] },
  ranged: { ...fine, done: ['get'] },
  listed: { ...fine, done: ['get'] },
  cleanup: { ...fine, done: ['delete'] },
}

describe.each(RUNTIMES)('the engine on %s', (_name, command) => {
  it('does a plan on files', async () => {
    const [folder, outside] = [tempFolder(), tempFolder()]
    mkdirSync(`${folder}/links`)
    symlinkSync(outside, `${folder}/links/data`)
    const seen = await smoke(command([folder, outside], []), [`file://${folder}/data/`, `file://${folder}/links/data/`])
    expect(seen).toEqual({
      ...common,
      direct: { ...fine, done: ['get'] },
      escape: { status: 'failed', code: 'NOT_ALLOWED', reason: expect.stringContaining(outside), errors: [], done: [] },
    })
    expect(readdirSync(`${folder}/data`)).toEqual([])
    expect(readdirSync(outside)).toEqual([])
  })

  it('does the same on S3', async () => {
    const place = await startStorage()
    expect(await smoke(command([], [new URL(place.endpoint).host]), [place.base])).toEqual(common)
    expect(await keysBelow(place)).toEqual([])
  })
})

type Command = readonly [string, ...string[]]

const CALLERS: readonly (readonly [name: string, command: Command])[] = [
  ['Node', [process.execPath]],
  ['Deno with all permissions', [deno, 'run', '-A']],
]

async function compareCalls(
  [program, ...before]: Command,
  folder: string,
): Promise<Record<string, Record<string, unknown>>> {
  const calls = fileURLToPath(new URL('calls.ts', import.meta.url))
  const { stdout } = await promisify(execFile)(program, [...before, calls, folder], { cwd: root, timeout: 50_000 })
  return JSON.parse(stdout)
}

describe.each(CALLERS)('%s', (_name, command) => {
  it('calls the C library, which answers as the runtime does', async () => {
    const { isLibrary, library, runtime, paths = {} } = await compareCalls(command, tempFolder())
    expect(isLibrary).toBe(true)
    expect(library).toEqual(runtime)
    expect(library).toMatchObject({ 'read far away': 'tent', 'open a link': 'ELOOP', 'a full device': 'ENOSPC' })
    expect(library?.entries).toEqual([
      { name: 'file', kind: 'file' },
      { name: 'link', kind: 'other' },
      { name: 'other name', kind: 'file' },
      { name: 'sub', kind: 'folder' },
    ])
    expect(Object.values(paths)).toEqual(['EINVAL', 'EINVAL', 'EINVAL', 'EINVAL'])
  })

  it.skipIf(!isRoot)('does so where folders do not tell what their entries are (needs root)', async () => {
    const { library, runtime } = await compareCalls(command, mountSmall(4 << 20, '^has_journal,^filetype'))
    expect(library?.entries).toHaveLength(4)
    expect(library?.entries).toEqual(runtime?.entries)
  })
})

it('Deno looks at the clock by the C library, which agrees with its own', async () => {
  const { clock } = await compareCalls([deno, 'run', '-A'], tempFolder())
  expect(clock?.isOwn).toBe(true)
  expect(clock?.awayMs).toBeLessThan(0.2)
})

it('calls the runtime where Node loads no addons', async () => {
  const { isLibrary } = await compareCalls([process.execPath, '--no-addons'], tempFolder())
  expect(isLibrary).toBe(false)
})
