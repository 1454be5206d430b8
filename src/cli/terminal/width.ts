/** How many columns of a terminal a text takes, and cutting it to fit. Pure. */

/** East Asian wide characters and pictures take two columns. */
const WIDE =
  /[\p{Emoji_Presentation}\u{1100}-\u{115f}\u{2e80}-\u{303e}\u{3041}-\u{a4cf}\u{a960}-\u{a97f}\u{ac00}-\u{d7a3}\u{f900}-\u{faff}\u{fe30}-\u{fe6f}\u{ff00}-\u{ff60}\u{ffe0}-\u{ffe6}\u{20000}-\u{3fffd}]/u
const ZERO = /[\p{Mn}\p{Me}\p{Cf}]/u
/** Names come from plans: an escape sequence among them must not reach the terminal. */
const CONTROL = /\p{Cc}/gu

/** One line without control characters. */
export function printable(text: string): string {
  return text.replace(CONTROL, ' ')
}

/** As many lines as there are, without control characters in them: words of peers and servers must not act either. */
export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n')
}

export function columnsOf(text: string): number {
  let columns = 0
  for (const character of text) columns += columnsOfOne(character)
  return columns
}

/** Cuts to `width` columns, and shows by an ellipsis that it did. */
export function clip(text: string, width: number): string {
  if (width <= 0) return ''
  if (columnsOf(text) <= width) return text
  let cut = ''
  let columns = 0
  for (const character of text) {
    columns += columnsOfOne(character)
    if (columns > width - 1) break
    cut += character
  }
  return `${cut}…`
}

function columnsOfOne(character: string): number {
  if (character <= '~') return 1
  if (ZERO.test(character)) return 0
  return WIDE.test(character) ? 2 : 1
}
