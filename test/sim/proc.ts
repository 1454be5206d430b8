/** What the simulated world is made of: peers, those that watch them, and how it is set up. */

import type { BarrierCore, Input, Member, Output, PeerId, PlanRef, ReadyStatus } from '../../src/barrier/mod.ts'
import type { Clock } from './clock.ts'
import type { Prng } from './prng.ts'

/** One running peer. A restarted host runs another one. */
export interface Proc {
  readonly host: string
  readonly member: Member
  readonly core: BarrierCore
  readonly clock: Clock
  state: 'up' | 'paused' | 'gone'
  /** Why it is gone: killed; the host lost power, so nobody is told; left in order. */
  ending: 'kill' | 'power' | 'left' | null
  /** Whom it believes to be connected to. */
  readonly links: Map<PeerId, Proc>
  /** What waits for it to go on after a pause. */
  readonly backlog: (() => void)[]
  timerAt: number | null
  timerNumber: number
  stage: { readonly plan: PlanRef; readonly sequence: number } | null
  steps: number
}

/** Sees all that happens. */
export interface Watcher {
  booted(proc: Proc): void
  fed(proc: Proc, input: Input): void
  carried(proc: Proc, output: Output): void
}

export interface StageRun {
  readonly durationMs: number
  readonly status: ReadyStatus
  /** Of its results; few where it is not said. */
  readonly chars?: number
}

export interface ClusterOptions {
  readonly prng: Prng
  readonly hosts: readonly string[]
  readonly stage: (proc: Proc, plan: PlanRef, sequence: number) => StageRun
  /** How long a peer takes to get ready for a plan, ms, should it ever be; at once where it is not said. */
  readonly armMs?: (proc: Proc) => number
  readonly trace: ((line: string) => void) | null
  /** Own clocks: offset up to this many ms, rate within 1 +- drift. */
  readonly clockOffsetMs: number
  readonly clockDrift: number
  /** Every message is turned to text and back, as on a wire. */
  readonly copyMessages: boolean
  /** Two peers that can reach each other find each other within this, ms; 50 where it is not said. */
  readonly meetMs?: number
  /** What a host can send, and receive, in a millisecond; without bounds where it is not said. */
  readonly charsPerMs?: number
}
