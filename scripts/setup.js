// Makes a checkout ready to run: dependencies from the lock file and, where this machine's Node is too old, a local
// one from the npm package `node`. Does nothing when all is there.
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync } from 'node:fs'
import path from 'node:path'
import { makeBundle } from './bundle.js'
import { findNode, LOCAL_NODE, root, run } from './runtime.js'
import { warmUp } from './warm-up.js'

const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
const quiet = ['--no-audit', '--no-fund', '--loglevel=error']
const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'))

const installed = path.join(root, 'node_modules', '.package-lock.json')
const lock = path.join(root, 'package-lock.json')
if (!existsSync(installed) || (existsSync(lock) && statSync(lock).mtimeMs > statSync(installed).mtimeMs)) {
  process.stderr.write('Installing dependencies ...\n')
  run(npm, ['ci', ...quiet])
}

if (findNode() === undefined) {
  const wanted = `node@${manifest.config.localNode}`
  process.stderr.write(`No Node here is new enough for libp2p: installing ${wanted} into node_modules ...\n`)
  // In a folder of its own: an install beside the others would move them off their locked versions.
  const apart = path.join(root, 'node_modules', '.local-node')
  run(npm, ['install', '--prefix', apart, '--no-package-lock', ...quiet, wanted])
  const made = path.join(apart, 'node_modules', 'node')
  // npm may be set not to run install scripts; the package's own step then has to be called by hand.
  if (!existsSync(path.join(made, 'bin'))) run('node', ['installArchSpecificPackage.js'], { cwd: made })
  const home = path.join(root, 'node_modules', 'node')
  rmSync(home, { recursive: true, force: true })
  renameSync(made, home)
  rmSync(apart, { recursive: true })
  linkBinary()
  if (findNode() === undefined) {
    throw new Error(`${wanted} did not leave a binary at ${LOCAL_NODE}: install Node ${manifest.engines.node} by hand`)
  }
}

await makeBundle().catch((error) => {
  process.stderr.write(`No bundle could be made (${error.message}): all works without it, starts take longer.\n`)
})
try {
  warmUp()
} catch (error) {
  process.stderr.write(`What is compiled could not be kept (${error.message}): starts take longer.\n`)
}

/** As npm would: scripts of package.json then run on the local Node too. */
function linkBinary() {
  if (process.platform === 'win32') return
  const link = path.join(root, 'node_modules', '.bin', 'node')
  mkdirSync(path.dirname(link), { recursive: true })
  rmSync(link, { force: true })
  symlinkSync(path.relative(path.dirname(link), LOCAL_NODE), link)
}
