/** Colours of terminals: a few, and only where they are wanted. */

export type Color = 'none' | 'dim' | 'bold' | 'red' | 'green' | 'yellow' | 'cyan'

const CODES: Readonly<Record<Exclude<Color, 'none'>, readonly [open: number, close: number]>> = {
  dim: [2, 22],
  bold: [1, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
}

export function paint(color: Color, text: string, enabled: boolean): string {
  if (color === 'none' || !enabled || text === '') return text
  const [open, close] = CODES[color]
  return `\u001b[${open}m${text}\u001b[${close}m`
}

/** NO_COLOR (any non-empty value) and dumb terminals win; FORCE_COLOR asks for colours in a pipe. */
export function wantsColor(isTerminal: boolean, env: Readonly<Record<string, string | undefined>>): boolean {
  if (env.NO_COLOR !== undefined && env.NO_COLOR !== '') return false
  if (env.FORCE_COLOR !== undefined && env.FORCE_COLOR !== '' && env.FORCE_COLOR !== '0') return true
  return isTerminal && env.TERM !== 'dumb'
}
