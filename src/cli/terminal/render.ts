/** The live block as lines of text. Pure: view, width and time in, lines out. */

import { describeLeaderless } from '../leaderless.ts'
import { namesIn, type PlanView, type Totals, totalsOf } from '../progress.ts'
import { formatBytes, formatCount, formatNanoseconds, formatRate, formatSeconds } from './format.ts'
import { type Color, paint } from './paint.ts'
import { AFTER_THE_LAST } from './plain.ts'
import { clip, columnsOf, printable } from './width.ts'

const BAR_WIDTH_MAX = 40
const BAR_WIDTH_MIN = 10
const INDENT = '  '
const GAP = '   '

export interface RenderOptions {
  /** Columns of the window: no line is longer. */
  readonly width: number
  readonly color: boolean
  /** Own clock, ms. */
  readonly now: number
}

/** Stage and bar, figures, who is where, who leads: four lines where the window is wide enough. */
export function renderBlock(view: PlanView, options: RenderOptions): string[] {
  if (view.sequence === 0) return [clip(`${view.runId}: waiting for the agents`, options.width)]
  if (view.sequence > view.stages.length) return [clip(AFTER_THE_LAST, options.width)]
  const totals = totalsOf(view, options.now)
  return [...renderStage(view, totals, options), ...renderFigures(totals, options), ...renderAgents(view, options)]
}

/** The bar stands beside the stage, or below it in a narrow window. */
function renderStage(view: PlanView, totals: Totals, { width, color, now }: RenderOptions): string[] {
  const { sequence, stages } = view
  const head = printable(`stage ${sequence} of ${stages.length}  ${stages[sequence - 1]?.name ?? ''}`)
  const elapsed = formatSeconds((now - view.openedAt) / 1000)
  const left = totals.secondsLeft === null ? '' : `, ${formatSeconds(totals.secondsLeft)} left`
  const time = `${elapsed}${left}`
  const beside = renderBar(totals.done, width - columnsOf(head) - 2, time, color)
  if (beside !== null) return [`${paint('bold', head, color)}  ${beside}`]
  const below = renderBar(totals.done, width - INDENT.length, time, color) ?? clip(time, width - INDENT.length)
  return [paint('bold', clip(head, width), color), clip(INDENT, width) + below]
}

/** Null where there is no room for a bar worth the name. */
function renderBar(done: number | null, width: number, time: string, color: boolean): string | null {
  const percent = done === null ? '    ' : `${String(Math.floor(done * 100)).padStart(3)}%`
  const room = Math.min(BAR_WIDTH_MAX, width - percent.length - time.length - 3)
  if (room < BAR_WIDTH_MIN) return null
  const filled = done === null ? 0 : Math.round(done * room)
  const bar = `${'█'.repeat(filled)}${'░'.repeat(room - filled)}`
  return `${paint('green', bar, color)} ${percent}  ${time}`
}

function renderFigures(totals: Totals, { width, color }: RenderOptions): string[] {
  const parts = [
    `${formatCount(totals.ops)} ops`,
    `${formatRate(totals.opsPerSecond)} ops/s`,
    `${formatBytes(totals.bytesPerSecond)}/s`,
    `p99 ${totals.p99NsMax === 0 ? '-' : formatNanoseconds(totals.p99NsMax)}`,
  ]
  const errors = totals.errors === 0 ? null : `${formatCount(totals.errors)} errors`
  const rows: string[][] = []
  for (const part of errors === null ? parts : [...parts, errors]) {
    const row = rows.at(-1)
    if (row !== undefined && [INDENT, ...row, part].join(GAP).length - GAP.length <= width) row.push(part)
    else rows.push([part])
  }
  return rows.map((row) => {
    const line = clip(INDENT + row.join(GAP), width)
    return errors !== null && row.includes(errors) ? line.replace(errors, paint('red', errors, color)) : line
  })
}

function renderAgents(view: PlanView, { width, color }: RenderOptions): string[] {
  const ready = namesIn(view, 'ready')
  const groups: readonly (readonly [string, Color, string[]])[] = [
    ['ready', 'green', ready],
    // Once somebody is ready, the others are those who are waited for.
    [ready.length === 0 ? 'working' : 'waiting for', 'none', namesIn(view, 'working')],
    ['failed', 'red', namesIn(view, 'failed')],
    ['lost', 'red', namesIn(view, 'dead')],
    ['excluded', 'yellow', namesIn(view, 'excluded')],
  ]
  const lines: string[] = []
  for (const [label, paintAs, names] of groups) {
    if (names.length > 0)
      lines.push(paint(paintAs, listNames(`${INDENT}${label} ${names.length}: `, names, width), color))
  }
  if (view.leaderless !== null) {
    const parts = describeLeaderless(view.leaderless).split('; ')
    return [...lines, ...parts.map((part) => paint('yellow', clip(INDENT + part, width), color))]
  }
  const alone = view.unilateral ? ', going on alone without a quorum' : ''
  if (view.leader !== '') lines.push(paint('dim', clip(`${INDENT}led by ${view.leader}${alone}`, width), color))
  return lines
}

/** As many names as fit, and how many more there are. */
function listNames(label: string, names: readonly string[], width: number): string {
  for (let shown = names.length; shown > 0; shown -= 1) {
    const more = shown === names.length ? '' : ` and ${names.length - shown} more`
    const line = `${label}${names.slice(0, shown).join(', ')}${more}`
    if (columnsOf(line) <= width) return line
  }
  return clip(label + names.join(', '), width)
}
