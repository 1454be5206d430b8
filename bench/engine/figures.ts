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

export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}
