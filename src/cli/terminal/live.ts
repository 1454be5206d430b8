/** A block of lines at the foot of a terminal that is redrawn in place; ordinary lines scroll above it. */

import { columnsOf } from './width.ts'

/** The part of a TTY stream that is used. */
export interface TerminalStream {
  readonly columns?: number | undefined
  readonly rows?: number | undefined
  write(text: string): unknown
  on(event: 'resize', listener: () => void): unknown
  off(event: 'resize', listener: () => void): unknown
}

const HIDE_CURSOR = '\u001b[?25l'
const SHOW_CURSOR = '\u001b[?25h'
const CLEAR_BELOW = '\u001b[J'
const REDRAW_MS = 200
/** Where a terminal does not say how wide and high it is. */
const WIDTH_UNKNOWN = 80
const HEIGHT_UNKNOWN = 24

export class LiveBlock {
  readonly #stream: TerminalStream
  readonly #render: (width: number) => readonly string[]
  readonly #timer: NodeJS.Timeout
  readonly #onResize = () => this.redraw()
  /** Widths of the lines on screen: after a resize a long one takes more rows than it did. */
  #drawn: number[] = []
  #open = true

  /** `render` returns lines without line breaks, none wider than the width given. */
  constructor(stream: TerminalStream, render: (width: number) => readonly string[]) {
    this.#stream = stream
    this.#render = render
    stream.write(HIDE_CURSOR)
    stream.on('resize', this.#onResize)
    this.#timer = setInterval(() => this.redraw(), REDRAW_MS)
    this.#timer.unref()
  }

  redraw(): void {
    if (!this.#open) return
    const lines = this.#render(this.#width()).slice(0, Math.max(1, this.#height() - 1))
    this.#stream.write(`${this.#erase()}${lines.join('\n')}\n`)
    this.#drawn = lines.map(visibleWidth)
  }

  /** Writes lines that stay, above the block. */
  print(text: string): void {
    this.#stream.write(`${this.#erase()}${text}${text.endsWith('\n') ? '' : '\n'}`)
    this.#drawn = []
    this.redraw()
  }

  /** Erases the block and gives the cursor back. */
  close(): void {
    if (!this.#open) return
    this.#open = false
    clearInterval(this.#timer)
    this.#stream.off('resize', this.#onResize)
    this.#stream.write(`${this.#erase()}${SHOW_CURSOR}`)
    this.#drawn = []
  }

  #width(): number {
    const { columns } = this.#stream
    return columns === undefined || columns <= 0 ? WIDTH_UNKNOWN : columns
  }

  #height(): number {
    const { rows } = this.#stream
    return rows === undefined || rows <= 0 ? HEIGHT_UNKNOWN : rows
  }

  #erase(): string {
    if (this.#drawn.length === 0) return ''
    const width = this.#width()
    const rows = this.#drawn.reduce((sum, length) => sum + Math.max(1, Math.ceil(length / width)), 0)
    return `\u001b[${rows}A\r${CLEAR_BELOW}`
  }
}

function visibleWidth(line: string): number {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colour codes begin with ESC and take no columns
  return columnsOf(line.replace(/\u001b\[[0-9;]*m/g, ''))
}
