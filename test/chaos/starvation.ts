/**
 * Who wanted to run and could not, because the machine was busy with others: the kernel counts it (Linux only). Where
 * this process itself came too late to look, all may have been kept waiting, for its reading of their logs as well.
 */

import { readFileSync } from 'node:fs'

const LOOK_MS = 500
/** Share of a look's time that a process waited for a processor. */
const SHARE = 0.6

export interface Starved {
  readonly since: number
  until: number
}

export class StarvationWatch {
  readonly #now: () => number
  readonly #watched = new Map<number, { delayMs: number; at: number; readonly spans: Starved[] }>()
  readonly #timer: NodeJS.Timeout

  constructor(now: () => number) {
    this.#now = now
    this.#timer = setInterval(() => this.#look(), LOOK_MS)
  }

  watch(pid: number): void {
    this.#watched.set(pid, { delayMs: 0, at: this.#now(), spans: [] })
  }

  of(pid: number): readonly Starved[] {
    return this.#watched.get(pid)?.spans ?? []
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #look(): void {
    for (const [pid, known] of this.#watched) {
      const delayMs = runDelayMs(pid)
      if (delayMs === undefined) continue
      const at = this.#now()
      const waitedMs = at - known.at
      if (delayMs - known.delayMs >= waitedMs * SHARE || waitedMs >= 2 * LOOK_MS) {
        const last = known.spans.at(-1)
        if (last !== undefined && last.until === known.at) last.until = at
        else known.spans.push({ since: known.at, until: at })
      }
      known.delayMs = delayMs
      known.at = at
    }
  }
}

/** How long its main thread has waited for a processor, ms; undefined where that cannot be known. */
function runDelayMs(pid: number): number | undefined {
  try {
    const [, delayNs] = readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')
    return Number(delayNs) / 1e6
  } catch {
    return undefined
  }
}
