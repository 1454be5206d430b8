/** One lane of a workload: chooses an op by weight, an object, does it, records it, until time is up. */

import { monotonic } from '../clock.ts'
import { describeOpError, IoError } from '../errors.ts'
import { ObjectRef } from '../stores/types.ts'
import type { ExecuteWork, RetrySpec } from '../types.ts'
import { beUsual } from '../urgency.ts'
import type { Action } from './action.ts'
import { CONTROL, HEAD } from './board.ts'
import { buildActions } from './build-actions.ts'
import { ErrorLimits } from './error-limits.ts'
import {
  BEFORE_START,
  endLane,
  isOver,
  isStopped,
  type LaneContext,
  type LaneRun,
  letOthersBegin,
  recordFailure,
} from './lane.ts'
import type { OpRows } from './op-rows.ts'
import { Pacer } from './pacer.ts'
import { retryPause } from './retries.ts'

/**
 * Operations that are done in one call. V8 compiles a function to its best when it is called again, not in the middle of a
 * loop that runs as long as the stage.
 */
const ROUND = 256

export class ExecuteLane {
  readonly #lane: LaneContext
  readonly #work: ExecuteWork
  readonly #actions: Action[]
  #weights = 0
  // The operation that the lane is at; null when there is none any more.
  #action: Action | null = null
  readonly #ref = new ObjectRef()
  #answer = 0
  #error: unknown
  // This thread's clock, ms: when it was to start, when it did, and the last look.
  #from = Number.NaN
  #begun = Number.NaN
  #last = Number.NaN
  #measuredFrom = Number.NaN
  #deadline = Number.NaN

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
    yield* BEFORE_START
    const lane = this.#lane
    const { recorder, rows } = lane
    const { warmupMs, durationMs, opTimeoutMs, retries } = this.#work
    const { startAt, toEngineClock } = lane.timing
    const pacer = this.#createPacer()
    const limits = this.#createLimits()
    // The log has a line of each.
    const round = rows === null ? ROUND : 1
    let isFirst = true
    this.#measuredFrom = startAt + warmupMs
    this.#deadline = durationMs === null ? Number.POSITIVE_INFINITY : this.#measuredFrom + durationMs
    this.#last = monotonic.now()
    recorder.set(HEAD.STARTED_AT, this.#last + toEngineClock)
    recorder.set(HEAD.MEASURED_AT, Math.max(this.#last, this.#measuredFrom) + toEngineClock)
    for (;;) {
      let given: Promise<number> | null
      if (pacer === null) given = this.#doSome(isFirst ? 1 : round)
      else {
        const next = this.#choose()
        if (next === null) break
        this.#from = pacer.next()
        const pause = this.#pause(Math.min(this.#from, this.#deadline))
        if (pause !== null) yield pause
        this.#begun = monotonic.now()
        if (isStopped(lane) || this.#begun >= this.#deadline) break
        recorder.raise(HEAD.LAG_MS, this.#begun - this.#from)
        given = this.#begin(next)
      }
      const action = this.#action
      if (action === null) break
      for (let attempt = 1; ; attempt++) {
        if (given !== null) {
          try {
            this.#end(action, yield given)
          } catch (reason) {
            this.#error = reason
          }
        }
        if (this.#error === undefined) break
        const until = Math.min(this.#deadline, this.#begun + opTimeoutMs)
        if (retries == null || !(yield* this.#awaitRetry(retries, attempt, until))) {
          this.#fail(action)
          break
        }
        given = this.#begin(action)
      }
      if (rows !== null) this.#log(rows, action)
      if (limits !== null && this.#error !== undefined) {
        const pause = this.#heed(limits, action)
        if (pause !== null) yield pause
        this.#last = monotonic.now()
      }
      if (isFirst && pacer === null) {
        letOthersBegin(lane)
        this.#last = monotonic.now()
      } else if (isFirst) beUsual()
      isFirst = false
    }
    endLane(lane, (pacer === null ? this.#last : monotonic.now()) + toEngineClock)
  }

  /** Up to `count` operations, until one goes wrong, is to be waited for (it is returned), or there are no more. */
  #doSome(count: number): Promise<number> | null {
    for (let i = 0; i < count; i++) {
      const action = this.#choose()
      if (action === null) return null
      const given = this.#begin(action)
      if (given !== null || this.#error !== undefined) return given
    }
    return null
  }

  /** The next operation, null when there is to be none. */
  #choose(): Action | null {
    const { opsMax } = this.#work
    const { control } = this.#lane
    this.#action = null
    while (!isOver(this.#lane)) {
      if (opsMax !== null && Atomics.add(control, CONTROL.TAKEN, 1) >= opsMax) break
      const action = this.#chooseAction()
      if (action === undefined) break
      if (action.next(this.#ref)) {
        // A ranged read is chosen in some 20 ns: its start is the end of the one before, which saves a look at the clock.
        this.#begun = action.isRanged ? this.#last : monotonic.now()
        this.#from = this.#begun
        if (this.#from < this.#deadline) this.#action = action
        break
      }
      if (opsMax !== null) Atomics.sub(control, CONTROL.TAKEN, 1)
      if (!action.refills) this.#exhaust(action)
    }
    return this.#action
  }

  /** Does it. Returns what there is to wait for; null when it has come to its end, good or bad. */
  #begin(action: Action): Promise<number> | null {
    this.#error = undefined
    try {
      const given = action.perform(this.#ref)
      if (typeof given !== 'number') return given
      this.#end(action, given)
    } catch (reason) {
      this.#error = reason
    }
    return null
  }

  /** Counts a success, if it was in time. */
  #end(action: Action, answer: number): void {
    const { recorder } = this.#lane
    const { opTimeoutMs } = this.#work
    const from = this.#from
    const last = monotonic.now()
    this.#last = last
    this.#answer = answer
    if (last - this.#begun > opTimeoutMs) throw timedOut(last - this.#begun, opTimeoutMs)
    const bytes = action.movesBytes(answer)
    if (from >= this.#measuredFrom) recorder.success(action.op, bytes, (last - from) * 1e6)
    else recorder.warm(action.op, bytes, (last - from) * 1e6)
    if (action.isDelete) recorder.add(HEAD.DELETED, 1)
  }

  #fail({ op, name, isGet, store }: Action): void {
    this.#last = monotonic.now()
    this.#answer = 0
    const measured = this.#from >= this.#measuredFrom
    const failed = { op, name, bytes: isGet ? this.#ref.size : 0, measured }
    recordFailure(this.#lane, failed, this.#error, store, this.#ref)
  }

  #log(rows: OpRows, { name, store }: Action): void {
    rows.add({
      lane: this.#lane.seat.index,
      op: name,
      store,
      ref: this.#ref,
      from: this.#from,
      to: this.#last,
      answer: this.#answer,
      error: this.#error,
      warm: this.#from < this.#measuredFrom,
    })
    // Making the line is no part of what a ranged read takes next.
    this.#last = monotonic.now()
  }

  /** After an error: ends the stage, or returns what there is to wait for. */
  #heed(limits: ErrorLimits, { name, store }: Action): Promise<number> | null {
    const pauseMs = limits.count(this.#last)
    if (pauseMs !== 'stop') return pauseMs === 0 ? null : this.#pause(Math.min(this.#last + pauseMs, this.#deadline))
    const message = describeOpError(name, store.describe(this.#ref), this.#error)
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
