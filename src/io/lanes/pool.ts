/** The threads of an engine: started once, used for one stage after another, replaced when one is lost. */

import module from 'node:module'
import os from 'node:os'
import process from 'node:process'
import { setFlagsFromString } from 'node:v8'
import { Worker } from 'node:worker_threads'
import { now } from '../clock.ts'
import { IoError, messageOf } from '../errors.ts'
import type { FromThread, Job, ToThread } from './jobs.ts'

/** As JavaScript in a package, see scripts/dist.js. */
const ENTRY = new URL(import.meta.url.endsWith('.ts') ? './thread.ts' : './thread.js', import.meta.url)

/**
 * What a lane of its own allocates lives shortly: with little room for it, many lanes stay in the caches of the CPU. On a thread
 * that lanes share, some of it always lives: with little room, collecting garbage takes twice the time.
 */
const OWN_LIMITS = { maxYoungGenerationSizeMb: 8 }

/** Exchanges that bound the difference between a thread's clock and the engine's. */
const PINGS = 4

export interface JobHandlers {
  onError(lane: number, error: Extract<FromThread, { kind: 'error' }>['error']): void
  /** Lines for the log of operations. */
  onRows(text: string): void
}

type Done = Extract<FromThread, { kind: 'done' }>

interface Running {
  readonly job: Job
  readonly handlers: JobHandlers
  readonly ready: PromiseWithResolvers<void>
  readonly done: PromiseWithResolvers<Done>
}

/** One worker thread. Its lanes are those of the job that it was given last. */
export class LaneThread {
  readonly #worker: Worker
  readonly #up = Promise.withResolvers<void>()
  #running: Running | null = null
  #pings = 0
  // The thread's clock minus the engine's: both count the same seconds, so bounds only ever get closer.
  #differenceMin = Number.NEGATIVE_INFINITY
  #differenceMax = Number.POSITIVE_INFINITY
  #lost: IoError | null = null

  /** `isShared`: by many lanes. */
  constructor(isShared: boolean) {
    this.#worker = new Worker(ENTRY, { ...withCompileCache(), resourceLimits: isShared ? {} : OWN_LIMITS })
    this.#up.promise.catch(() => {})
    this.#worker.on('message', (message: FromThread) => this.#receive(message))
    this.#worker.on('error', (error) => this.#lose(`A lane failed: ${messageOf(error)}`, error))
    this.#worker.on('exit', () => this.#lose('A lane ended unexpectedly'))
    this.#ping()
  }

  get isLost(): boolean {
    return this.#lost !== null
  }

  /** Resolves when the thread runs and its clock is known. */
  get up(): Promise<void> {
    return this.#up.promise
  }

  /** Add to this thread's clock to get the engine's, ms. */
  get toEngineClock(): number {
    return -(this.#differenceMin + this.#differenceMax) / 2
  }

  #post(message: ToThread): void {
    this.#worker.postMessage(message)
  }

