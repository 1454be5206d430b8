/**
 * What a peer measured and no decision carried, for the client that writes the results of all: of a stage in which it was
 * stopped, or whose barrier it could not get over.
 */

import type { StageReport } from '../barrier/mod.ts'
import { atMost } from './at-most.ts'

/** Of one plan. */
export interface HandedPlan {
  readonly submission: string
  /** Resolves once the plan is over here. */
  readonly reports: Promise<readonly StageReport[]>
  /** It is over, and these are left. */
  end(reports: readonly StageReport[]): void
  /** A client has them. */
  take(): void
}

interface KeptPlan extends HandedPlan {
  /** Nothing is left to hand in. */
  readonly taken: Promise<void>
}

/** The next plan may begin before the end of the one before was told. */
const PLANS_KEPT = 2

export class HandIn {
  readonly #plans: KeptPlan[] = []

  /** A plan has begun here. */
  begin(submission: string): HandedPlan {
    const reports = Promise.withResolvers<readonly StageReport[]>()
    const taken = Promise.withResolvers<void>()
    const plan: KeptPlan = {
      submission,
      reports: reports.promise,
      taken: taken.promise,
      end: (left) => {
        reports.resolve(left)
        if (left.length === 0) taken.resolve()
      },
      take: () => taken.resolve(),
    }
    this.#plans.push(plan)
    if (this.#plans.length > PLANS_KEPT) this.#plans.shift()
    return plan
  }

  /** Null for a plan that this peer took no part in, or one of long ago. */
  of(submission: string): HandedPlan | null {
    return this.#plans.find((plan) => plan.submission === submission) ?? null
  }

  /** Resolves when nothing of the last plan is left to hand in, or after `timeoutMs`. */
  async drain(timeoutMs: number): Promise<void> {
    const last = this.#plans.at(-1)
    if (last !== undefined) await atMost(timeoutMs, last.taken)
  }
}
