/** What a member's READY carries: its result of the stage, its clock against the leader's, and what it runs on. */

import { z } from 'zod'
import { decodeResult, encodeResult, IoError, type StageResult } from '../io/mod.ts'
import { type About, aboutSchema } from './about.ts'

export interface StageReport {
  readonly result: StageResult
  /** Leader's clock minus the own one, as used for the start of the stage, ms. */
  readonly offsetMs: number
  readonly about: About
}

const envelope = z.strictObject({
  offsetMs: z.number(),
  about: aboutSchema,
  /** Text of `encodeResult`. */
  result: z.string(),
})

/** Text of a report; `decodeReport` gives it back. */
export function encodeReport({ result, offsetMs, about }: StageReport): string {
  return JSON.stringify({ offsetMs, about, result: encodeResult(result) })
}

/** Throws IoError BAD_RESULT for text that is no report. */
export function decodeReport(payload: string): StageReport {
  let document: unknown
  try {
    document = JSON.parse(payload)
  } catch (error) {
    throw new IoError('BAD_RESULT', 'Cannot read a report: it is no JSON', { cause: error })
  }
  const parsed = envelope.safeParse(document)
  if (parsed.success) return { ...parsed.data, result: decodeResult(parsed.data.result) }
  const [issue] = parsed.error.issues
  throw new IoError('BAD_RESULT', `Cannot read a report: ${issue?.path.join('.')}: ${issue?.message}`)
}
