/**
 * What one plan needs on this agent: the plan as read, its engine, the stage that is armed next. It is brought up when the
 * plan's start is proposed, and touches no storage and writes no file before the plan begins.
 */

import type { Member, StartDecision } from '../barrier/mod.ts'
import { type ArmedStage, type Containment, createEngine, type Engine } from '../io/mod.ts'
import { type Plan, parsePlan } from './plan/mod.ts'
import { withTimeLimit } from './time-limit.ts'

export interface RigOptions {
  readonly self: Pick<Member, 'peer' | 'name'>
  readonly runId: string
  readonly containment: Containment
  /** For S3 targets that name no host; null: as the environment says. */
  readonly endpoint: string | null
  readonly start: StartDecision
}

export class Rig {
  readonly start: StartDecision
  /** Name on the roster: where two peers have the same name, one of them was given another. */
  readonly agent: string
  readonly #options: RigOptions
  readonly #opLog = Promise.withResolvers<string | null>()
  readonly #prepared: Promise<{ plan: Plan; engine: Engine }>
  /** The stage that is armed next; armed again when its members turn out to be others. */
  #armed: { readonly sequence: number; readonly members: string; readonly stage: Promise<ArmedStage> } | null = null

  constructor(options: RigOptions) {
    const { self, start } = options
    this.#options = options
    this.start = start
    this.agent = start.members.find(({ peer }) => peer === self.peer)?.name ?? self.name
    this.#prepared = this.#prepare()
    this.arm(1, start.members)
  }

  async #prepare(): Promise<{ plan: Plan; engine: Engine }> {
    const plan = parsePlan(this.start.spec.yaml, 'the plan')
    const works = plan.stages.map((stage) => stage.workFor(this.agent))
    const { containment, endpoint } = this.#options
    const opLog = plan.opLog === null ? null : this.#opLog.promise
    return { plan, engine: createEngine(containment, { endpoint, works, opLog }) }
  }

  /** Resolves when the first stage only waits for its start, or cannot be armed: `arm` tells its run why. */
  async ready(): Promise<void> {
    await Promise.allSettled([this.arm(1, this.start.members)])
  }

  /**
   * The plan begins, and has files: `file` is asked where the one with this name is, should operations be logged. Null:
   * nowhere.
   */
  async logOperations(file: (name: string) => Promise<string | null>): Promise<void> {
    const name = await this.#prepared.then(({ plan }) => plan.opLog).catch(() => null)
    this.#opLog.resolve(name === null ? null : await file(name))
  }

  /** Brings lanes up for a stage ahead of its start. What goes wrong here is reported when the stage is run. */
  arm(sequence: number, members: readonly Member[]): Promise<ArmedStage> {
    const names = members.map((member) => member.name)
    const key = names.join('\n')
    if (this.#armed?.sequence === sequence && this.#armed.members === key) return this.#armed.stage
    const stage = this.#prepared.then(async ({ plan, engine }) => {
      const { self, runId, start } = this.#options
      const agentIndex = members.findIndex((member) => member.peer === self.peer)
      const { agent } = this
      const planned = plan.stages[sequence - 1]
      if (planned === undefined) throw new Error(`The plan has no stage ${sequence}`)
      const armed = await engine.arm(planned.workFor(agent), {
        run: runId,
        plan: start.plan.number,
        stage: planned.name,
        sequence,
        agent,
        agentIndex,
        agents: names,
        // From the plan alone, so that every agent draws the same objects and contents.
        seed: Number.parseInt(plan.hash.slice(0, 8), 16),
      })
      return withTimeLimit(armed, planned.timeoutMs)
    })
    stage.catch(() => {})
    this.#armed = { sequence, members: key, stage }
    return stage
  }

  /** Lets go of everything. Throws where the engine does not close as it should. */
  async close(): Promise<void> {
    this.#opLog.resolve(null)
    // A plan that could not be prepared has failed in its first stage, and said why.
    const prepared = await this.#prepared.catch(() => null)
    await prepared?.engine.close()
  }
}
