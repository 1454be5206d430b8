/**
 * A terminal window in memory. Lines are kept whole, as they were written: like most terminals it breaks them anew when it
 * is resized, and leaves the cursor where it stood in them.
 */

import type { TerminalStream } from '../../src/cli/terminal/live.ts'

const ESC = '\u001b'
/** Up; clear below; modes and colours; back to the line's beginning; text. */
const SEQUENCES = new RegExp(`${ESC}\\[(\\d+)A|${ESC}\\[(J)|${ESC}\\[(\\?\\d+[lh]|\\d+m)|(\\r)|([^${ESC}\\r]+)`, 'g')

export class Screen implements TerminalStream {
  /** What the program has been told. */
  columns: number
  rows = 24
  cursorShown = true
  /** Every byte that was written. */
  raw = ''
  #width: number
  #wraps = true
  #lines: string[] = ['']
  #cursor = { line: 0, column: 0 }
  readonly #listeners = new Set<() => void>()

  constructor(columns: number) {
    this.columns = columns
    this.#width = columns
  }

  on(_: 'resize', listener: () => void): void {
    this.#listeners.add(listener)
  }

  off(_: 'resize', listener: () => void): void {
    this.#listeners.delete(listener)
  }

  get listeners(): number {
    return this.#listeners.size
  }

  /** The window has another width, of which the program is not told yet. */
  pull(width: number): void {
    this.#width = width
  }

  resize(width: number): void {
    this.#width = width
    this.columns = width
    for (const listener of this.#listeners) listener()
  }

  write(text: string): void {
    this.raw += text
    for (const [, up, below, mode, home, plain] of text.matchAll(SEQUENCES)) {
      if (up !== undefined) this.#up(Number(up))
      else if (below !== undefined) this.#clearBelow()
      else if (mode?.startsWith('?25') === true) this.cursorShown = mode === '?25h'
      else if (mode?.startsWith('?7') === true) this.#wraps = mode === '?7h'
      else if (home !== undefined) this.#cursor.column = this.#rowStart()
      else if (plain !== undefined) for (const part of plain.split(/(\n)/)) this.#type(part)
    }
  }

  /** Lines as they were written, without the empty one that the cursor may stand on. */
  get lines(): string[] {
    return this.#lines.at(-1)?.trim() === '' ? this.#lines.slice(0, -1) : [...this.#lines]
  }

  /** Lines that take more than one row. */
  get wrapped(): string[] {
    return this.#lines.filter((line) => line.length > this.#width)
  }

  #rowStart(): number {
    return Math.floor(Math.max(0, this.#cursor.column - 1) / this.#width) * this.#width
  }

  #type(text: string): void {
    const { line } = this.#cursor
    if (text === '\n') {
      this.#cursor = { line: line + 1, column: 0 }
      if (this.#lines.length === this.#cursor.line) this.#lines.push('')
      return
    }
    const { column } = this.#cursor
    const fitting = this.#wraps ? text : text.slice(0, Math.max(0, this.#rowStart() + this.#width - column))
    const old = this.#lines[line] ?? ''
    this.#lines[line] = old.slice(0, column).padEnd(column) + fitting + old.slice(column + fitting.length)
    this.#cursor.column = column + fitting.length
  }

  /** By rows of the window as it is now. */
  #up(count: number): void {
    for (let left = count; left > 0; left -= 1) {
      const { line, column } = this.#cursor
      if (column >= this.#width) this.#cursor.column -= this.#width
      else {
        const above = this.#lines[line - 1] ?? ''
        const lastRow = Math.max(0, Math.ceil(above.length / this.#width) - 1)
        this.#cursor = { line: Math.max(0, line - 1), column: lastRow * this.#width + column }
      }
    }
  }

  #clearBelow(): void {
    const { line, column } = this.#cursor
    this.#lines = [...this.#lines.slice(0, line), (this.#lines[line] ?? '').slice(0, column)]
  }
}
