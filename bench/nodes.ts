/** Real `paceline node` processes of one run, what they log, and what they cost (from /proc: Linux). */

import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { createInterface } from 'node:readline'

export const root = path.join(import.meta.dirname, '..')

/** How each runtime starts a script. */
export const runtimes: Readonly<Record<string, readonly string[]>> = {
  node: [process.execPath],
  deno: [path.join(root, 'node_modules/.bin/deno'), 'run', '-A'],
}

export interface LoggedEvent {
  readonly event: string
  readonly peer: string
  readonly [field: string]: unknown
}

/** Ticks of /proc/PID/stat, ms. */
const TICK_MS = 10
const STOP_MS = 3000

export class Nodes implements AsyncDisposable {
  readonly runId = `bench-${randomBytes(4).toString('hex')}`
  readonly folder = mkdtempSync(path.join(tmpdir(), 'paceline-bench-'))
  readonly events: LoggedEvent[] = []
  readonly children: ChildProcess[] = []
  readonly #watchers = new Set<() => void>()

  constructor() {
    // However this process ends, no node is left behind.
    process.once('exit', () => {
      for (const child of this.children) child.kill('SIGKILL')
    })
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1))
  }

  start(count: number, command: readonly string[], args: readonly string[] = []): void {
    const [file = '', ...before] = command
    for (let index = 0; index < count; index += 1) {
      const name = `p${String(index).padStart(2, '0')}`
      const own = ['node', '--run-id', this.runId, '--name', name, '--log', 'json', '--out', this.folder]
      const child = spawn(file, [...before, path.join(root, 'bin/paceline.js'), ...own, ...args], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      this.children.push(child)
      createInterface({ input: child.stdout }).on('line', (line) => this.#take(line))
    }
  }

  /** Resolves once the condition holds; looked at after each event. */
  async until(what: string, holds: () => boolean, timeoutMs: number): Promise<void> {
    if (holds()) return
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const timer = setTimeout(() => reject(new Error(`waited ${timeoutMs / 1000} s in vain: ${what}`)), timeoutMs)
    const look = (): void => {
      if (holds()) resolve()
    }
    this.#watchers.add(look)
    try {
      await promise
    } finally {
      clearTimeout(timer)
      this.#watchers.delete(look)
    }
  }

  /** Events of a kind so far. */
  count(event: string): number {
    return this.events.reduce((sum, one) => sum + (one.event === event ? 1 : 0), 0)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      this.children.map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return
        const ended = once(child, 'exit')
        child.kill('SIGTERM')
        const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
        await ended
        clearTimeout(late)
      }),
    )
    rmSync(this.folder, { recursive: true, force: true })
  }

  #take(line: string): void {
    try {
      this.events.push(JSON.parse(line))
    } catch {
      process.stderr.write(`${line}\n`)
    }
    for (const look of [...this.#watchers]) look()
  }
}

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
