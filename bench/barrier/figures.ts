/** From the members' rounds to figures and ratios. Pure. */

import { median, quantile, sum } from '../statistics.ts'
import type { Round } from './member.ts'

/** One block of rounds of one system. Times in ms. */
export interface Block {
  /** A round each: last arrival to last release, and from the first to the last start. */
  readonly release: readonly number[]
  readonly spread: readonly number[]
  /** CPU time a round: of the busiest member, and of all together (servers not counted). */
  readonly cpuBusiest: number
  readonly cpuAll: number
}

/** The first round only wakes everybody up again: it is not counted. */
export function blockOf(rows: readonly (readonly Round[])[]): Block {
  const count = Math.min(...rows.map((row) => row.length))
  const release: number[] = []
  const spread: number[] = []
  for (let round = 1; round < count; round += 1) {
    const column = rows.map((row) => row[round]).filter((cell) => cell !== undefined)
    const starts = column.map(({ startedAt }) => startedAt)
    release.push(Math.max(...column.map((c) => c.releasedAt)) - Math.max(...column.map((c) => c.arrivedAt)))
    spread.push(Math.max(...starts) - Math.min(...starts))
  }
  const cpu = rows.map((row) => ((row[count - 1]?.cpuMs ?? 0) - (row[0]?.cpuMs ?? 0)) / (count - 1))
  return { release, spread, cpuBusiest: Math.max(...cpu), cpuAll: sum(cpu) }
}

export function lineOf(system: string, blocks: readonly Block[]): string {
  const release = blocks.flatMap((block) => block.release)
  const spread = blocks.flatMap((block) => block.spread)
  return (
    `${system.padEnd(9)} release p50 ${ms(median(release))} p99 ${ms(quantile(release, 0.99))}` +
    `   start spread p50 ${ms(median(spread))} p99 ${ms(quantile(spread, 0.99))}` +
    `   CPU busiest ${ms(median(blocks.map((one) => one.cpuBusiest)))} all ${ms(median(blocks.map((one) => one.cpuAll)))}`
  )
}

/** Of neighbouring blocks, which met the same noise: the median ratio of their median releases, and its range. */
export function ratioOf(own: readonly Block[], other: readonly Block[]): { middle: number; low: number; high: number } {
  const ratios = own.map((block, at) => median(block.release) / median(other[at]?.release ?? []))
  return { middle: median(ratios), low: Math.min(...ratios), high: Math.max(...ratios) }
}

function ms(value: number): string {
  return `${value.toFixed(2).padStart(7)} ms`
}
