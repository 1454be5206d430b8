/** What a plan says and Paceline will not do, told before it starts. */

import { agentsNotice, type Plan } from './plan/mod.ts'

/** `agents`: of the command line. */
export function tellNotices(plan: Plan, agents: number | null): void {
  const notice = agentsNotice(plan, agents)
  const messages = [...plan.notices.map(({ message }) => message), ...(notice === null ? [] : [notice])]
  for (const message of messages) process.stderr.write(`note: ${message}\n`)
}
