/** Stage results as compact text for the wire: JSON, deflated, base64. What comes in is checked before it is believed. */

import { deflateSync, inflateSync } from 'node:zlib'
import { z } from 'zod'
import { IoError, messageOf } from './errors.ts'
import { decodeHistogram } from './histogram.ts'
import { OUTPUT_BYTES_MAX, PERF_SAMPLES_MAX, RESULT_JSON_BYTES_MAX, RESULT_TEXT_CHARS_MAX } from './limits.ts'
import { BUCKET_LABELS } from './sizes.ts'
import type { StageResult } from './types.ts'

/** Warnings and limits of one result, and the length of each. */
const WARNINGS_MAX = 64
const LIMITS_MAX = 16
const NOTE_CHARS_MAX = 1000

const amount = z.number().min(0).max(Number.MAX_SAFE_INTEGER)
const count = amount.int()
const text = (max: number): z.ZodString => z.string().max(max)
const part = z.number().min(0).max(1)
const share = part.nullable()

const opStats = z
  .strictObject({
    op: z.enum(['get', 'put', 'stat', 'list', 'delete']),
    bucket: text(32),
    bucketIndex: z
      .number()
      .int()
      .min(0)
      .max(BUCKET_LABELS.length - 1),
    count,
    bytes: count,
    errors: count,
    totalNs: z.number().min(0),
    histogram: text(1_000_000),
  })
  .refine((stats) => stats.bucket === BUCKET_LABELS[stats.bucketIndex], 'bucket and bucketIndex disagree')

const groupSample = z.strictObject({
  ops: count,
  bytes: count,
  meanNs: amount,
  p50Ns: amount,
  p90Ns: amount,
  p99Ns: amount,
})

const perfSample = z.strictObject({
  second: amount,
  ops: count,
  bytes: count,
  errors: count,
  p50Ns: amount,
  p99Ns: amount,
  get: groupSample,
  put: groupSample,
  meta: groupSample,
  warm: z.boolean(),
  cpu: z.strictObject({ user: part, system: part, iowait: part }).nullable(),
})

const measuring = z.strictObject({
  latencyFrom: z.enum(['start', 'intended_start']),
  clockReadNs: amount,
  lanes: count,
  busyShare: z.number().min(0).max(1),
  laneOpsMin: count,
  laneOpsMax: count,
  lagMs: amount,
  timedOut: count,
  stalledMs: amount,
  firstDone: z.strictObject({ ops: count, bytes: count }),
})

const stageResult = z.strictObject({
  status: z.enum(['ok', 'failed']),
  reason: text(4000),
  code: text(64),
  startedAt: amount,
  endedAt: amount,
  seconds: amount,
  stats: z.array(opStats).max(5 * BUCKET_LABELS.length),
  warmup: z.strictObject({ ops: count, bytes: count, errors: count }),
  perf: z.array(perfSample).max(PERF_SAMPLES_MAX),
  objects: z.strictObject({ created: count, existed: count, deleted: count, missing: count }),
  repeated: count,
  firstLaneDoneSeconds: amount,
  lastLaneDoneSeconds: amount,
  measuring,
  cpu: z.strictObject({ host: share, process: share }),
  errorSamples: z.array(z.strictObject({ message: text(1000), count })).max(64),
  warnings: z.array(text(NOTE_CHARS_MAX)).max(WARNINGS_MAX),
  limits: z.array(text(NOTE_CHARS_MAX)).max(LIMITS_MAX),
  output: text(OUTPUT_BYTES_MAX),
  exitCode: z.number().int().nullable(),
})

/** Text of a result; `decodeResult` gives it back. What it says in words is cut to what others take. */
export function encodeResult(result: StageResult): string {
  const warnings = fitted(result.warnings, WARNINGS_MAX)
  const limits = fitted(result.limits, LIMITS_MAX)
  return deflateSync(JSON.stringify({ ...result, warnings, limits })).toString('base64')
}

/** The last one says how many are left out. */
function fitted(notes: readonly string[], max: number): string[] {
  const kept = notes.length <= max ? notes : notes.slice(0, max - 1)
  const texts = kept.map((note) => (note.length <= NOTE_CHARS_MAX ? note : `${note.slice(0, NOTE_CHARS_MAX - 1)}…`))
  return kept.length === notes.length ? texts : [...texts, `and ${notes.length - kept.length} more of the kind`]
}

/** Throws IoError BAD_RESULT for text that is too long, damaged, or no result. Histograms are read once to be sure. */
export function decodeResult(payload: string): StageResult {
  if (payload.length > RESULT_TEXT_CHARS_MAX) {
    throw new IoError(
      'BAD_RESULT',
      `Cannot read a result: ${payload.length} characters, allowed are ${RESULT_TEXT_CHARS_MAX}`,
    )
  }
  try {
    const raw = inflateSync(Buffer.from(payload, 'base64'), { maxOutputLength: RESULT_JSON_BYTES_MAX })
    const result = stageResult.parse(JSON.parse(raw.toString('utf8')))
    for (const stats of result.stats) decodeHistogram(stats.histogram)
    return result
  } catch (error) {
    if (error instanceof IoError) throw error
    throw new IoError('BAD_RESULT', `Cannot read a result: ${messageOf(error)}`, { cause: error })
  }
}
