/** Plans for tests, and what is wrong with them. */

import { type Plan, PlanError, parsePlan } from '../../src/cli/plan/mod.ts'

/** The error of a plan that must be refused. */
export function refusal(yaml: string): PlanError {
  try {
    parsePlan(yaml, 'p.yaml')
  } catch (error) {
    if (error instanceof PlanError) return error
    throw error
  }
  throw new Error('the plan was accepted')
}

/** Notices of a plan without the file's name. */
export function notices(plan: Plan): string[] {
  return plan.notices.map(({ message }) => message.replace(/^[^:]*:/, ''))
}
