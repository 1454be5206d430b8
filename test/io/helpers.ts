/** What tests of the engine share: works with all fields, temp folders that go away, engines that are closed. */

import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach } from 'vitest'
import {
  type Containment,
  createEngine,
  type Engine,
  now,
  resolveContainment,
  type StageProgress,
  type StageResult,
  type StageWork,
  type WorkloadOp,
} from '../../src/io/mod.ts'
import { context } from './works.ts'

export * from './works.ts'

const cleanups: (() => unknown)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

export function onCleanup(cleanup: () => unknown): void {
  cleanups.push(cleanup)
}

export function tempFolder(): string {
  const folder = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'paceline-io-')))
  onCleanup(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export function allowing(...folders: readonly string[]): Containment {
  return resolveContainment(
    folders.map((folder) => `file://${folder}`),
    false,
  )
}

export function startEngine(containment: Containment): Engine {
  const engine = createEngine(containment)
  onCleanup(() => engine.close())
  return engine
}

export interface RunSettings {
  readonly signal?: AbortSignal
  readonly delayMs?: number
  readonly onStarted?: (at: number) => void
  readonly onProgress?: (progress: StageProgress) => void
}

export async function runStage(
  engine: Engine,
  work: StageWork,
  stageContext = context(),
  settings: RunSettings = {},
): Promise<StageResult> {
  const stage = await engine.arm(work, stageContext)
  const { signal = new AbortController().signal, delayMs = 0, ...handlers } = settings
  return await stage.run({ startAt: now() + delayMs, signal, ...handlers })
}

/** Counts of one op over all size buckets. */
export function countOf(result: StageResult, name: WorkloadOp['op']): { count: number; bytes: number; errors: number } {
  let [count, bytes, errors] = [0, 0, 0]
  for (const stats of result.stats) {
    if (stats.op !== name) continue
    count += stats.count
    bytes += stats.bytes
    errors += stats.errors
  }
  return { count, bytes, errors }
}
