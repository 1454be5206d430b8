// Makes a checkout ready to run: dependencies from the lock file and, where this machine's Node is too old, a local
// one from the npm package `node`. Does nothing when all is there.
import { existsSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { findNode, LOCAL_NODE, root, run } from './runtime.js'

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
  process.stderr.write(
    `Node ${process.versions.node} is too old for libp2p: installing ${wanted} into node_modules ...\n`,
  )
  run(npm, ['install', '--no-save', '--no-package-lock', ...quiet, wanted])
  // npm may be set not to run install scripts; the package's own step then has to be called by hand.
  if (!existsSync(LOCAL_NODE)) {
    run(process.execPath, [path.join(root, 'node_modules', 'node', 'installArchSpecificPackage.js')])
  }
  if (findNode() === undefined) {
    throw new Error(`${wanted} did not leave a binary at ${LOCAL_NODE}: install Node ${manifest.engines.node} by hand`)
  }
}
