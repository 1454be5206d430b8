/** `paceline validate`: checks a plan and shows what it would do. Touches nothing. */

import { describePlan, readPlanFile, renderPlanDescription } from './plan/mod.ts'

export async function validatePlan(command: {
  readonly plan: string
  readonly agents: number | null
  readonly json: boolean
}): Promise<number> {
  const description = describePlan(await readPlanFile(command.plan), command.agents)
  process.stdout.write(command.json ? `${JSON.stringify(description, null, 2)}\n` : renderPlanDescription(description))
  return 0
}
