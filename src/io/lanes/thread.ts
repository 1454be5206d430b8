/** Entry of a lane thread. It is started once and does the jobs of one stage after another. */

import module from 'node:module'
import { parentPort } from 'node:worker_threads'
import { now } from '../clock.ts'
import { alignedBuffer, ContentPools } from '../content.ts'
import { codeOf, IO_ERROR_CODES, type IoErrorCode, messageOf } from '../errors.ts'
import { largestPut } from '../lane-plan.ts'
import { CHUNK_BYTES } from '../limits.ts'
import { Random } from '../random.ts'
import { canHoldFolders } from '../stores/folders.ts'
import { filesWithin, LaneStores } from '../stores/mod.ts'
import { practiceFiles } from '../stores/practice.ts'
import type { S3Client } from '../stores/s3/mod.ts'
import { beUrgent, beUsual, takeShortTurns } from '../urgency.ts'
import { boardBytes, CONTROL, HEAD, openBoard, Recorder } from './board.ts'
import { laneSeed } from './choosers.ts'
import { CleanupLane, removeFolders } from './cleanup.ts'
import { ErrorCounter } from './errors.ts'
import { ExecuteLane } from './execute.ts'
import type { FromThread, Job, LaneSeat, ToThread } from './jobs.ts'
import { enter, type LaneContext, type LaneRun, runBlocking, runShared } from './lane.ts'
import { OpRows } from './op-rows.ts'
import { alike, practiceFor } from './practice.ts'
import { PrepareLane } from './prepare.ts'
import { SharedWalks } from './shared-walk.ts'
import type { Timing } from './timing.ts'

if (parentPort === null) throw new Error('This file is the entry of a worker thread')
const port = parentPort
// The first thread leaves its compiled code to those that come after it.
if ('flushCompileCache' in module) module.flushCompileCache()

/** Above this share of its time, a thread has no room left to take answers as they come. */
const UTILIZATION_MAX = 0.95

const PRACTICE_AHEAD_MS = 0.2

/** Lanes on one thread that have content of their own, 3 MiB each, rather than a copy of each object that is put. */
const OWN_POOLS_MAX = 64
/** Up to this size a copy out of common memory, which stays in the caches of the CPU, takes less than sending what is not there. */
const COPIED_BYTES_MAX = 16 * 1024

/** Kept from stage to stage: what is expensive to make. */
const pools = new ContentPools()
const buffer = alignedBuffer(CHUNK_BYTES)

function send(message: FromThread): void {
  port.postMessage(message)
}

port.on('message', (message: ToThread) => {
  if (message.kind === 'ping') send({ kind: 'pong', at: now(), sentAt: message.sentAt })
  if (message.kind === 'job') void runJob(message)
  if (message.kind === 'stop' && running?.job.id === message.id) running.stores.cancel()
})

/** The job whose lanes share this thread's event loop; one that blocks it hears of a stop by `control` alone. */
let running: JobState | null = null

interface Outcome {
  failure: { code: IoErrorCode; message: string } | null
  readonly warnings: Set<string>
  readonly limits: string[]
}

async function runJob(job: Job): Promise<void> {
  const receivedAt = now()
  const s3 = await openS3(job)
  const thread = openJob(job, new LaneStores(filesWithin(job.containment), buffer, job.handles, s3))
  const { control, outcome } = thread
  running = thread
  try {
    practise(job)
    const lanes = job.seats.map((seat) => createLane(thread, seat))
    send({ kind: 'ready', id: job.id, at: now(), receivedAt })
    Atomics.wait(control, CONTROL.GO, 0)
    if (Atomics.load(control, CONTROL.GO) === 1) await runLanes(thread, lanes)
  } catch (error) {
    stopAll(control)
    outcome.failure ??= { code: failureCode(error), message: messageOf(error) }
  } finally {
    running = null
    thread.stores.close()
    thread.rows?.flush()
  }
  const errors = thread.errors.flatMap((counter) => counter.totals())
  const { warnings, limits, failure } = outcome
  send({ kind: 'done', id: job.id, errors, warnings: [...warnings], limits, failure })
}

function openJob(job: Job, stores: LaneStores): JobState {
  const timing: Timing = { startAt: 0, toEngineClock: 0 }
  const sendRows = (text: string): void => send({ kind: 'rows', id: job.id, text })
  return {
    job,
    control: new Int32Array(job.control),
    outcome: { failure: null, warnings: new Set(), limits: [] },
    stores,
    errors: [],
    walks: new SharedWalks(),
    timing,
    rows: job.opLog === null ? null : new OpRows(job, job.opLog, timing, sendRows),
  }
}

/** Where that is not possible, the lane's first operations are slower. */
function practise(job: Job): void {
  const [seat] = job.seats
  if (seat === undefined || job.isAsync || !canHoldFolders()) return
  const turns: LaneStores[] = []
  for (const practice of practiceFor(job)) {
    if (turns.length === 0)
      turns.push(...practiceFiles().map((files) => new LaneStores(files, buffer, job.handles, null)))
    const stores = turns.shift()
    if (stores === undefined) return
    turns.push(stores)
    const state = openJob(practice, stores)
    // So that the code that waits for an intended start runs too.
    state.timing.startAt = performance.now() + PRACTICE_AHEAD_MS
    runBlocking(createLane(state, alike(seat, { board: new SharedArrayBuffer(boardBytes(job.slots)) })).run)
  }
  for (const stores of turns) stores.close()
}

