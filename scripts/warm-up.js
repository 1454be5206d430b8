// A small run whose processes leave what V8 has compiled of the bundle, so that later starts need not compile it again.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { freshBundle } from './bundle.js'
import { isKept, KEEP_VARIABLE } from './compiled.js'
import { findNode, root } from './runtime.js'

const TIMEOUT_MS = 60_000
const PLAN = 'target: null://warm-up/\nduration: 1s\nworkload: [{ op: put, path: x, size: 4KiB }]\n'

/** Does nothing without a bundle, or when some run has left what it compiled. Throws where the run fails. */
export function warmUp() {
  const node = findNode()
  const bundle = freshBundle()
  if (node === undefined || bundle === undefined || isKept(bundle)) return
  const folder = mkdtempSync(path.join(tmpdir(), 'paceline-warm-up-'))
  try {
    const plan = path.join(folder, 'plan.yaml')
    writeFileSync(plan, PLAN)
    const command = [path.join(root, 'bin', 'paceline.js'), 'run', plan, '--agents', '3', '--out', folder]
    const { status, stderr } = spawnSync(node, command, {
      env: { ...process.env, [KEEP_VARIABLE]: '1' },
      encoding: 'utf8',
      timeout: TIMEOUT_MS,
    })
    if (status !== 0) throw new Error(`the run for it ended with ${status}: ${stderr}`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
