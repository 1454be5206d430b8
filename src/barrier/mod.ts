/**
 * The barrier core: peers agree when each stage's barrier is released, whoever dies.
 *
 * It promises to be deterministic: no network, clock, randomness, file or promise in this folder.
 *
 * @example One peer alone goes through a plan.
 * ```ts
 * const core = new BarrierCore({ self: { peer: 'p1', name: 'a', incarnation: '1' }, now: 0, dice: 0.5 })
 * const outputs = core.step({ type: 'tick' }, core.nextWakeAt() ?? 0, 0.5)
 * ```
 */

export { InvariantError } from './assert.ts'
export { compareBallots, sameBallot, showBallot } from './ballot.ts'
export { BarrierCore } from './core.ts'
export type * from './decisions.ts'
export type * from './interface.ts'
export { limits as barrierLimits } from './limits.ts'
export type * from './messages.ts'
export type * from './plans.ts'
export { judge, majorityOf, policyOf, type Standing, type Verdict } from './policy.ts'
export { showDecision, showInput, showMessage, showOutput } from './trace.ts'
