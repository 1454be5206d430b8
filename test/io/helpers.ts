/** What tests of the engine share: works with all fields, temp folders that go away, engines that are closed. */

import { execFileSync } from 'node:child_process'
import { mkdtempSync, realpathSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
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

/** A folder of its own as a base, which need not exist yet, and an engine that may work there. */
export function onFiles(
  scheme = 'file',
  folder = tempFolder(),
): { readonly folder: string; readonly base: string; readonly engine: Engine } {
  return { folder, base: `${scheme}://${folder}/data/`, engine: startEngine(allowing(folder)) }
}

/** A file system of its own, of so many bytes, that takes O_DIRECT; `features` of ext4. Needs root. */
export function mountSmall(bytes: number, features = '^has_journal'): string {
  const [folder, image] = [tempFolder(), `${tempFolder()}/image`]
  writeFileSync(image, '')
  truncateSync(image, bytes)
  execFileSync('mkfs.ext4', ['-q', '-O', features, image])
  execFileSync('mount', ['-o', 'loop', image, folder])
  onCleanup(() => execFileSync('umount', [folder]))
  return folder
}

export const isRoot = process.getuid?.() === 0

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
