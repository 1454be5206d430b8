/** The engine: one a plan. It arms one stage at a time; lanes are kept from stage to stage. */

import { now } from './clock.ts'
import { runCustom } from './custom.ts'
import { IoError } from './errors.ts'
import { ownThreads } from './lane-plan.ts'
import { LaneStage, type PlanMemory } from './lane-stage.ts'
import { LanePool } from './lanes/pool.ts'
import { OpLog } from './op-log.ts'
import { failResult, plainResult } from './result.ts'
import type { ArmedStage, Containment, Engine, RunOptions, StageContext, StageResult, StageWork } from './types.ts'
import { runValidation } from './validation.ts'

export interface EngineOptions {
  /** What the plan will do: lanes come up with the engine, as many as the most demanding stage needs, before any is armed. */
  readonly works?: readonly StageWork[]
  /** Where `s3:` targets are that name no host; left out: as the environment and `~/.aws` say. */
  readonly endpoint?: string | null
  /** A new file, which may be named later: every operation is logged in it (TSV, zstd). Left out: none is logged. */
  readonly opLog?: string | Promise<string | null> | null
}

/** `containment` binds every stage of this engine. Close it, or its threads keep the process alive. */
export function createEngine(containment: Containment, options: EngineOptions = {}): Engine {
  return new PlanEngine(containment, options)
}

class PlanEngine implements Engine {
  readonly #containment: Containment
  readonly #endpoint: string | null
  readonly #opLog: OpLog | null
  readonly #pool = new LanePool()
  readonly #memory: PlanMemory = { consumed: new Map(), overwritten: new Set(), places: new Map() }
  #armed: LaneStage | null = null
  /** Settles when lanes are up and the last stage asked for is armed: two at a time would fight for the same lanes. */
  #turn: Promise<unknown> = Promise.resolve()
  #closed = false

  constructor(containment: Containment, options: EngineOptions) {
    this.#containment = containment
    this.#endpoint = options.endpoint ?? null
    this.#opLog = options.opLog == null ? null : new OpLog(options.opLog)
    const threads = Math.max(0, ...(options.works ?? []).map(ownThreads))
    // A thread that does not start is said by the stage that needs it.
    if (threads > 0) this.#turn = this.#pool.take(threads, false).catch(() => {})
  }

  arm(work: StageWork, context: StageContext): Promise<ArmedStage> {
    const armed = this.#turn.then(() => this.#arm(work, context))
    this.#turn = armed.catch(() => {})
    return armed
  }

  async #arm(work: StageWork, context: StageContext): Promise<ArmedStage> {
    if (this.#closed) throw new IoError('CLOSED', 'The engine was closed')
    await this.#disarm()
    const invalid = context.agentIndex < 0 || context.agentIndex >= context.agents.length
    if (invalid) return refusing(new IoError('BAD_WORK', `${context.agent} is not one of the agents of this stage`))
    if (work.type === 'validation') {
      const place = { containment: this.#containment, endpoint: this.#endpoint }
      return { run: (options) => runValidation(work, context, place, options) }
    }
    if (work.type === 'custom') return { run: (options) => runCustom(work, context, this.#containment, options) }
    const stage = new LaneStage({
      work,
      context,
      containment: this.#containment,
      pool: this.#pool,
      memory: this.#memory,
      endpoint: this.#endpoint,
      opLog: this.#opLog,
    })
    this.#armed = stage
    await stage.arm()
    return { run: (options) => this.#run(stage, options) }
  }

  async #run(stage: LaneStage, options: RunOptions): Promise<StageResult> {
    if (this.#armed !== stage) return failed(new IoError('BAD_WORK', 'Another stage was armed meanwhile'))
    this.#armed = null
    return await stage.run(options)
  }

  /** A stage that was armed and not run: the members changed, or the plan is over. */
  async #disarm(): Promise<void> {
    const stage = this.#armed
    this.#armed = null
    await stage?.disarm()
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#disarm()
    await this.#pool.close()
    // Without lanes, what is being armed comes to its end.
    await this.#turn
    const unlogged = (await this.#opLog?.close()) ?? null
    if (unlogged !== null) throw new IoError('FAILED', unlogged)
  }
}

function refusing(error: IoError): ArmedStage {
  return { run: () => Promise.resolve(failed(error)) }
}

function failed(error: IoError): StageResult {
  const at = now()
  return failResult(plainResult({ startedAt: at, endedAt: at }), error)
}
