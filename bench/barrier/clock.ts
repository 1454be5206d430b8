/** The host's monotonic clock, the same for all processes, ms. (`performance.timeOrigin` is off by ms on a busy host.) */

import process from 'node:process'

export function now(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
