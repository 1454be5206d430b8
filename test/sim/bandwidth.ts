/** Hosts that take their time over what is large: all that one sends, and all that one receives, goes through one door. */

export class Bandwidth {
  readonly #charsPerMs: number
  /** When each door is free again, by host. */
  readonly #out = new Map<string, number>()
  readonly #in = new Map<string, number>()

  constructor(charsPerMs: number) {
    this.#charsPerMs = charsPerMs
  }

  /** When something that is sent now has arrived in full; what was sent before it goes first. */
  arrival(now: number, from: string, to: string, message: unknown): number {
    const ms = charsOf(message) / this.#charsPerMs
    const sent = Math.max(now, this.#out.get(from) ?? now) + ms
    this.#out.set(from, sent)
    // The other side reads while it is sent, unless it is still busy with others.
    const read = Math.max(sent, (this.#in.get(to) ?? now) + ms)
    this.#in.set(to, read)
    return read
  }
}

/** About as many characters as its text would have. */
export function charsOf(value: unknown): number {
  if (typeof value === 'string') return value.length + 2
  if (typeof value !== 'object' || value === null) return 6
  let chars = 2
  for (const [key, one] of Object.entries(value)) chars += key.length + 4 + charsOf(one)
  return chars
}
