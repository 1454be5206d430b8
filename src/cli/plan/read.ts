/** Reads a plan from a file, a pipe, or standard input. */

import { type FileHandle, open } from 'node:fs/promises'
import { PlanError } from './errors.ts'
import { parsePlan } from './parse.ts'
import { planBytesMax } from './source.ts'
import type { Plan } from './types.ts'

/** What people call standard input. Where it is a socket, opening it by its name fails; reading it does not. */
const STDIN_NAMES: ReadonlySet<string> = new Set(['-', '/dev/stdin'])

/** Throws PlanError for a file that cannot be read, is too large (seen before it is read), or is no plan. */
export async function readPlanFile(file: string): Promise<Plan> {
  const shown = file === '-' ? '<stdin>' : file
  return parsePlan(decode(await readBytes(file, shown), shown), shown)
}

async function readBytes(file: string, shown: string): Promise<Buffer> {
  try {
    if (STDIN_NAMES.has(file)) return await readWithin(process.stdin, shown)
    const handle = await open(file, 'r')
    try {
      await checkKind(handle, shown)
      return await readWithin(chunksOf(handle), shown)
    } finally {
      await handle.close()
    }
  } catch (error) {
    if (error instanceof PlanError) throw error
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    const why = missing ? 'there is no such file' : error instanceof Error ? error.message : String(error)
    throw new PlanError('PLAN_UNREADABLE', `Cannot read ${shown}: ${why}`, { cause: error })
  }
}

async function checkKind(handle: FileHandle, shown: string): Promise<void> {
  const stats = await handle.stat()
  if (!stats.isFile() && !stats.isFIFO() && !stats.isCharacterDevice()) {
    throw new PlanError('PLAN_UNREADABLE', `${shown} is neither a file nor a pipe: name a plan in YAML`)
  }
  if (stats.size > planBytesMax) throw tooLarge(shown, `${stats.size} bytes`)
}

async function* chunksOf(handle: FileHandle): AsyncGenerator<Buffer> {
  while (true) {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(65_536), 0, 65_536, null)
    if (bytesRead === 0) return
    yield buffer.subarray(0, bytesRead)
  }
}

/** The size of a pipe is known only when it has ended. */
async function readWithin(chunks: AsyncIterable<Buffer>, shown: string): Promise<Buffer> {
  const held: Buffer[] = []
  let bytes = 0
  for await (const chunk of chunks) {
    held.push(chunk)
    bytes += chunk.length
    if (bytes > planBytesMax) throw tooLarge(shown, 'more bytes')
  }
  return Buffer.concat(held)
}

function tooLarge(shown: string, has: string): PlanError {
  return new PlanError('PLAN_TOO_LARGE', `${shown} has ${has}, a plan may have at most ${planBytesMax}`)
}

function decode(bytes: Buffer, shown: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (error) {
    throw new PlanError('PLAN_NOT_TEXT', `${shown} is not UTF-8 text: is it a plan?`, { cause: error })
  }
}
