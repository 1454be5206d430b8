/** Reads a plan from a file. */

import { open } from 'node:fs/promises'
import { PlanError } from './errors.ts'
import { parsePlan } from './parse.ts'
import { planBytesMax } from './source.ts'
import type { Plan } from './types.ts'

/** Throws PlanError for a file that cannot be read, is too large (seen before it is read), or is no plan. */
export async function readPlanFile(file: string): Promise<Plan> {
  return parsePlan(await readText(file), file)
}

async function readText(file: string): Promise<string> {
  let bytes: Buffer
  try {
    const handle = await open(file, 'r')
    try {
      const stats = await handle.stat()
      if (!stats.isFile()) throw new PlanError('PLAN_UNREADABLE', `${file} is not a file: name a plan in YAML`)
      if (stats.size > planBytesMax) {
        throw new PlanError(
          'PLAN_TOO_LARGE',
          `${file} has ${stats.size} bytes, a plan may have at most ${planBytesMax}`,
        )
      }
      bytes = await handle.readFile()
    } finally {
      await handle.close()
    }
  } catch (error) {
    if (error instanceof PlanError) throw error
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    const why = missing ? 'there is no such file' : error instanceof Error ? error.message : String(error)
    throw new PlanError('PLAN_UNREADABLE', `Cannot read ${file}: ${why}`, { cause: error })
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (error) {
    throw new PlanError('PLAN_NOT_TEXT', `${file} is not UTF-8 text: is it a plan?`, { cause: error })
  }
}
