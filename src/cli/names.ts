/** Run IDs and names of peers become folder names and topics on every peer. */
export const plainName = {
  pattern: /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
  words: '1 to 64 letters, digits, ".", "_" or "-" that begin with a letter or digit',
} as const

/** "agent-2" before "agent-10". */
export function compareNames(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true })
}
