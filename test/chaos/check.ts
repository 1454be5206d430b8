/** All rules over what a round left behind. Pure. */

import type { Evidence, Violation } from './evidence.ts'
import { executionsOf } from './parts.ts'
import { agreement } from './rules/agreement.ts'
import { eventsAreRight, healthyLeadersStay, inTime } from './rules/conduct.ts'
import { endings } from './rules/endings.ts'
import { order } from './rules/order.ts'
import { release } from './rules/release.ts'
import { results } from './rules/results.ts'
import { isOverloaded } from './troubles.ts'

export function check(evidence: Evidence): Violation[] {
  const executions = executionsOf(evidence)
  const timing = isOverloaded(evidence)
    ? []
    : [...inTime(evidence, executions), ...healthyLeadersStay(evidence, executions)]
  return [
    ...eventsAreRight(evidence),
    ...agreement(evidence, executions),
    ...order(evidence),
    ...release(evidence, executions),
    ...results(evidence, executions),
    ...endings(evidence, executions),
    ...timing,
  ]
}
