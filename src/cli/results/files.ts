/** Files that are whole or not there: written beside their place, then renamed. */

import { randomBytes } from 'node:crypto'
import { mkdir, open, rename, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { ResultsError } from './errors.ts'

export async function writeWhole(file: string, text: string): Promise<void> {
  const temporary = `${file}.${randomBytes(4).toString('hex')}.tmp`
  try {
    await makeFolder(path.dirname(file))
    const handle = await open(temporary, 'wx')
    try {
      await handle.writeFile(text)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(temporary, file)
  } catch (error) {
    // It may not be there, or not even its folder.
    await rm(temporary, { force: true }).catch(() => undefined)
    throw unwritable(file, error)
  }
}

/** Files at the same time: a disk makes many durable in hardly more time than one. */
const TOGETHER_MAX = 8

export interface FileToWrite {
  readonly file: string
  /** Made when it is its turn. */
  readonly text: () => string
}

/** As `writeWhole` for each, in no order. Throws the first error once none is being written any more. */
export async function writeAllWhole(files: readonly FileToWrite[]): Promise<void> {
  const left = [...files]
  const errors: unknown[] = []
  const writeSome = async () => {
    for (let next = left.shift(); next !== undefined && errors.length === 0; next = left.shift()) {
      await writeWhole(next.file, next.text()).catch((error) => errors.push(error))
    }
  }
  await Promise.all(Array.from({ length: TOGETHER_MAX }, writeSome))
  if (errors.length > 0) throw errors[0]
}

/** A new folder `base`, or `base-2`, ... where several peers of one host write to the same place. */
export async function newFolder(base: string): Promise<string> {
  await makeFolder(path.dirname(base)).catch((error) => {
    throw unwritable(path.dirname(base), error)
  })
  for (let number = 1; ; number += 1) {
    const folder = number === 1 ? base : `${base}-${number}`
    try {
      await mkdir(folder)
      return folder
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw unwritable(folder, error)
    }
  }
}

/** Throws ResultsError unless files can be made in `out`, which is made where it is missing. */
export async function checkWritable(out: string): Promise<void> {
  const dir = path.resolve(out)
  const probe = path.join(dir, `.paceline-${randomBytes(4).toString('hex')}.tmp`)
  try {
    await makeFolder(dir)
    await (await open(probe, 'wx')).close()
    await rm(probe)
  } catch (error) {
    throw unwritable(dir, error)
  }
}

/** As `mkdir` with `recursive`, which does not return on Node where a file system such as /proc answers ENOENT. */
export async function makeFolder(dir: string): Promise<void> {
  if (await isFolder(dir)) return
  await makeFolder(path.dirname(dir))
  try {
    await mkdir(dir)
  } catch (error) {
    // Another peer of this host may have made it at the same time.
    if (!(await isFolder(dir))) throw error
  }
}

/** False also where it cannot be told; `mkdir` then says why. */
async function isFolder(dir: string): Promise<boolean> {
  if (path.dirname(dir) === dir) return true
  return await stat(dir).then(
    (stats) => stats.isDirectory(),
    () => false,
  )
}

/** A part of a file name: names come from plans and peers. */
export function safeName(name: string): string {
  const safe = name.replace(/[^A-Za-z0-9._-]+/g, '_').slice(0, 80)
  return safe === '' || safe.startsWith('.') ? `_${safe}` : safe
}

/** Of what one agent did, in the result folder of any. */
export function agentFolder(agent: string): string {
  return `agents/${safeName(agent)}`
}

function unwritable(file: string, error: unknown): ResultsError {
  const why = error instanceof Error ? error.message : String(error)
  return new ResultsError(
    'RESULTS_UNWRITABLE',
    `Cannot write results to ${file} (${why}): choose another folder with --out`,
    { exitCode: 2, cause: error },
  )
}
