/** Watches the lanes of a running stage: start, progress, samples, cancellation, lanes that hang; then the result. */

import { now, sleep } from './clock.ts'
import { clockReadNs } from './clock-cost.ts'
import { collectionsOf } from './collections.ts'
import { codeOf, IoError, type IoErrorCode, messageOf } from './errors.ts'
import { collectStats, headSum, loadOf, totalsOf, warmupOf } from './gauge.ts'
import { type Board, CONTROL, HEAD } from './lanes/board.ts'
import { joinErrors } from './lanes/errors.ts'
import type { ErrorCount, LaneWork } from './lanes/jobs.ts'
import type { Launched } from './launched.ts'
import { ABORT_GRACE_MS, PROGRESS_INTERVAL_MS, QUIET_AFTER_START_MS } from './limits.ts'
import { failResult, plainResult } from './result.ts'
import { IntervalGauge, PerfLog } from './samples.ts'
import { creationShare, deletionShare } from './shares.ts'
import { StallMeter } from './stalls.ts'
import type { RunOptions, StageContext, StageResult } from './types.ts'
import { engineLimits, engineWarnings } from './warnings.ts'

/** After a deadline, operations that are under way may take this long on top of their timeout, ms. */
const LATE_GRACE_MS = 1000

interface LaneFailure {
  readonly code: string
  readonly message: string
}

export class LaneWatch {
  readonly #work: LaneWork
  readonly #context: StageContext
  readonly #launched: Launched
  readonly #boards: readonly Board[]
  readonly #warnings: Set<string>
  readonly #limits: string[] = []
  /** Errors by thread; while it runs, one of each kind by lane. */
  readonly #errors = new Map<string, readonly ErrorCount[]>()
  readonly #gauge: IntervalGauge
  readonly #perf: PerfLog
  #failure: LaneFailure | null = null
  #given = 0
  #startTold = false
  #stalls = new StallMeter(0)

  constructor(options: {
    readonly work: LaneWork
    readonly context: StageContext
    readonly launched: Launched
    readonly warnings: readonly string[]
  }) {
    this.#work = options.work
    this.#context = options.context
    this.#launched = options.launched
    this.#boards = options.launched.openBoards()
    this.#warnings = new Set(options.warnings)
    this.#gauge = new IntervalGauge(this.#boards)
    this.#perf = new PerfLog(this.#boards, options.context.agents.length)
  }

  async run(options: RunOptions): Promise<StageResult> {
    const launched = this.#launched
    const { signal } = options
    launched.onError = (lane, error) => {
      const key = `lane ${lane}`
      this.#errors.set(key, [...(this.#errors.get(key) ?? []), error])
    }
    const onAbort = (): void => launched.stop()
    signal.addEventListener('abort', onAbort, { once: true })
    const startAt = Math.max(options.startAt, now())
    launched.start(startAt)
    this.#stalls = new StallMeter(startAt)
    const endWatch = this.#watch(startAt, options)
    try {
      await this.#finish(startAt, signal)
    } finally {
      endWatch()
      this.#tellStart(options)
      this.#stalls.tick(now())
      signal.removeEventListener('abort', onAbort)
    }
    const result = this.#result(startAt, signal)
    await this.#pauseAfterPrepare(result, signal)
    return result
  }

  /** The start, progress every 200 ms, samples at whole intervals; the function returned ends these. */
  #watch(startAt: number, options: RunOptions): () => void {
    const intervalMs = 'perfLogIntervalMs' in this.#work ? Math.max(100, this.#work.perfLogIntervalMs) : 1000
    let nextSample = startAt + intervalMs
    const sample = (): void => {
      const at = now()
      // After a stall of this thread there is one long sample rather than several wrong ones.
      if (at >= nextSample) this.#perf.tick((at - startAt) / 1000)
      while (at >= nextSample) nextSample += intervalMs
      sampler = setTimeout(sample, nextSample - at)
    }
    // What is due already, on a busy machine, has no negative wait: runtimes warn of these.
    const until = (at: number): number => Math.max(0, at - now())
    let sampler = setTimeout(sample, until(nextSample))
    const teller = setTimeout(() => this.#tellStart(options), until(startAt + QUIET_AFTER_START_MS))
    let last = startAt
    const reporter = setInterval(() => {
      const at = now()
      if (at < startAt) return
      this.#tellStart(options)
      this.#stalls.tick(at)
      this.#report(at, (at - last) / 1000, startAt, options)
      last = at
    }, PROGRESS_INTERVAL_MS)
    return () => {
      clearTimeout(teller)
      clearInterval(reporter)
      clearTimeout(sampler)
    }
  }

