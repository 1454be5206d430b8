/**
 * Gives back what starting up, meeting others, or a plan has left: V8 collects by itself only when more is asked for,
 * which an idle node never does. A fifth to a third of its memory, for a tenth of a second of processor time.
 */

import process from 'node:process'
import v8 from 'node:v8'
import vm from 'node:vm'
import type { Mesh, MeshEvent } from '../mesh/mod.ts'

/** After so long without any of the events below. */
const QUIET_MS = 5000

const BUSY: ReadonlySet<MeshEvent['type']> = new Set(['listening', 'peer_joined', 'leader_elected', 'plan_finished'])

export function spareMemory(mesh: Mesh): void {
  // Deno's own settings keep it small.
  if (process.versions.deno !== undefined) return
  let timer: NodeJS.Timeout | undefined
  mesh.onEvent(({ type }) => {
    if (!BUSY.has(type)) return
    clearTimeout(timer)
    timer = setTimeout(() => {
      // Never while something is measured: the plan's end comes back here.
      if (mesh.status().plan === null) collect()
    }, QUIET_MS)
    timer.unref()
  })
}

function collect(): void {
  v8.setFlagsFromString('--expose-gc')
  const gc: unknown = vm.runInNewContext('gc')
  if (typeof gc === 'function') gc()
}
