/** A plan that is nothing but barriers, gone through by peers in this process. */

import type { PlanSpec } from '../../src/barrier/mod.ts'
import type { TestPeer } from './helpers.ts'

const barrier = {
  policy: 'all_or_nothing',
  heartbeatIntervalMs: 200,
  missedThreshold: 10,
  queryTimeoutMs: 1000,
  queryRetries: 2,
  barrierTimeoutMs: 30_000,
  stragglerGraceMs: 10_000,
} as const

export function barrierPlan(names: readonly string[], stages: number, submission = 'submission-1'): PlanSpec {
  return {
    submission,
    hash: submission,
    yaml: '',
    stages: Array.from({ length: stages }, (_, at) => {
      return { barrierName: `stage-${at + 1}-round`, name: 'round', optional: false, barrier }
    }),
    wanted: { kind: 'names', names },
    agentReadyTimeoutMs: 20_000,
  }
}

/** Makes each peer ready as soon as its stage may start, or once it is let go. */
export class Walk {
  readonly #peers: readonly TestPeer[]
  readonly #waiting: (() => void)[] = []
  /** The last stage that peers finish by themselves. */
  #until: number

  constructor(peers: readonly TestPeer[], until = Number.POSITIVE_INFINITY) {
    this.#peers = peers
    this.#until = until
    for (const { mesh } of peers) {
      mesh.onEvent((event) => {
        if (event.type !== 'run_stage') return
        const ready = () => mesh.ready(event.plan, event.sequence, 'ok', 'payload')
        if (event.sequence <= this.#until) ready()
        else this.#waiting.push(ready)
      })
    }
  }

  goOn(until = Number.POSITIVE_INFINITY): void {
    this.#until = until
    for (const ready of this.#waiting.splice(0)) ready()
  }

  /** Every peer has gone through the plan with all the others. */
  async completed(): Promise<void> {
    for (const peer of this.#peers) {
      await peer.until('its plan has ended', () => peer.of('plan_finished').length > 0, 30_000)
      const [end] = peer.of('plan_finished')
      if (end?.status !== 'completed') throw new Error(`${peer.name}: ${end?.status} ${end?.reason}`)
      const faults = peer.of('fault')
      if (faults.length > 0) throw new Error(`${peer.name}: ${faults[0]?.error.message}`)
    }
  }

  /** Every peer is in this stage. */
  async reached(sequence: number): Promise<void> {
    for (const peer of this.#peers) {
      await peer.until(`it is in stage ${sequence}`, () =>
        peer.of('run_stage').some((one) => one.sequence === sequence),
      )
    }
  }
}