/** Loaded when it is needed: most lanes never do. */
async function openS3(job: Job): Promise<S3Client | null> {
  const { s3, seats, slots, work } = job
  const [first] = seats
  if (s3 === null || first === undefined) return null
  const recorder = new Recorder(openBoard(first.board, slots), slots)
  const { S3Client } = await import('../stores/s3/mod.ts')
  return new S3Client({
    settings: s3,
    timeoutMs: 'opTimeoutMs' in work ? work.opTimeoutMs : null,
    onRepeat: (isThrottle) => {
      recorder.add(HEAD.REPEATED, 1)
      if (isThrottle) recorder.add(HEAD.THROTTLED, 1)
    },
  })
}

/** What the lanes of one job on this thread share. */
interface JobState {
  readonly job: Job
  readonly control: Int32Array
  readonly outcome: Outcome
  readonly stores: LaneStores
  readonly errors: ErrorCounter[]
  readonly walks: SharedWalks
  readonly timing: Timing
  readonly rows: OpRows | null
}

interface Seated {
  readonly context: LaneContext
  /** Entered, up to the start. */
  readonly run: LaneRun
}

async function runLanes(thread: JobState, lanes: readonly Seated[]): Promise<void> {
  const { job, control, timing } = thread
  const clock = new Float64Array(job.clock)
  timing.toEngineClock = performance.timeOrigin + (clock[1 + (job.seats[0]?.index ?? 0)] ?? 0)
  timing.startAt = (clock[0] ?? 0) - timing.toEngineClock
  const [first] = lanes
  if (first === undefined) return
  beUrgent()
  try {
    waitFor(timing.startAt, control)
    takeShortTurns()
    if (Atomics.load(control, CONTROL.STOP) !== 0) return
    if (job.isAsync) await runTogether(thread, lanes)
    else runBlocking(first.run)
  } finally {
    beUsual()
  }
  if (job.work.type === 'cleanup') removeLast(first.context, lanes.length)
}

async function runTogether({ outcome }: JobState, lanes: readonly Seated[]): Promise<void> {
  const before = performance.eventLoopUtilization()
  const under = lanes.map(({ run }) => runShared(run))
  beUsual()
  await Promise.all(under)
  // Deno has no such figure, and says 0.
  const { utilization } = performance.eventLoopUtilization(before)
  if (utilization > UTILIZATION_MAX) {
    const percent = Math.round(utilization * 100)
    outcome.limits.push(
      `The engine was the limit: a thread of its lanes was busy for ${percent} % of the time, which latencies include`,
    )
  }
}

/** The last thread to end removes folders: until then others may still delete in them. */
function removeLast(context: LaneContext, lanes: number): void {
  if (Atomics.add(context.control, CONTROL.TAKEN, lanes) + lanes === context.job.lanes) removeFolders(context)
}

function createLane(thread: JobState, seat: LaneSeat): Seated {
  const { job, control, outcome, stores } = thread
  const { work, context, slots } = job
  const board = openBoard(seat.board, slots)
  const counter = new ErrorCounter((error) => send({ kind: 'error', id: job.id, lane: seat.index, error }))
  thread.errors.push(counter)
  const lane: LaneContext = {
    job,
    seat,
    board,
    recorder: new Recorder(board, slots),
    control,
    cursors: new Int32Array(job.cursors),
    errors: counter,
    random: new Random(laneSeed(context.seed, context.sequence, context.agentIndex, seat.index)),
    pools: job.isAsync ? poolsOfOne(job) : pools,
    walks: thread.walks,
    rows: thread.rows,
    blocks: !job.isAsync,
    timing: thread.timing,
    openStore: (base) => stores.open(base),
    alternativesTo: (store) => stores.alternativesTo(store),
    warn: (message) => outcome.warnings.add(message),
    fail: (code, message, stop) => {
      outcome.failure ??= { code, message }
      if (stop) stopAll(control)
    },
  }
  if (work.type === 'prepare') return { context: lane, run: enter(new PrepareLane(lane, work)) }
  if (work.type === 'cleanup') return { context: lane, run: enter(new CleanupLane(lane, work)) }
  return { context: lane, run: enter(new ExecuteLane(lane, work)) }
}

/** Lanes of one thread have contents under way at the same time: each has its own memory, where that is worth it. */
function poolsOfOne({ seats, work }: Job): ContentPools {
  return new ContentPools({ pools, isCopied: seats.length <= OWN_POOLS_MAX && largestPut(work) > COPIED_BYTES_MAX })
}

/** Blocks the thread until the common start; a stop ends it early. */
function waitFor(startAt: number, control: Int32Array): void {
  for (let left = startAt - performance.now(); left > 0; left = startAt - performance.now()) {
    if (Atomics.wait(control, CONTROL.STOP, 0, left) === 'not-equal') return
  }
}

function stopAll(control: Int32Array): void {
  Atomics.store(control, CONTROL.STOP, 1)
  Atomics.notify(control, CONTROL.STOP)
}

function failureCode(error: unknown): IoErrorCode {
  const code = codeOf(error)
  return isIoErrorCode(code) ? code : 'FAILED'
}

function isIoErrorCode(code: string): code is IoErrorCode {
  return Object.hasOwn(IO_ERROR_CODES, code)
}
