// Finds a Node that can run the TypeScript sources. Plain JavaScript: this file itself runs on old Nodes.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import module from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..')

/** In the own folder, so that nobody else's code is run. */
export const cacheFolder = (project = root) => path.join(project, 'node_modules', '.cache', 'paceline')

/** Oldest Node that strips types without a flag and runs libp2p 3. */
const NODE_MIN = [22, 18]

export const LOCAL_NODE = path.join(
  root,
  'node_modules',
  'node',
  'bin',
  process.platform === 'win32' ? 'node.exe' : 'node',
)

/** @param {string} version such as "20.11.1" */
function isNewEnough(version) {
  const [major, minor] = version.split('.').map(Number)
  return major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1])
}

/** The Node to use: this process's own when new enough, else the local one; undefined where neither is there. */
export function findNode() {
  // The own one may be a local one that a new install of the dependencies has just removed.
  if (isNewEnough(process.versions.node) && existsSync(process.execPath)) return process.execPath
  return existsSync(LOCAL_NODE) ? LOCAL_NODE : undefined
}

/**
 * Compiled sources are kept for the next start, where this Node can: half the processor time of a start, and of each
 * thread's. Where the folder cannot be written, all goes on without.
 */
export function keepCompiled() {
  // For threads, and for peers that are started from here.
  process.env.NODE_COMPILE_CACHE ??= cacheFolder()
  module.enableCompileCache?.(process.env.NODE_COMPILE_CACHE)
}

/** Runs a command to its end with inherited output; throws when it fails. */
export function run(command, args, { cwd = root } = {}) {
  const result = spawnSync(command, args, { cwd, stdio: 'inherit' })
  if (result.error !== undefined) throw result.error
  if (result.status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${result.status ?? result.signal}`)
}

/**
 * Runs `node ...args` in place of this process as nearly as Node allows: signals are passed on, a stop of this
 * process stops the other one, and when this process is killed the other one ends too (it watches the channel).
 */
export function become(node, args) {
  const child = spawn(node, args, {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, PACELINE_STARTER_PID: String(process.pid) },
  })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR2', 'SIGWINCH']) {
    // A terminal sends SIGINT to the whole group: the child has it already, and must not count it twice.
    process.on(signal, () => {
      if (signal === 'SIGINT' && (process.stdin.isTTY || process.stderr.isTTY)) return
      child.kill(signal)
    })
  }
  process.on('SIGCONT', () => child.kill('SIGCONT'))
  child.on('error', (error) => {
    process.stderr.write(`Cannot start ${node}: ${error.message}\n`)
    process.exit(1)
  })
  child.on('exit', (code, signal) => {
    if (signal !== null) {
      for (const name of process.eventNames()) process.removeAllListeners(name)
      process.kill(process.pid, signal)
      setTimeout(() => process.exit(1), 1000)
    } else process.exit(code ?? 1)
  })
}
