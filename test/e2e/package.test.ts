/** What `npm pack` makes, put where npm would put it: there Node strips no types. */

import { spawnSync } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, it } from 'vitest'

const root = path.resolve(import.meta.dirname ?? 'test/e2e', '../..')
const PLAN = 'target: null://x/\nduration: 300ms\nworkload: [{ op: put, path: x, size: 4KiB }]\n'

/** A program of somebody who uses the parts. */
const USE = `
import { BarrierCore, type CoreStatus } from 'paceline/barrier'
import { parsePlan } from 'paceline/cli'
import { createEngine, resolveContainment } from 'paceline/io'
import { createMesh, type Mesh, type PeerInfo } from 'paceline/mesh'

const core = new BarrierCore({ self: { peer: 'p1', name: 'a', incarnation: '1' }, now: 0, dice: 0.5 })
const status: CoreStatus = core.status(0)
const plan = parsePlan(${JSON.stringify(PLAN)})
const engine = createEngine(resolveContainment([], false))
await engine.close()
const mesh: Mesh = await createMesh({ runId: 'r1', name: 'b', listen: [], join: [], secret: null, insecure: false,
  mdns: false, rendezvousDir: null, role: 'agent', version: '0.0.0' })
const peers: readonly PeerInfo[] = mesh.peers()
await mesh.leave()
console.log(status.self.name, peers.length, plan.stages.map(({ name }) => name).join())
`

function run(cwd: string, command: string, ...args: string[]): string {
  const { stdout, stderr, status } = spawnSync(command, args, { cwd, encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
  return stdout
}

it('runs on Node from below node_modules, local peers and threads included, and is a library there', async () => {
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

    await writeFile(path.join(folder, 'use.mts'), USE)
    const tsc = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc')
    run(folder, process.execPath, tsc, '--strict', '--module', 'nodenext', '--types', 'node', 'use.mts')
    expect(run(folder, process.execPath, 'use.mjs').trim()).toBe('a 1 validation,execute')
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}, 120_000)
