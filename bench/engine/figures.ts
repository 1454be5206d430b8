/** What one measurement gives, and how several are put together. Pure. */

import { z } from 'zod'

export interface Timing {
  readonly seconds: number
  readonly warmupSeconds: number
}

export const figuresSchema = z.object({
  ops: z.number(),
  bytes: z.number(),
  seconds: z.number(),
  cpuUsPerOp: z.number(),
})

export type Figures = z.infer<typeof figuresSchema>

export function rateOf(figures: Figures, unit: 'ops' | 'bytes'): number {
  return figures[unit] / figures.seconds
}