  /** Once, when a lane has begun. Lanes say no word at their start: it would wake this thread, which needs a core then. */
  #tellStart(options: RunOptions): void {
    const starts = this.#boards.map(({ head }) => head[HEAD.STARTED_AT] ?? 0).filter((at) => at > 0)
    if (this.#startTold || starts.length === 0) return
    this.#startTold = true
    options.onStarted?.(Math.min(...starts))
  }

  #report(at: number, elapsed: number, startAt: number, options: RunOptions): void {
    const { ops, bytes, errors } = totalsOf(this.#boards)
    const warm = warmupOf(this.#boards)
    const interval = this.#gauge.take()
    options.onProgress?.({
      seconds: (at - startAt) / 1000,
      ops: ops + warm.ops,
      bytes: bytes + warm.bytes,
      errors: errors + warm.errors,
      opsPerSecond: elapsed > 0 ? interval.ops / elapsed : 0,
      bytesPerSecond: elapsed > 0 ? interval.bytes / elapsed : 0,
      p99Ns: interval.p99Ns,
      done: this.#doneShare((at - startAt) / 1000),
    })
  }

  #doneShare(seconds: number): number | null {
    const work = this.#work
    if (work.type === 'prepare' || work.type === 'cleanup') {
      const total = collectionsOf(work.objects, work.trees, work.sharing, this.#context).reduce(
        (sum, { count }) => sum + count,
        0,
      )
      const share = work.type === 'prepare' ? creationShare : deletionShare
      const { count } = share(work.sharing, total, this.#context)
      const heads = [HEAD.CREATED, HEAD.EXISTED, HEAD.DELETED, HEAD.MISSING]
      const done = heads.reduce((sum, position) => sum + headSum(this.#boards, position), 0)
      return count === 0 ? 1 : Math.min(1, done / count)
    }
    const { durationMs, warmupMs, opsMax } = work
    const byTime = durationMs === null ? 0 : (seconds * 1000) / (durationMs + warmupMs)
    const byOps = opsMax === null ? 0 : Atomics.load(this.#launched.control, CONTROL.TAKEN) / opsMax
    return durationMs === null && opsMax === null ? null : Math.min(1, Math.max(byTime, byOps))
  }

  /** Resolves when all lanes are back, or are given up. */
  async #finish(startAt: number, signal: AbortSignal): Promise<void> {
    const ended = this.#launched.done.map((done, i) => this.#collect(done, i))
    const all = Promise.all(ended).then(() => 'ended' as const)
    const patience = new AbortController()
    const late = this.#tooLate(startAt, signal, patience.signal).catch(() => 'ended' as const)
    const outcome = await Promise.race([all, late])
    patience.abort()
    if (outcome === 'late') this.#giveUp()
  }

  async #collect(done: Launched['done'][number], thread: number): Promise<void> {
    try {
      const { errors, warnings, limits, failure } = await done
      for (const key of this.#errors.keys()) {
        const lane = /^lane (\d+)$/.exec(key)?.[1]
        if (lane !== undefined && Number(lane) % this.#launched.threads.length === thread) this.#errors.delete(key)
      }
      this.#errors.set(`thread ${thread}`, errors)
      for (const warning of warnings) this.#warnings.add(warning)
      this.#limits.push(...limits)
      if (failure !== null) this.#failure ??= failure
    } catch (error) {
      // The lane is lost, its figures are not. Others need not go on: the stage has failed.
      this.#failure ??= { code: codeOf(error), message: messageOf(error) }
      this.#launched.stop()
    }
  }

  /** Resolves some time after a cancellation, or after a deadline that a lane did not keep. */
  async #tooLate(startAt: number, signal: AbortSignal, patience: AbortSignal): Promise<'late'> {
    const aborted = new Promise<number>((resolve) => {
      const grace = (): void => resolve(now() + ABORT_GRACE_MS)
      if (signal.aborted) grace()
      else signal.addEventListener('abort', grace, { once: true })
      patience.addEventListener('abort', () => signal.removeEventListener('abort', grace), { once: true })
    })
    const candidates = [aborted.then((at) => sleep(at - now(), patience))]
    const work = this.#work
    if ('durationMs' in work && work.durationMs !== null) {
      const last = startAt + work.warmupMs + work.durationMs + work.opTimeoutMs + LATE_GRACE_MS
      candidates.push(sleep(last - now(), patience))
    }
    await Promise.race(candidates)
    return 'late'
  }

  #giveUp(): void {
    const { threads, seats } = this.#launched
    for (const [i, board] of this.#boards.entries()) {
      if (board.head[HEAD.ENDED_AT] !== 0) continue
      this.#given++
      board.head[HEAD.ENDED_AT] = now()
      threads[(seats[i]?.index ?? 0) % threads.length]?.abandon()
    }
    if (this.#given > 0) this.#warnings.add(`${this.#given} lanes hang in an operation and were given up`)
  }

  #result(startAt: number, signal: AbortSignal): StageResult {
    const boards = this.#boards
    const at = (position: number): number[] => boards.map(({ head }) => head[position] ?? 0).filter((time) => time > 0)
    const endedAt = Math.max(startAt, ...at(HEAD.ENDED_AT))
    const startedAt = Math.min(endedAt, ...at(HEAD.STARTED_AT))
    const measuredAt = Math.min(endedAt, ...at(HEAD.MEASURED_AT))
    const ends = at(HEAD.ENDED_AT).map((end) => Math.max(0, end - measuredAt) / 1000)
    const seconds = (endedAt - measuredAt) / 1000
    const stats = collectStats(boards)
    const sum = (position: number): number => headSum(boards, position)
    const result: StageResult = {
      ...plainResult({ startedAt, endedAt }),
      seconds,
      stats,
      warmup: warmupOf(boards),
      perf: this.#perf.finish((endedAt - startAt) / 1000),
      objects: {
        created: sum(HEAD.CREATED),
        existed: sum(HEAD.EXISTED),
        deleted: sum(HEAD.DELETED),
        missing: sum(HEAD.MISSING),
      },
      repeated: sum(HEAD.REPEATED),
      measuring: {
        latencyFrom: isPaced(this.#work) ? 'intended_start' : 'start',
        clockReadNs: clockReadNs(),
        stalledMs: this.#stalls.totalMs,
        ...loadOf(boards, seconds),
      },
      firstLaneDoneSeconds: ends.length === 0 ? 0 : Math.min(...ends),
      lastLaneDoneSeconds: ends.length === 0 ? 0 : Math.max(...ends),
      errorSamples: joinErrors(this.#errors.values()),
    }
    const warnings = [...this.#warnings, ...engineWarnings(this.#work, result, sum(HEAD.THROTTLED))]
    return this.#judge({ ...result, warnings, limits: [...this.#limits, ...engineLimits(this.#work, result)] }, signal)
  }

  #judge(result: StageResult, signal: AbortSignal): StageResult {
    if (signal.aborted)
      return failResult(result, new IoError('CANCELLED', `The stage was cancelled${reasonOf(signal)}`))
    const failure = this.#failure
    if (failure !== null) return failResult(result, new IoError(failure.code as IoErrorCode, failure.message))
    const { errors } = totalsOf(this.#boards)
    const [first] = result.errorSamples
    if (this.#work.type === 'prepare' && errors > 0) {
      const reason = `${errors} objects could not be created: ${first?.message ?? 'unknown reasons'}`
      return failResult(result, new IoError('PREPARE_INCOMPLETE', reason))
    }
    return result
  }

  /** Storage that shows new objects late gets time; it is not part of the figures. */
  async #pauseAfterPrepare(result: StageResult, signal: AbortSignal): Promise<void> {
    const work = this.#work
    if (work.type !== 'prepare' || result.status === 'failed' || result.objects.created === 0) return
    await sleep(work.postDelayMs, signal).catch(() => {})
  }
}

function isPaced(work: LaneWork): boolean {
  return 'rate' in work && work.rate.opsPerSecond !== null
}

function reasonOf(signal: AbortSignal): string {
  const reason = messageOf(signal.reason)
  return signal.reason instanceof DOMException || reason === '' ? '' : `: ${reason}`
}
