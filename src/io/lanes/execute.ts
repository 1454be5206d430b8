/** One lane of a workload: chooses an op by weight, an object, does it, records it, until time is up. */

import { monotonic } from '../clock.ts'
import { describeOpError, IoError } from '../errors.ts'
import { ObjectRef } from '../stores/types.ts'
import type { ExecuteWork, RetrySpec } from '../types.ts'
import type { Action } from './action.ts'
import { CONTROL, HEAD } from './board.ts'
import { buildActions } from './build-actions.ts'
import { ErrorLimits } from './error-limits.ts'
import {
  BEFORE_START,
  ENTRIES,
  endLane,
  isOver,
  isStopped,
  type LaneContext,
  type LaneRun,
  recordFailure,
} from './lane.ts'
import { Pacer } from './pacer.ts'
import { retryPause } from './retries.ts'

export class ExecuteLane {
  readonly #lane: LaneContext
  readonly #work: ExecuteWork
  readonly #actions: Action[]
  readonly #ref = new ObjectRef()
  #weights = 0

  constructor(lane: LaneContext, work: ExecuteWork) {
    this.#lane = lane
    this.#work = work
    this.#actions = buildActions(lane, work)
    this.#weigh()
  }

  #createPacer(): Pacer | null {
    const { job, seat, timing, random } = this.#lane
    const { opsPerSecond, arrivals } = this.#work.rate
    if (opsPerSecond === null) return null
    return new Pacer({ opsPerSecond, arrivals }, job.lanes, seat.index / job.lanes, timing.startAt, random)
  }

  #createLimits(): ErrorLimits | null {
    const { control, timing } = this.#lane
    const { errorLimits } = this.#work
    return errorLimits == null ? null : new ErrorLimits(errorLimits, control, timing.startAt)
  }

  #weigh(): void {
    this.#weights = this.#actions.reduce((sum, { weight }) => sum + weight, 0)
  }

  #chooseAction(): Action | undefined {
    const actions = this.#actions
    if (actions.length === 1) return actions[0]
    let left = this.#lane.random.fraction() * this.#weights
    for (const action of actions) {
      left -= action.weight
      if (left < 0) return action
    }
    return actions[actions.length - 1]
  }

  *run(): LaneRun {
    for (let i = 0; i < ENTRIES; i++) yield BEFORE_START
    const lane = this.#lane
    const { recorder, control, rows, seat } = lane
    const { warmupMs, durationMs, opsMax, opTimeoutMs, retries } = this.#work
    const { startAt, toEngineClock } = lane.timing
    const measuredFrom = startAt + warmupMs
    const deadline = durationMs === null ? Number.POSITIVE_INFINITY : measuredFrom + durationMs
    const ref = this.#ref
    const pacer = this.#createPacer()
    const limits = this.#createLimits()
    let last = monotonic.now()
    recorder.set(HEAD.STARTED_AT, last + toEngineClock)
    recorder.set(HEAD.MEASURED_AT, Math.max(last, measuredFrom) + toEngineClock)
    while (!isOver(lane)) {
      if (opsMax !== null && Atomics.add(control, CONTROL.TAKEN, 1) >= opsMax) break
      const action = this.#chooseAction()
      if (action === undefined) break
      const store = action.next(ref)
      if (store === null) {
        if (opsMax !== null) Atomics.sub(control, CONTROL.TAKEN, 1)
        if (!action.refills) this.#exhaust(action)
        continue
      }
      // A ranged read is chosen in some 20 ns: its start is the end of the one before, which saves a look at the clock.
      let from = action.isRanged ? last : monotonic.now()
      let begun = from
      if (pacer !== null) {
        from = pacer.next()
        const pause = this.#pause(Math.min(from, deadline))
        if (pause !== null) yield pause
        begun = monotonic.now()
        if (isStopped(lane) || begun >= deadline) break
        recorder.raise(HEAD.LAG_MS, begun - from)
      }
      if (from >= deadline) break
      let answer = 0
      let error: unknown
      for (let attempt = 1; ; attempt++) {
        try {
          const given = action.perform(store, ref)
          answer = typeof given === 'number' ? given : yield given
          const bytes = action.movesBytes(answer)
          last = monotonic.now()
          if (last - begun > opTimeoutMs) throw timedOut(last - begun, opTimeoutMs)
          if (from >= measuredFrom) recorder.success(action.op, bytes, (last - from) * 1e6)
          else recorder.warm(action.op, bytes, (last - from) * 1e6)
          if (action.isDelete) recorder.add(HEAD.DELETED, 1)
          error = undefined
          break
        } catch (reason) {
          error = reason
        }
        if (retries != null && (yield* this.#awaitRetry(retries, attempt, Math.min(deadline, begun + opTimeoutMs)))) {
          continue
        }
        last = monotonic.now()
        const measured = from >= measuredFrom
        const failed = { op: action.op, name: action.name, bytes: action.isGet ? ref.size : 0, measured }
        recordFailure(lane, failed, error, store, ref)
        break
      }
      if (rows !== null) {
        const { name: op } = action
        rows.add({ lane: seat.index, op, store, ref, from, to: last, answer, error, warm: from < measuredFrom })
        // Making the line is no part of what a ranged read takes next.
        last = monotonic.now()
      }
      if (error !== undefined && limits !== null) {
        const pause = this.#heed(limits, last, deadline, describeOpError(action.name, store.describe(ref), error))
        if (pause !== null) yield pause
        last = monotonic.now()
      }
    }
    endLane(lane, (pacer === null ? last : monotonic.now()) + toEngineClock)
  }

  /** After an error at `at`: ends the stage, or returns what there is to wait for. */
  #heed(limits: ErrorLimits, at: number, deadline: number, message: string): Promise<number> | null {
    const pauseMs = limits.count(at)
    if (pauseMs !== 'stop') return pauseMs === 0 ? null : this.#pause(Math.min(at + pauseMs, deadline))
    const reason = `Stopped after ${this.#work.errorLimits?.total} errors (max_total_errors), the last: ${message}`
    this.#lane.fail('TOO_MANY_ERRORS', reason, true)
    return null
  }

  /** Waits until an operation that failed may be done again. False when it may not, or not before `deadline`. */
  *#awaitRetry(spec: RetrySpec, attempt: number, deadline: number): Generator<Promise<number>, boolean, number> {
    const ms = retryPause(spec, attempt, this.#lane.random)
    const until = monotonic.now() + (ms ?? 0)
    if (ms === null || until >= deadline || isStopped(this.#lane)) return false
    const pause = this.#pause(until)
    if (pause !== null) yield pause
    if (isStopped(this.#lane)) return false
    this.#lane.recorder.add(HEAD.REPEATED, 1)
    return true
  }

  #exhaust(action: Action): void {
    this.#actions.splice(this.#actions.indexOf(action), 1)
    this.#weigh()
    this.#lane.warn(
      `${action.name} ran out of objects before the stage ended: prepare more, or give ${action.name} less weight`,
    )
  }

  /** Waits for an intended start; a stop ends it early. */
  #pause(until: number): Promise<number> | null {
    const left = until - monotonic.now()
    if (left <= 0) return null
    if (!this.#lane.blocks) return pauseShared(this.#lane, until)
    const { control } = this.#lane
    for (let ms = left; ms > 0 && !isStopped(this.#lane); ms = until - monotonic.now()) {
      if (ms > SPIN_MS) Atomics.wait(control, CONTROL.STOP, 0, ms - SPIN_MS)
    }
    return null
  }
}

/** The wait for an intended start is not the storage's: it is no part of what is allowed. */
function timedOut(ms: number, allowedMs: number): IoError {
  return new IoError('TIMED_OUT', `took ${Math.round(ms)} ms, allowed are ${allowedMs}`)
}

/** A timed wait ends about this late: the rest of it is spent looking at the clock. */
const SPIN_MS = 0.08
/** How soon a pause on a shared thread notices a stop, ms. */
const PAUSE_SLICE_MS = 100
/** Timers of an event loop are up to a millisecond late: what is left then is spent letting others work. */
const COARSE_MS = 2

async function pauseShared(lane: LaneContext, until: number): Promise<number> {
  for (let left = until - monotonic.now(); left > 0 && !isStopped(lane); left = until - monotonic.now()) {
    if (left > COARSE_MS) await new Promise((resolve) => setTimeout(resolve, Math.min(left - 1, PAUSE_SLICE_MS)))
    else await new Promise((resolve) => setImmediate(resolve))
  }
  return 0
}
