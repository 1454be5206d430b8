/** The plan of a round: six stages, in two of which peers can be held, or made to fail, by files. */

import { rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { Policy } from '../../src/barrier/mod.ts'

export const policies = ['all_or_nothing', 'majority', 'best_effort'] as const satisfies readonly Policy[]

/** Sequences of the stages in which peers can be held. */
export const HELD = [3, 5] as const
export const STAGES = 6
const EXECUTE_SECONDS = 0.5

export interface PlanOptions {
  readonly policy: Policy
  readonly barrierTimeoutMs: number
  readonly stragglerGraceMs: number
  readonly heartbeatMs: number
}

export function barrierYaml({ policy, barrierTimeoutMs, stragglerGraceMs, heartbeatMs }: PlanOptions): string {
  const times = {
    agent_barrier_timeout: barrierTimeoutMs,
    straggler_grace: stragglerGraceMs,
    heartbeat_interval: heartbeatMs,
  }
  const settings = Object.entries(times).map(([name, ms]) => `${name}: ${ms / 1000}s`)
  return `{ type: ${policy}, ${settings.join(', ')} }`
}

/** `mark` makes the plan one of its own: objects in a folder of their own, another hash. */
export function planYaml(folder: string, mark: string, options: PlanOptions): string {
  const target = `file://${folder}/data/`
  const held = (sequence: number) => {
    const file = `${folder}/${mark}-${sequence}-$PACELINE_PEER`
    const script = `while [ -e ${file}-hold ]; do sleep 0.02; done; ! [ -e ${file}-fail ]`
    return `{ name: hold-${sequence}, order: ${sequence}, type: custom, command: sh, args: ['-c', '${script}'] }`
  }
  return `
target: ${target}
concurrency: 2
distributed:
  barrier_sync: ${barrierYaml(options)}
  stages:
    - { name: check, order: 1, type: validation }
    - name: fill
      order: 2
      type: prepare
      ensure_objects:
        - { base_uri: ${target}${mark}/, count: 30, size: 4KiB }
    - ${held(3)}
    - name: read
      order: 4
      type: execute
      duration: ${EXECUTE_SECONDS}s
      workload: [{ op: stat, path: '${mark}/*', weight: 1 }]
    - ${held(5)}
    - { name: clean, order: ${STAGES}, type: cleanup }
`
}

/** One peer's files for one plan. */
export interface Spot {
  readonly folder: string
  readonly mark: string
  readonly sequence: number
  readonly peer: string
}

function fileOf({ folder, mark, sequence, peer }: Spot, what: 'hold' | 'fail'): string {
  return path.join(folder, `${mark}-${sequence}-${peer}-${what}`)
}

export async function hold(spot: Spot): Promise<void> {
  await writeFile(fileOf(spot, 'hold'), '')
}

export async function letGo(spot: Spot): Promise<void> {
  await rm(fileOf(spot, 'hold'), { force: true })
}

export async function makeFail(spot: Spot): Promise<void> {
  await writeFile(fileOf(spot, 'fail'), '')
}
