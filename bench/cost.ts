/** What a process costs, from /proc: Linux. */

import type { ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** Ticks of /proc/PID/stat, ms. */
const TICK_MS = 10

export interface Cost {
  /** CPU time of the process so far, all threads. */
  readonly cpuMs: number
  readonly residentMiB: number
  /** Times that its main thread was woken up. */
  readonly wakeups: number
}

export function costOf(child: ChildProcess): Cost {
  const stat = readFileSync(`/proc/${child.pid}/stat`, 'utf8')
  // After the name, which may hold anything: state is field 3, user and system time are 14 and 15.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8')
  const numberOf = (key: string): number => Number(new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(status)?.[1])
  return {
    cpuMs: (Number(fields[11]) + Number(fields[12])) * TICK_MS,
    residentMiB: numberOf('VmRSS') / 1024,
    wakeups: numberOf('voluntary_ctxt_switches'),
  }
}
