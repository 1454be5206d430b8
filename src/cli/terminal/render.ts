/** The live block as lines of text. Pure: view, width and time in, lines out. */

import { namesIn, type PlanView, totalsOf } from '../progress.ts'
import { formatBytes, formatCount, formatNanoseconds, formatRate, formatSeconds } from './format.ts'
import { type Color, paint } from './paint.ts'

const BAR_WIDTH_MAX = 40
const BAR_WIDTH_MIN = 10

export interface RenderOptions {
  /** Columns of the window: no line is longer. */
  readonly width: number
  readonly color: boolean
  /** Own clock, ms. */
  readonly now: number
}

/** Four lines: stage and bar, figures, who is where, who leads. */
export function renderBlock(view: PlanView, options: RenderOptions): string[] {
  if (view.sequence === 0) return [clip(`${view.runId}: waiting for the agents`, options.width)]
  const lines = [renderStage(view, options), renderFigures(view, options), ...renderAgents(view, options)]
  return lines
}

function renderStage(view: PlanView, { width, color, now }: RenderOptions): string {
  const position = Math.min(view.sequence, view.stages.length)
  const name = view.stages[position - 1]?.name ?? ''
  const { done, secondsLeft } = totalsOf(view, now)
  const head = `stage ${position} of ${view.stages.length}  ${name}  `
  const elapsed = formatSeconds((now - view.openedAt) / 1000)
  const tail = `  ${elapsed}${secondsLeft === null ? '' : `, ${formatSeconds(secondsLeft)} left`}`
  const room = Math.min(BAR_WIDTH_MAX, width - head.length - tail.length - 6)
  if (room < BAR_WIDTH_MIN) return clip(`${head}${tail.trimStart()}`, width)
  const filled = done === null ? 0 : Math.round(done * room)
  const bar = `${'█'.repeat(filled)}${'░'.repeat(room - filled)}`
  const percent = done === null ? '    ' : `${String(Math.floor(done * 100)).padStart(3)}%`
  return `${paint('bold', head, color)}${paint('green', bar, color)} ${percent}${tail}`
}

function renderFigures(view: PlanView, { width, color, now }: RenderOptions): string {
  const totals = totalsOf(view, now)
  const parts = [
    `${formatCount(totals.ops)} ops`,
    `${formatRate(totals.opsPerSecond)} ops/s`,
    `${formatBytes(totals.bytesPerSecond)}/s`,
    `p99 ${totals.p99NsMax === 0 ? '-' : formatNanoseconds(totals.p99NsMax)}`,
  ]
  const errors = totals.errors === 0 ? '' : `   ${formatCount(totals.errors)} errors`
  const text = clip(`  ${parts.join('   ')}`, width - errors.length)
  return `${text}${paint('red', errors, color)}`
}

function renderAgents(view: PlanView, { width, color }: RenderOptions): string[] {
  const groups: readonly (readonly [string, Color, string[]])[] = [
    ['ready', 'green', namesIn(view, 'ready')],
    ['working', 'none', namesIn(view, 'working')],
    ['failed', 'red', namesIn(view, 'failed')],
    ['lost', 'red', namesIn(view, 'dead')],
    ['excluded', 'yellow', namesIn(view, 'excluded')],
  ]
  const lines: string[] = []
  for (const [label, paintAs, names] of groups) {
    if (names.length > 0)
      lines.push(paint(paintAs, clip(`  ${label} ${names.length}: ${names.join(', ')}`, width), color))
  }
  const alone = view.unilateral ? ', going on alone without a quorum' : ''
  if (view.leader !== '') lines.push(paint('dim', clip(`  led by ${view.leader}${alone}`, width), color))
  return lines
}

/** Cuts to `width` columns; names and figures of ours take one column a character. */
export function clip(text: string, width: number): string {
  if (width <= 0) return ''
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`
}