  #ping(): void {
    this.#post({ kind: 'ping', sentAt: now() })
  }

  #receive(message: FromThread): void {
    if (message.kind === 'pong') {
      this.#bound(message.sentAt, message.at, message.at)
      if (++this.#pings < PINGS) this.#ping()
      else this.#up.resolve()
      return
    }
    const running = this.#running
    if (running === null || message.id !== running.job.id) return
    if (message.kind === 'ready') {
      this.#bound(running.job.sentAt, message.receivedAt, message.at)
      running.ready.resolve()
    } else if (message.kind === 'error') running.handlers.onError(message.lane, message.error)
    else if (message.kind === 'rows') running.handlers.onRows(message.text)
    else {
      this.#running = null
      running.ready.resolve()
      running.done.resolve(message)
    }
  }

  /** A message takes some time in each direction: what it says about the clocks is an inequality. */
  #bound(sentAt: number, receivedThere: number, sentThere: number): void {
    this.#differenceMax = Math.min(this.#differenceMax, receivedThere - sentAt)
    this.#differenceMin = Math.max(this.#differenceMin, sentThere - now())
  }

  #lose(message: string, cause?: unknown): void {
    if (this.#lost !== null) return
    const error = new IoError('LANE_LOST', message, { cause })
    this.#lost = error
    this.#up.reject(error)
    const running = this.#running
    this.#running = null
    running?.ready.resolve()
    running?.done.reject(error)
  }

  /** Hands over a job. `ready` resolves when its lanes wait for the start; `done` rejects when the thread is lost. */
  begin(job: Job, handlers: JobHandlers): { readonly ready: Promise<void>; readonly done: Promise<Done> } {
    const running: Running = {
      job,
      handlers,
      ready: Promise.withResolvers(),
      done: Promise.withResolvers(),
    }
    running.done.promise.catch(() => {})
    if (this.#lost !== null) {
      running.ready.resolve()
      running.done.reject(this.#lost)
    } else {
      this.#running = running
      this.#post(job)
    }
    return { ready: running.ready.promise, done: running.done.promise }
  }

  /** Requests in flight on an asynchronous lane are cut off. */
  stop(id: number): void {
    if (this.#lost === null) this.#post({ kind: 'stop', id })
  }

  /** Does not wait for a thread that hangs in a system call. */
  async close(): Promise<void> {
    this.#lose('The engine was closed')
    await this.#worker.terminate()
  }

  /** Gives the thread up: it is ended as soon as the system lets it. */
  abandon(): void {
    this.#worker.unref()
    void this.close().catch(() => {})
  }
}

/** Threads of Node share compiled code by its cache on disk, which halves the time and the memory that each one takes. */
function withCompileCache(): { env?: NodeJS.ProcessEnv } {
  const directory = 'enableCompileCache' in module ? module.enableCompileCache().directory : undefined
  return directory === undefined ? {} : { env: { ...process.env, NODE_COMPILE_CACHE: directory } }
}

/**
 * Flags of V8 for the threads that are made until the function returned is called. Their memory is not searched for garbage
 * until there is some: otherwise each of them did that once soon after its start, for 15 ms. And where they are as many as the
 * cores, they compile what runs often themselves: V8's own threads, which do it otherwise, are few, and get no CPU among many
 * busy lanes. Node only: Deno's flags are fixed when it starts.
 */
function setLaneFlags(threads: number): () => void {
  const isCrowded = threads >= os.availableParallelism()
  for (const flag of isCrowded ? [...LANE_FLAGS, COMPILE_ALONE] : LANE_FLAGS) setFlagsFromString(flag)
  return () => {
    for (const flag of USUAL_FLAGS) setFlagsFromString(flag)
  }
}

/** A lane has some 10 MiB; a limit of the old space of 32 MiB leaves it in peace. */
const LANE_FLAGS = ['--initial-old-space-size=32']
const COMPILE_ALONE = '--no-concurrent-recompilation'
const USUAL_FLAGS = ['--concurrent-recompilation', '--initial-old-space-size=0']

export class LanePool {
  readonly #threads: LaneThread[] = []
  #closed = false

  /**
   * As many running threads as asked for; `isShared` by many lanes each. Throws IoError LANE_LOST when one does not start,
   * CLOSED after `close`.
   */
  async take(count: number, isShared: boolean): Promise<readonly LaneThread[]> {
    if (this.#closed) throw new IoError('CLOSED', 'The engine was closed')
    for (let i = this.#threads.length - 1; i >= 0; i--) if (this.#threads[i]?.isLost) this.#threads.splice(i, 1)
    const endFlags = setLaneFlags(count)
    try {
      if (this.#threads.length === 0 && count > 1) {
        // The others find what this one has compiled.
        const first = new LaneThread(isShared)
        this.#threads.push(first)
        await first.up
      }
      while (this.#threads.length < count) this.#threads.push(new LaneThread(isShared))
      const taken = this.#threads.slice(0, count)
      await Promise.all(taken.map((thread) => thread.up))
      return taken
    } finally {
      endFlags()
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    await Promise.all(this.#threads.splice(0).map((thread) => thread.close()))
  }
}
