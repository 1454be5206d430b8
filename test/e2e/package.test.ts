/** What `npm pack` makes, put where npm would put it: there Node strips no types. */

import { spawnSync } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, it } from 'vitest'

const root = path.resolve(import.meta.dirname ?? 'test/e2e', '../..')
const PLAN = 'target: null://x/\nduration: 300ms\nworkload: [{ op: put, path: x, size: 4KiB }]\n'

function run(cwd: string, command: string, ...args: string[]): string {
  const { stdout, stderr, status } = spawnSync(command, args, { cwd, encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
  return stdout
}

it('runs on Node from below node_modules, local peers and threads included', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'paceline-package-'))
  try {
    const project = path.join(folder, 'project')
    for (const name of ['bin', 'scripts', 'src', 'package.json', 'tsconfig.json']) {
      await cp(path.join(root, name), path.join(project, name), { recursive: true })
    }
    await symlink(path.join(root, 'node_modules'), path.join(project, 'node_modules'))
    const tarball = run(project, 'npm', 'pack', '--pack-destination', folder).trim().split('\n').at(-1) ?? ''

    const modules = path.join(folder, 'node_modules')
    await mkdir(modules)
    for (const name of await readdir(path.join(root, 'node_modules'))) {
      await symlink(path.join(root, 'node_modules', name), path.join(modules, name))
    }
    run(folder, 'tar', 'xzf', tarball)
    await rename(path.join(folder, 'package'), path.join(modules, 'paceline'))
    await rm(path.join(modules, 'paceline', 'src'), { recursive: true })
    await writeFile(path.join(folder, 'plan.yaml'), PLAN)

    const program = path.join(modules, 'paceline', 'bin', 'paceline.js')
    const out = run(folder, process.execPath, program, 'run', 'plan.yaml', '--agents', '2', '--out', 'out')
    expect(out).toContain('execute | complete | 2 of 2 agents')
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}, 60_000)
