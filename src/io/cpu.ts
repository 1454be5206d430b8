/** How busy the machine and this process are: a benchmark should know when it measures itself. */

import os from 'node:os'

interface Reading {
  /** Busy and total time of all cores, ms; null where the system does not say. */
  readonly host: { readonly busy: number; readonly total: number } | null
  /** CPU time of this process with all its threads, ms. */
  readonly process: number | null
  readonly at: number
}

export interface CpuShare {
  /** 0..1 of all cores; null where it cannot be read. */
  readonly host: number | null
  readonly process: number | null
}

/** Starts a measurement; the function returned ends it. */
export function measureCpu(): () => CpuShare {
  const before = read()
  return () => {
    const after = read()
    const elapsed = (after.at - before.at) * Math.max(1, os.availableParallelism())
    const { host: h0, process: p0 } = before
    const { host: h1, process: p1 } = after
    return {
      host: h0 === null || h1 === null ? null : clamp((h1.busy - h0.busy) / (h1.total - h0.total)),
      process: p0 === null || p1 === null ? null : clamp((p1 - p0) / elapsed),
    }
  }
}

/** Null for a measurement too short to have one. */
function clamp(share: number): number | null {
  return Number.isFinite(share) ? Math.min(1, Math.max(0, share)) : null
}

function read(): Reading {
  return { host: readHost(), process: readProcess(), at: performance.now() }
}

/** Deno refuses these without permission; a figure less is better than a stage less. */
function readHost(): Reading['host'] {
  try {
    let busy = 0
    let total = 0
    for (const { times } of os.cpus()) {
      const all = times.user + times.nice + times.sys + times.irq + times.idle
      busy += all - times.idle
      total += all
    }
    return total > 0 ? { busy, total } : null
  } catch {
    return null
  }
}

function readProcess(): number | null {
  try {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1000
  } catch {
    return null
  }
}
