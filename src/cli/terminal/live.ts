/**
 * A block of lines at the foot of a terminal that is redrawn in place; ordinary lines scroll above it. Between two redraws
 * the cursor stands on its first line, where terminals leave it when they break lines anew for another width: however many
 * rows the block takes then, all of it lies below.
 */

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
/**
 * All from the cursor on: the block, and whatever became of it when the window was resized. The space is for terminals
 * that keep a screen in their history when it is cleared from its first place on.
 */
const ERASE = '\r \u001b[J\r'
/** A window may be narrower than this process knows yet: lines are then cut off, so that they take one row each. */
const NO_WRAP = '\u001b[?7l'
const WRAP = '\u001b[?7h'
const REDRAW_MS = 200
/** Where a terminal does not say how wide and high it is. */
const WIDTH_UNKNOWN = 80
const HEIGHT_UNKNOWN = 24

export class LiveBlock {
  readonly #stream: TerminalStream
  readonly #render: (width: number) => readonly string[]
  readonly #timer: NodeJS.Timeout
  readonly #onResize = () => this.redraw()
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
    if (this.#open) this.#stream.write(`${ERASE}${this.#drawn()}`)
  }

  /** Writes lines that stay, above the block. */
  print(text: string): void {
    const lines = text.endsWith('\n') ? text : `${text}\n`
    this.#stream.write(`${ERASE}${lines}${this.#open ? this.#drawn() : ''}`)
  }

  /** Erases the block and gives the cursor back. */
  close(): void {
    if (!this.#open) return
    this.#open = false
    clearInterval(this.#timer)
    this.#stream.off('resize', this.#onResize)
    this.#stream.write(`${ERASE}${SHOW_CURSOR}`)
  }

  #drawn(): string {
    const lines = this.#render(this.#width()).slice(0, Math.max(1, this.#height() - 1))
    const up = lines.length > 1 ? `\u001b[${lines.length - 1}A` : ''
    return `${NO_WRAP}${lines.join('\n')}${WRAP}\r${up}`
  }

  #width(): number {
    const { columns } = this.#stream
    return columns === undefined || columns <= 0 ? WIDTH_UNKNOWN : columns
  }

  #height(): number {
    const { rows } = this.#stream
    return rows === undefined || rows <= 0 ? HEIGHT_UNKNOWN : rows
  }
}
