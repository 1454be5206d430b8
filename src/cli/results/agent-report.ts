/** What an agent reported of a stage, as it is kept beside its figures: everything else can be made from it again. */

import { z } from 'zod'

export interface AgentReport {
  readonly agent: string
  readonly sequence: number
  /** It came after the barrier had been released. */
  readonly late: boolean
  /** No decision carried it. */
  readonly undelivered: boolean
  /** Text of `encodeReport`. */
  readonly payload: string
}

export const agentReportSchema = z
  .strictObject({
    agent: z.string().max(256),
    sequence: z.number().int().min(1),
    late: z.boolean(),
    undelivered: z.literal(true).optional(),
    report: z.unknown(),
  })
  .transform(
    ({ report, undelivered = false, ...rest }): AgentReport => ({
      ...rest,
      undelivered,
      payload: JSON.stringify(report),
    }),
  )

export function agentReportText({ payload, undelivered, ...rest }: AgentReport): string {
  return `${JSON.stringify({ ...rest, ...(undelivered ? { undelivered } : {}), report: JSON.parse(payload) })}\n`
}
