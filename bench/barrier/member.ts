/** What every kind of member does: go through rounds when told to, note the times, report them to the parent. */

import process from 'node:process'
import { now } from './clock.ts'

export interface Round {
  readonly arrivedAt: number
  readonly releasedAt: number
  readonly startedAt: number
  /** CPU time of the member's process so far. */
  readonly cpuMs: number
}

/** The parent tells how many rounds to go through; the member says that it is up, and what the rounds took. */
export type FromParent = { readonly rounds: number }
export type FromMember = { readonly type: 'up' } | { readonly type: 'rounds'; readonly rows: readonly Round[] }

export type Released = Pick<Round, 'releasedAt' | 'startedAt'>

export const group = process.env.GROUP ?? ''
export const index = Number(process.env.INDEX)
export const members = Number(process.env.MEMBERS)
/** Of all blocks together. */
export const roundsMax = Number(process.env.ROUNDS)

/** Longest random wait before an arrival, ms. */
const WORK_MS = 20

/** The rounds of a member whose barrier is one call; ends with the process. `round` counts through all blocks. */
export function goThrough(arrive: (round: number) => Promise<Released>): void {
  let round = 0
  process.on('message', async ({ rounds }: FromParent) => {
    const rows: Round[] = []
    for (const last = round + rounds; round < last; round += 1) {
      await new Promise((resolve) => setTimeout(resolve, Math.random() * WORK_MS))
      const arrivedAt = now()
      rows.push({ arrivedAt, ...(await arrive(round)), cpuMs: cpuMs() })
    }
    tell({ type: 'rounds', rows })
  })
  // The parent is done, or gone.
  process.once('disconnect', () => process.exit(0))
  tell({ type: 'up' })
}

function tell(message: FromMember): void {
  process.send?.(message)
}

/** CPU time of this process so far. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}
