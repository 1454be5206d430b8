/**
 * The storage load engine. It does the work of one stage at a time on files, with O_DIRECT, on S3 or on nothing, and
 * measures every operation in nanoseconds. It knows neither agents' messages nor plans' spelling.
 *
 * ```ts
 * const engine = createEngine(resolveContainment(['file:///tmp/paceline'], false))
 * const stage = await engine.arm(work, context)
 * const result = await stage.run({ startAt: now(), signal: AbortSignal.timeout(60_000) })
 * await engine.close()
 * ```
 */

export { now, sleep } from './clock.ts'
export { resolveContainment } from './containment.ts'
export { createEngine, type EngineOptions } from './engine.ts'
export { IO_ERROR_CODES, IoError, type IoErrorCode } from './errors.ts'
export { decodeHistogram, encodeHistogram, highestAt, lowestAt, valueAtPercentile } from './histogram.ts'
export { QUIET_AFTER_START_MS } from './limits.ts'
export { failResult, plainResult } from './result.ts'
export { decodeResult, encodeResult } from './result-codec.ts'
export { BUCKET_LABELS } from './sizes.ts'
export { mergeStats, type Summary, summarize } from './stats.ts'
export type * from './types.ts'
