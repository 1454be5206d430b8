/** What peers do besides talking: they get ready for a plan, run its stages, and have results. */

import type { Output, PlanRef } from '../../src/barrier/mod.ts'
import type { Cluster } from './cluster.ts'
import type { ClusterOptions, Proc } from './proc.ts'

export class Stages {
  readonly #world: Cluster
  readonly #options: Pick<ClusterOptions, 'armMs' | 'stage'>

  constructor(world: Cluster, options: Pick<ClusterOptions, 'armMs' | 'stage'>) {
    this.#world = world
    this.#options = options
  }

  getReady(proc: Proc, plan: PlanRef): void {
    const armMs = this.#options.armMs?.(proc) ?? 0
    if (Number.isFinite(armMs)) this.#world.after(armMs, () => this.#world.arrive(proc, { type: 'armed', plan }))
  }

  run(proc: Proc, output: Extract<Output, { type: 'run_stage' }>): void {
    const { plan, sequence } = output
    const stage = { plan, sequence }
    proc.stage = stage
    const { durationMs, status, chars = 0 } = this.#options.stage(proc, plan, sequence)
    const startAt = Math.max(this.#world.now, proc.clock.when(output.startAt))
    this.#world.at(startAt + durationMs, () => {
      const finish = () => {
        if (proc.stage !== stage) return
        proc.stage = null
        const payload = payloadOf(proc, plan, sequence).padEnd(chars, '.')
        this.#world.feed(proc, { type: 'ready', plan, sequence, status, payload })
      }
      if (proc.state === 'paused') proc.backlog.push(finish)
      else finish()
    })
  }
}

/** What a peer's results of a stage are: nobody else's look the same. */
function payloadOf(proc: Proc, plan: PlanRef, sequence: number): string {
  return `${proc.member.peer}/${proc.member.incarnation}/${plan.uid}/${sequence}`
}
