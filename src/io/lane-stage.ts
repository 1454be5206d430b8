/** One prepare, workload or cleanup: hands it to lanes, starts them together, watches them, collects their figures. */

import { beginAt } from './begin.ts'
import { now } from './clock.ts'
import { checkAllowed, narrowed, resolveUri } from './containment.ts'
import { alignedBuffer } from './content.ts'
import { measureCpu } from './cpu.ts'
import { IoError } from './errors.ts'
import { asyncThreads, handlesPerLane, isAsync, isWorkload, laneGroups, slotsFor, urisOf } from './lane-plan.ts'
import { LaneWatch } from './lane-watch.ts'
import { boardBytes, CONTROL } from './lanes/board.ts'
import type { LaneSeat, LaneWork, Listing } from './lanes/jobs.ts'
import type { LanePool } from './lanes/pool.ts'
import { Launched, type LaunchedJob } from './launched.ts'
import { CHUNK_BYTES, LANES_MAX } from './limits.ts'
import { listObjects } from './listing.ts'
import type { OpLog } from './op-log.ts'
import { hashNumbers, Random } from './random.ts'
import { failResult, plainResult } from './result.ts'
import { openS3, readSettings } from './s3.ts'
import { failEmpty, planSources, type SourcePlan } from './sources.ts'
import { filesWithin, LaneStores } from './stores/mod.ts'
import type { S3Settings } from './stores/s3/settings.ts'
import type { Containment, RunOptions, StageContext, StageResult } from './types.ts'
import { cpuLimits } from './warnings.ts'

/** What earlier stages of the plan did to objects, on this agent. */
export interface PlanMemory {
  /** Objects that deletes consumed, by the collections' ids. */
  readonly consumed: Map<string, number>
  /** Collections that puts may have replaced. */
  readonly overwritten: Set<string>
  /** Where each folder of the plan was when a stage first used it. */
  readonly places: Map<string, string>
}

let nextJob = 1

export class LaneStage {
  readonly #work: LaneWork
  readonly #context: StageContext
  #containment: Containment
  readonly #pool: LanePool
  readonly #memory: PlanMemory
  readonly #endpoint: string | null
  readonly #opLog: OpLog | null
  #s3: S3Settings | null = null
  readonly #warnings: string[] = []
  #plan: SourcePlan | null = null
  #launched: Launched | null = null
  #refused: unknown = null

  constructor(options: {
    readonly work: LaneWork
    readonly context: StageContext
    readonly containment: Containment
    readonly pool: LanePool
    readonly memory: PlanMemory
    /** For S3 targets that name no host; null: as the environment says. */
    readonly endpoint: string | null
    readonly opLog: OpLog | null
  }) {
    this.#work = options.work
    this.#context = options.context
    this.#containment = options.containment
    this.#pool = options.pool
    this.#memory = options.memory
    this.#endpoint = options.endpoint
    this.#opLog = options.opLog
  }

