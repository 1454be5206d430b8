/** A terminal window in memory: wraps long lines, and wraps them anew when it is resized. */

import type { TerminalStream } from '../../src/cli/terminal/live.ts'

const ESC = '\u001b'
/** Up and clear below; cursor and colours; text. */
const SEQUENCES = new RegExp(`${ESC}\\[(\\d+)A\\r${ESC}\\[J|${ESC}\\[(\\?25[lh]|\\d+m)|([^${ESC}]+)`, 'g')

export class Screen implements TerminalStream {
  columns: number
  rows = 24
  cursorShown = true
  /** Every byte that was written. */
  raw = ''
  #lines: string[] = ['']
  readonly #listeners = new Set<() => void>()

  constructor(columns: number) {
    this.columns = columns
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

  resize(columns: number): void {
    this.columns = columns
    for (const listener of this.#listeners) listener()
  }

  write(text: string): void {
    this.raw += text
    for (const [, up, mode, plain] of text.matchAll(SEQUENCES)) {
      if (up !== undefined) this.#eraseRows(Number(up))
      else if (mode?.startsWith('?25') === true) this.cursorShown = mode === '?25h'
      else if (plain !== undefined) this.#type(plain)
    }
  }

  /** Lines as they were written, before any wrapping. */
  get lines(): string[] {
    return this.#lines.slice(0, -1)
  }

  /** Lines that take more than one row. */
  get wrapped(): string[] {
    return this.#lines.filter((line) => line.length > this.columns)
  }

  #type(text: string): void {
    const [first = '', ...others] = text.split('\n')
    this.#lines[this.#lines.length - 1] += first
    this.#lines.push(...others)
  }

  /** Up by so many rows of the window as it is now, then everything below is gone. */
  #eraseRows(count: number): void {
    let left = count
    this.#lines.pop()
    while (left > 0) {
      const line = this.#lines.pop() ?? ''
      const rows = Math.max(1, Math.ceil(line.length / this.columns))
      if (rows > left) this.#lines.push(line.slice(0, (rows - left) * this.columns))
      left -= rows
    }
    this.#lines.push('')
  }
}
