/** What a member's READY carries: its result of the stage, its clock against the leader's, and what it runs on. */

import { z } from 'zod'
import { barrierLimits } from '../barrier/mod.ts'
import { decodeResult, encodeResult, failResult, IoError, plainResult, type StageResult } from '../io/mod.ts'
import { type About, aboutSchema } from './about.ts'
import { PacelineError } from './errors.ts'

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

export interface ToldReport {
  /** What others take for the result of the stage. */
  readonly result: StageResult
  /** Text of `encodeReport`. */
  readonly payload: string
  /** The report as it was measured, where it is not told to others; null where it is. */
  readonly whole: string | null
}

/** What others are told. They refuse a report above a size, as often as it is said: such a stage has failed, and says why. */
export function toldReport(report: StageReport, charsMax: number = barrierLimits.payloadCharsMax): ToldReport {
  const whole = encodeReport(report)
  if (whole.length <= charsMax) return { result: report.result, payload: whole, whole: null }
  const { stats, perf } = report.result
  const parts = `${stats.length} histograms, ${perf.length} samples`
  const sizes = `has ${whole.length} characters (${parts}), and others take ${charsMax} at most`
  const advice = 'use fewer operations and object sizes in one stage, or a shorter one'
  const error = new PacelineError(
    'RESULT_TOO_LARGE',
    `The result of this stage ${sizes}: it is kept here only; ${advice}`,
  )
  const result = failResult(plainResult(report.result), error)
  return { result, payload: encodeReport({ ...report, result }), whole }
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
