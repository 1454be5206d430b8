// Makes dist/, the sources as JavaScript and their types, for the package: Node strips no types below node_modules.
// `npm pack` calls it; a checkout runs its sources.
import { cpSync, existsSync, rmSync } from 'node:fs'
import path from 'node:path'
import { root, run } from './runtime.js'

const dist = path.join(root, 'dist')

/** The file to start in a package that is installed; undefined in a checkout, whatever an earlier pack has left there. */
export function installedMain() {
  const main = path.join(dist, 'cli', 'main.js')
  return root.split(path.sep).includes('node_modules') && existsSync(main) ? main : undefined
}

export function makeDist() {
  rmSync(dist, { recursive: true, force: true })
  run(process.execPath, [
    path.join(root, 'node_modules', 'typescript', 'bin', 'tsc'),
    '-p',
    'scripts/tsconfig.dist.json',
  ])
  const page = path.join('cli', 'report', 'page')
  cpSync(path.join(root, 'src', page), path.join(dist, page), { recursive: true })
}

if (process.argv[1] === import.meta.filename) makeDist()
