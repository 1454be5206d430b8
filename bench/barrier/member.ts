/** What every kind of member does: arrive, note the times, report to the parent. */

import type { Round } from './main.ts'

export const group = process.env.GROUP ?? ''
export const index = Number(process.env.INDEX)
export const members = Number(process.env.MEMBERS)
export const rounds = Number(process.env.ROUNDS)

/** Longest random wait before an arrival, ms. */
const WORK_MS = 20

/** The host's monotonic clock, the same for all processes, ms. (`performance.timeOrigin` is off by ms on a busy host.) */
export function now(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

/** CPU time of this process so far, ms. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

export function work(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.random() * WORK_MS))
}

/** Hands the rows to the parent and ends when it has them all. */
export async function report(rows: readonly Round[]): Promise<void> {
  process.send?.(rows)
  await new Promise((resolve) => process.once('message', resolve))
  process.exit(0)
}

/** The loop of a member whose barrier is one call. */
export async function goThrough(arrive: (round: number) => Promise<void>): Promise<void> {
  const rows: Round[] = []
  for (let round = 0; round < rounds; round += 1) {
    await work()
    const arrivedAt = now()
    await arrive(round)
    const releasedAt = now()
    rows.push({ arrivedAt, releasedAt, startedAt: releasedAt, cpuMs: cpuMs() })
  }
  await report(rows)
}