  /** Brings lanes up. What is wrong with the work is said by `run`. */
  async arm(): Promise<void> {
    try {
      this.#judge()
      if (isAsync(this.#work)) this.#s3 = await readSettings(this.#endpoint)
      const work = this.#work
      if (isWorkload(work)) {
        if (work.ops.length === 0) throw new IoError('BAD_WORK', 'This stage has no operations to do')
        this.#plan = planSources(work, this.#context, this.#memory.overwritten)
      }
      if (this.#plan === null || this.#plan.toList.length === 0) this.#launched = await this.#launch([])
      else await this.#pool.take(1, isAsync(work))
    } catch (error) {
      this.#refused = error
    }
  }

  #judge(): void {
    const uris = urisOf(this.#work)
    for (const uri of uris) {
      checkAllowed(uri, this.#containment)
      if (!this.#memory.places.has(uri)) this.#memory.places.set(uri, resolveUri(uri))
    }
    if (this.#work.type !== 'cleanup') return
    const own = uris.flatMap((uri) => this.#memory.places.get(uri) ?? [])
    this.#containment = narrowed(this.#containment, own)
    for (const uri of uris) checkAllowed(uri, this.#containment)
  }

  /** Lets lanes go that were armed and will not be needed. */
  async disarm(): Promise<void> {
    await this.#launched?.cancel()
  }

  async run(options: RunOptions): Promise<StageResult> {
    const cpu = measureCpu()
    let result = plainResult({ startedAt: Math.max(now(), options.startAt), endedAt: now() })
    try {
      if (this.#refused !== null) throw this.#refused
      options.signal.throwIfAborted()
      const { launched, startAt, announced } = await this.#ready(options)
      const watch = new LaneWatch({ work: this.#work, context: this.#context, launched, warnings: this.#warnings })
      result = await watch.run(announced ? { ...options, startAt, onStarted: () => {} } : { ...options, startAt })
      this.#remember(launched.job)
    } catch (error) {
      await this.disarm()
      const cancelled = options.signal.aborted
      result = { ...result, endedAt: Math.max(now(), result.startedAt) }
      result = failResult(
        result,
        cancelled ? new IoError('CANCELLED', 'The stage was cancelled before it started') : error,
      )
    }
    result = { ...result, cpu: cpu() }
    const unlogged = (await this.#opLog?.flush()) ?? null
    const warnings = unlogged === null ? result.warnings : [...result.warnings, unlogged]
    return { ...result, warnings, limits: [...result.limits, ...cpuLimits(result)] }
  }

  /** Lists what must be listed; then lanes start after it rather than at the common moment. */
  async #ready(options: RunOptions): Promise<{ launched: Launched; startAt: number; announced: boolean }> {
    if (this.#launched !== null) return { launched: this.#launched, startAt: options.startAt, announced: false }
    options.onStarted?.(await beginAt(options.startAt, options.signal))
    const listings = await this.#list(options.signal)
    this.#launched = await this.#launch(listings)
    return { launched: this.#launched, startAt: now(), announced: true }
  }

  async #list(signal: AbortSignal): Promise<Listing[]> {
    const { toList = [], sources = [] } = this.#plan ?? {}
    const work = this.#work
    const random = new Random(hashNumbers(this.#context.seed, this.#context.sequence))
    const s3 = this.#s3 === null ? null : await openS3(this.#s3, null)
    const stores = new LaneStores(filesWithin(this.#containment), alignedBuffer(CHUNK_BYTES), 8, s3)
    const onAbort = (): void => stores.cancel()
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      const listings: Listing[] = []
      for (const [index, uris] of toList.entries()) {
        const { listing, found } = await listObjects(uris, (base) => stores.open(base), random, signal)
        const position = sources.findIndex((source) => source.kind === 'listing' && source.listing === index)
        const op = isWorkload(work) ? work.ops[position] : undefined
        const fed = op?.op === 'delete' && isWorkload(work) && work.ops.some((other) => other.op === 'put')
        if (op !== undefined && listing.count === 0 && !fed) failEmpty(op)
        if (found > listing.count) {
          this.#warnings.push(`${uris.join(', ')} has ${found} objects: a random ${listing.count} of them are used`)
        }
        listings.push(listing)
      }
      return listings
    } finally {
      signal.removeEventListener('abort', onAbort)
      stores.close()
    }
  }

  async #launch(listings: readonly Listing[]): Promise<Launched> {
    const groups = laneGroups(this.#work)
    const wanted = groups.length
    const shares = isAsync(this.#work)
    const lanesMax = shares ? wanted : LANES_MAX
    if (wanted > lanesMax) this.#warnings.push(`${wanted} lanes were asked for, ${lanesMax} are used`)
    const lanes = groups.slice(0, lanesMax)
    const slots = slotsFor(this.#work)
    const seats = lanes.map((ops, index): LaneSeat => ({ index, ops, board: new SharedArrayBuffer(boardBytes(slots)) }))
    const threads = await this.#pool.take(shares ? asyncThreads(lanes.length) : lanes.length, shares)
    const shared = {
      kind: 'job',
      id: nextJob++,
      work: this.#work,
      context: this.#context,
      containment: this.#containment,
      lanes: lanes.length,
      threads: threads.length,
      slots,
      isAsync: shares,
      s3: this.#s3,
      control: new SharedArrayBuffer(4 * CONTROL.LENGTH),
      clock: new SharedArrayBuffer(8 * (1 + lanes.length)),
      cursors: new SharedArrayBuffer(4 * Math.max(1, isWorkload(this.#work) ? this.#work.ops.length : 1)),
      sources: this.#plan?.sources ?? [],
      listings,
      consumed: Object.fromEntries(this.#memory.consumed),
      handles: handlesPerLane(lanes.length),
    } as const
    const launched = new Launched(shared, seats, threads, this.#opLog)
    await launched.ready()
    return launched
  }

  /** What later stages must know. */
  #remember(job: LaunchedJob): void {
    const { consumed, overwritten } = this.#memory
    if (!isWorkload(this.#work)) {
      // Objects are all there again, or all gone: either way nothing is half consumed.
      consumed.clear()
      if (this.#work.type === 'prepare' && this.#work.forceOverwrite) overwritten.clear()
      return
    }
    const collections = this.#plan?.collections ?? []
    const cursors = new Int32Array(job.cursors)
    for (const [position, source] of job.sources.entries()) {
      if (source.kind !== 'collections') continue
      const ids = source.parts.map(({ collection }) => collections[collection]?.id ?? '')
      const op = this.#work.ops[position]?.op
      if (op === 'put') for (const id of ids) overwritten.add(id)
      if (op !== 'delete') continue
      const key = ids.join('\n')
      consumed.set(key, (consumed.get(key) ?? 0) + (cursors[position] ?? 0))
    }
  }
}
