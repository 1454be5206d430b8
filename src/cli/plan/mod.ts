/** Plans: YAML text -> checked, ordered stages. */

export { describePlan, type PlanDescription, renderPlanDescription } from './describe.ts'
export { PlanError, type PlanErrorCode, type PlanProblem } from './errors.ts'
export { parsePlan, toPlanSpec } from './parse.ts'
export { readPlanFile } from './read.ts'
export { planSchema } from './schema.ts'
export type * from './types.ts'
export { agentsNotice } from './wanted.ts'
