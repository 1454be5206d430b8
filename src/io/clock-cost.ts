/** What a look at the clock takes: part of every latency, so it belongs beside them. */

import { monotonic } from './clock.ts'

const BATCHES = 5
const READS = 4000

let known: number | null = null

/** Nanoseconds, measured once a process. The quickest batch counts: the others were interrupted, or not yet compiled. */
export function clockReadNs(): number {
  known ??= measure()
  return known
}

function measure(): number {
  let best = Number.POSITIVE_INFINITY
  for (let batch = 0; batch < BATCHES; batch++) {
    const from = monotonic.now()
    let last = from
    for (let i = 0; i < READS; i++) last = monotonic.now()
    best = Math.min(best, last - from)
  }
  return Math.round((best * 1e6) / READS)
}
