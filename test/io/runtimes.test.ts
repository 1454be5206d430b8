import { execFile } from 'node:child_process'
import { mkdirSync, symlinkSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { tempFolder } from './helpers.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const script = fileURLToPath(new URL('smoke.ts', import.meta.url))
const deno = path.join(root, 'node_modules/.bin/deno')

function twoFolders(): readonly [string, string] {
  const [folder, outside] = [tempFolder(), tempFolder()]
  mkdirSync(`${folder}/links`)
  symlinkSync(outside, `${folder}/links/data`)
  return [folder, outside]
}

async function smoke(program: string, args: readonly string[], folders = twoFolders()): Promise<unknown> {
  const { stdout } = await promisify(execFile)(program, [...args, script, ...folders], { cwd: root, timeout: 50_000 })
  return JSON.parse(stdout)
}

const fine = { status: 'ok', code: '', errors: [] }

const expected = {
  seen: {
    validation: { ...fine, done: [] },
    prepare: { ...fine, done: ['put'] },
    mixed: { ...fine, done: ['get', 'put', 'stat', 'list'] },
    ranged: { ...fine, done: ['get'] },
    direct: { ...fine, done: ['get'] },
    listed: { ...fine, done: ['get'] },
    escape: { status: 'failed', code: 'NOT_ALLOWED', errors: [], done: [] },
    cleanup: { ...fine, done: ['delete'] },
  },
  left: [],
  escaped: [],
}

describe('the engine does the same on', () => {
  it('Node', async () => {
    expect(await smoke(process.execPath, [])).toEqual(expected)
  })

  it('Deno', async () => {
    expect(await smoke(deno, ['run', '-A'])).toEqual(expected)
  })

  it('Deno with nothing but the permissions it needs', async () => {
    const folders = twoFolders()
    const places = folders.join(',')
    const permissions = [`--allow-read=${root},${places}`, `--allow-write=${places}`, '--allow-sys', '--allow-env']
    expect(await smoke(deno, ['run', '--no-prompt', ...permissions], folders)).toEqual(expected)
  })
})
