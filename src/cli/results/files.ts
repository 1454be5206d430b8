/** Files that are whole or not there: written beside their place, then renamed. */

import { randomBytes } from 'node:crypto'
import { access, constants, mkdir, open, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { ResultsError } from './errors.ts'

export async function writeWhole(file: string, text: string): Promise<void> {
  const temporary = `${file}.${randomBytes(4).toString('hex')}.tmp`
  try {
    await mkdir(path.dirname(file), { recursive: true })
    const handle = await open(temporary, 'wx')
    try {
      await handle.writeFile(text)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(temporary, file)
  } catch (error) {
    await rm(temporary, { force: true })
    throw unwritable(file, error)
  }
}

/** A new folder `base`, or `base-2`, ... where several peers of one host write to the same place. */
export async function newFolder(base: string): Promise<string> {
  await mkdir(path.dirname(base), { recursive: true }).catch((error) => {
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

/** Throws ResultsError unless results can be written below `out`, which is made where it is missing. */
export async function checkWritable(out: string): Promise<void> {
  try {
    await mkdir(out, { recursive: true })
    await access(out, constants.W_OK)
  } catch (error) {
    throw unwritable(out, error)
  }
}

/** A part of a file name: names come from plans and peers. */
export function safeName(name: string): string {
  const safe = name.replace(/[^A-Za-z0-9._-]+/g, '_').slice(0, 80)
  return safe === '' || safe.startsWith('.') ? `_${safe}` : safe
}

function unwritable(file: string, error: unknown): ResultsError {
  const why = error instanceof Error ? error.message : String(error)
  return new ResultsError(
    'RESULTS_UNWRITABLE',
    `Cannot write results to ${file} (${why}): choose another folder with --out`,
  )
}
