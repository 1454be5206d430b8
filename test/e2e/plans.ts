/** Plans in which a peer can be held in a stage, by a custom command that waits for a file to go. */

import { rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { Cluster } from './cluster.ts'

export interface HeldPlan {
  readonly policy: 'all_or_nothing' | 'majority' | 'best_effort'
  /** YAML lines of barrier settings, such as "agent_barrier_timeout: 5s". */
  readonly settings?: readonly string[]
}

/** The sequence of the stage in which a peer can be held. */
export const HELD = 3

/** Validation, prepare, a custom stage in which peers can be held, execute, cleanup: all on files. */
export function heldPlan(cluster: Cluster, { policy, settings = [] }: HeldPlan): string {
  const script = `while [ -e ${cluster.folder}/hold-$PACELINE_PEER ]; do sleep 0.02; done`
  return `
target: ${cluster.target}
concurrency: 2
distributed:
  barrier_sync: { ${[`type: ${policy}`, ...settings].join(', ')} }
  stages:
    - { name: check, order: 1, type: validation }
    - name: fill
      order: 2
      type: prepare
      ensure_objects:
        - { base_uri: ${cluster.target}data/, count: 40, size: 4KiB }
    - { name: hold, order: 3, type: custom, command: sh, args: ['-c', '${script}'] }
    - name: read
      order: 4
      type: execute
      duration: 1s
      workload: [{ op: get, path: 'data/*', weight: 1 }]
    - { name: clean, order: 5, type: cleanup }
`
}

export async function hold(cluster: Cluster, ...names: readonly string[]): Promise<void> {
  for (const name of names) await writeFile(path.join(cluster.folder, `hold-${name}`), '')
}

export async function letGo(cluster: Cluster, ...names: readonly string[]): Promise<void> {
  for (const name of names) await rm(path.join(cluster.folder, `hold-${name}`), { force: true })
}

/** Resolves when the peers named, and nobody else, wait at a barrier. */
export async function untilWaiting(
  cluster: Cluster,
  names: readonly string[],
  sequence: number,
  timeoutMs?: number,
): Promise<void> {
  const waits = (name: string) => cluster.of('barrier.waiting', name).some((event) => event.sequence === sequence)
  await cluster.until(`${names.join(', ')} wait at barrier ${sequence}`, () => names.every(waits), timeoutMs)
}
