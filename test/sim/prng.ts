/** Seeded chance (sfc32, seeded by splitmix32): the same numbers on every runtime. */

export class Prng {
  #a: number
  #b: number
  #c: number
  #counter = 1

  constructor(seed: number) {
    let state = (seed ^ Math.floor(seed / 2 ** 32)) >>> 0
    const splitmix = () => {
      state = (state + 0x9e3779b9) >>> 0
      let mixed = state ^ (state >>> 16)
      mixed = Math.imul(mixed, 0x21f0aaad)
      mixed ^= mixed >>> 15
      mixed = Math.imul(mixed, 0x735a2d97)
      return (mixed ^ (mixed >>> 15)) >>> 0
    }
    this.#a = splitmix()
    this.#b = splitmix()
    this.#c = splitmix()
    for (let round = 0; round < 12; round += 1) this.next()
  }

  /** In [0, 1). */
  next(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0
    this.#counter = (this.#counter + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum
    return (sum >>> 0) / 2 ** 32
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  /** A whole number in [from, to]. */
  int(from: number, to: number): number {
    return from + Math.floor(this.next() * (to - from + 1))
  }

  /** A number in [from, to). */
  between(from: number, to: number): number {
    return from + this.next() * (to - from)
  }

  pick<T>(list: readonly T[]): T {
    const item = list[Math.floor(this.next() * list.length)]
    if (item === undefined) throw new Error('nothing to pick from')
    return item
  }

  /** Picks by weight. */
  weighted<T>(entries: readonly (readonly [T, number])[]): T {
    const total = entries.reduce((sum, [, weight]) => sum + weight, 0)
    let left = this.next() * total
    for (const [item, weight] of entries) {
      left -= weight
      if (left < 0) return item
    }
    return this.pick(entries)[0]
  }

  shuffled<T>(list: readonly T[]): T[] {
    const copy = [...list]
    for (let index = copy.length - 1; index > 0; index -= 1) {
      const other = this.int(0, index)
      const held = copy[index] as T
      copy[index] = copy[other] as T
      copy[other] = held
    }
    return copy
  }

  /** A stream of its own, so that drawing more here changes nothing there. */
  fork(): Prng {
    return new Prng(Math.floor(this.next() * 2 ** 32))
  }
}
