/**
 * Progress of a plan on standard error: a live block on a terminal, plain lines elsewhere, nothing when silenced.
 *
 * ```ts
 * const progress = showProgress(process.stderr, view, { mode: 'live', color: true })
 * progress.update(nextView)
 * progress.close()
 * ```
 */

import type { PlanView } from '../progress.ts'
import { LiveBlock, type TerminalStream } from './live.ts'
import { PLAIN_INTERVAL_MS, plainChanges, plainStatus } from './plain.ts'
import { renderBlock } from './render.ts'

export * from './format.ts'
export { paint, wantsColor } from './paint.ts'
export { printable, printableLines } from './width.ts'

export interface ProgressDisplay {
  update(view: PlanView): void
  /** A line that stays. */
  print(text: string): void
  close(): void
}

export interface DisplayOptions {
  readonly mode: 'live' | 'plain' | 'silent'
  readonly color: boolean
}

export function showProgress(stream: TerminalStream, first: PlanView, options: DisplayOptions): ProgressDisplay {
  if (options.mode === 'silent') return { update: () => {}, print: () => {}, close: () => {} }
  return options.mode === 'live' ? showLive(stream, first, options.color) : showPlain(stream, first)
}

function showLive(stream: TerminalStream, first: PlanView, color: boolean): ProgressDisplay {
  let view = first
  const block = new LiveBlock(stream, (width) => renderBlock(view, { width, color, now: Date.now() }))
  return {
    update: (next) => {
      const notes = plainChanges(view, next)
      view = next
      if (notes.length > 0) block.print(notes.join('\n'))
    },
    print: (text) => block.print(text),
    close: () => block.close(),
  }
}

function showPlain(stream: TerminalStream, first: PlanView): ProgressDisplay {
  let view = first
  const timer = setInterval(() => stream.write(`${plainStatus(view, Date.now())}\n`), PLAIN_INTERVAL_MS)
  timer.unref()
  return {
    update: (next) => {
      for (const line of plainChanges(view, next)) stream.write(`${line}\n`)
      view = next
    },
    print: (text) => stream.write(`${text}\n`),
    close: () => clearInterval(timer),
  }
}
