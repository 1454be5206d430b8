/**
 * The other half of `become` in scripts/runtime.js: on a machine whose own Node is too old, the launcher starts this
 * process in its place. What happens to the launcher must then happen here: SIGKILL and SIGSTOP cannot be passed on.
 */

import { readFileSync } from 'node:fs'

const STARTER_VARIABLE = 'PACELINE_STARTER_PID'
const POLL_MS = 250

/** Does nothing when no launcher started this process. */
export function followStarter(): void {
  const pid = Number(process.env[STARTER_VARIABLE])
  // Processes started from here have this process as their starter, not the launcher.
  delete process.env[STARTER_VARIABLE]
  if (Number.isSafeInteger(pid) && pid > 1 && process.channel !== undefined && process.channel !== null) {
    process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'))
    // A listener keeps the channel, and so the process, alive; it should end when its work does.
    process.channel.unref()
    follow(pid)
  } else if (isDenoTask(process.ppid)) follow(process.ppid)
}

/** `deno task` passes on SIGINT and SIGTERM, and stays until its command ends. */
function isDenoTask(pid: number): boolean {
  try {
    const [program = '', ...args] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
    return program.endsWith('deno') && args[0] === 'task'
  } catch {
    return false
  }
}

function follow(pid: number): void {
  setInterval(() => {
    const state = processState(pid)
    if (state === 'T') process.kill(process.pid, 'SIGSTOP')
    else if (state === null || state === 'Z') process.kill(process.pid, 'SIGKILL')
  }, POLL_MS).unref()
}

/** State letter of a process as in proc(5); null where it cannot be read (another system, or the process is gone). */
function processState(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name before it is in parentheses and may contain anything.
    return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3)
  } catch {
    return null
  }
}
