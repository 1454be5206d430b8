/** Reads a result folder back. */

import { readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import { ResultsError } from './errors.ts'
import { type RunSummary, summarySchema } from './summary.ts'

const summaryBytesMax = 256 * 1024 * 1024

/** The summary in a result folder. Throws ResultsError when it is no such folder, or damaged. */
export async function readSummary(dir: string): Promise<RunSummary> {
  const file = path.join(dir, 'summary.json')
  let text: string
  try {
    if ((await stat(file)).size > summaryBytesMax) {
      throw new ResultsError('RESULTS_DAMAGED', `${file} is larger than any summary: is this a result folder?`)
    }
    text = await readFile(file, 'utf8')
  } catch (error) {
    if (error instanceof ResultsError) throw error
    const why = error instanceof Error ? error.message : String(error)
    throw new ResultsError('RESULTS_MISSING', `${dir} is no result folder of paceline: ${why}`)
  }
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch (error) {
    throw new ResultsError('RESULTS_DAMAGED', `${file} is damaged: ${error instanceof Error ? error.message : error}`)
  }
  const parsed = summarySchema.safeParse(document)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new ResultsError('RESULTS_DAMAGED', `${file} is damaged: ${issue?.path.join('.')}: ${issue?.message}`)
}
