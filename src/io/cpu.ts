/** How busy the machine and this process are: a benchmark should know when it measures itself. */

import { readFileSync } from 'node:fs'
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

export interface CpuTimes {
  readonly user: number
  readonly system: number
  readonly iowait: number
}

/** Shares of the machine's time since the last call, 0..1 of all cores; null where it cannot be read. */
export function cpuMeter(): () => CpuTimes | null {
  let before = readTimes()
  return () => {
    const after = readTimes()
    const [from, to] = [before, after]
    before = after
    if (from === null || to === null) return null
    const total = to.total - from.total
    const part = (key: keyof CpuTimes): number => clamp((to[key] - from[key]) / total) ?? 0
    return total <= 0 ? null : { user: part('user'), system: part('system'), iowait: part('iowait') }
  }
}

/** Linux tells waiting for storage apart from idling; elsewhere, or where it may not be read, it is 0. */
function readTimes(): (CpuTimes & { readonly total: number }) | null {
  try {
    const [, user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0] = (
      readFileSync('/proc/stat', 'utf8').split('\n')[0] ?? ''
    )
      .split(/\s+/)
      .map(Number)
    const total = user + nice + system + idle + iowait + irq + softirq + steal
    return total > 0 ? { user: user + nice, system: system + irq + softirq, iowait, total } : null
  } catch {
    return readPortableTimes()
  }
}

function readPortableTimes(): (CpuTimes & { readonly total: number }) | null {
  try {
    const sum = { user: 0, system: 0, iowait: 0, total: 0 }
    for (const { times } of os.cpus()) {
      sum.user += times.user + times.nice
      sum.system += times.sys + times.irq
      sum.total += times.user + times.nice + times.sys + times.irq + times.idle
    }
    return sum.total > 0 ? sum : null
  } catch {
    return null
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
