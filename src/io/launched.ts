/** Lanes that were given their job: told to start, to stop, or that there will be no start. */

import { now } from './clock.ts'
import { CONTROL, openBoard } from './lanes/board.ts'
import type { Job, LaneSeat } from './lanes/jobs.ts'
import type { LaneThread } from './lanes/pool.ts'
import type { OpLog } from './op-log.ts'

export type LaunchedJob = Omit<Job, 'seats' | 'sentAt' | 'opLog'>

/** Lanes that were given their job and wait for the start. */
export class Launched {
  readonly job: LaunchedJob
  readonly seats: readonly LaneSeat[]
  readonly threads: readonly LaneThread[]
  readonly control: Int32Array
  readonly done: readonly ReturnType<LaneThread['begin']>['done'][]
  readonly #ready: readonly Promise<void>[]
  onError: (lane: number, error: { key: string; message: string; count: number }) => void = () => {}

  constructor(job: LaunchedJob, seats: readonly LaneSeat[], threads: readonly LaneThread[], opLog: OpLog | null) {
    this.job = job
    this.seats = seats
    this.threads = threads
    this.control = new Int32Array(job.control)
    const begun = threads.map((thread, i) => {
      const own = seats.filter((seat) => seat.index % threads.length === i)
      const link = opLog?.link() ?? null
      return thread.begin(
        { ...job, seats: own, sentAt: now(), opLog: link },
        {
          onError: (lane, error) => this.onError(lane, error),
          onRows: (text) => (link === null ? undefined : opLog?.take(text, link)),
        },
      )
    })
    this.#ready = begun.map(({ ready }) => ready)
    this.done = begun.map(({ done }) => done)
  }

  async ready(): Promise<void> {
    await Promise.all(this.#ready)
  }

  openBoards(): ReturnType<typeof openBoard>[] {
    return this.seats.map(({ board }) => openBoard(board, this.job.slots))
  }

  /** `startAt`: engine's clock, ms. */
  start(startAt: number): void {
    const clock = new Float64Array(this.job.clock)
    clock[0] = startAt
    for (const { index } of this.seats) {
      clock[1 + index] = this.threads[index % this.threads.length]?.toEngineClock ?? 0
    }
    this.#go(1)
  }

  #go(value: number): void {
    Atomics.store(this.control, CONTROL.GO, value)
    Atomics.notify(this.control, CONTROL.GO)
  }

  stop(): void {
    Atomics.store(this.control, CONTROL.STOP, 1)
    Atomics.notify(this.control, CONTROL.STOP)
    for (const thread of this.threads) thread.stop(this.job.id)
  }

  /** Before the start only: lanes end without having done anything. */
  async cancel(): Promise<void> {
    if (Atomics.load(this.control, CONTROL.GO) !== 0) return
    this.#go(2)
    await Promise.allSettled(this.done)
  }
}
