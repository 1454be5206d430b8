/** What an agent reported of a stage, as it is kept beside its figures: everything else can be made from it again. */

import { z } from 'zod'

export interface AgentReport {
  readonly agent: string
  readonly sequence: number
  /** It came after the barrier had been released. */
  readonly late: boolean
  /** Text of `encodeReport`. */
  readonly payload: string
}

export const agentReportSchema = z
  .strictObject({
    agent: z.string().max(256),
    sequence: z.number().int().min(1),
    late: z.boolean(),
    report: z.unknown(),
  })
  .transform(({ report, ...rest }): AgentReport => ({ ...rest, payload: JSON.stringify(report) }))

export function agentReportText({ payload, ...rest }: AgentReport): string {
  return `${JSON.stringify({ ...rest, report: JSON.parse(payload) })}\n`
}
