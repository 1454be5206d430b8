/** Seeded chance and hashing: the same on every agent, whatever the runtime. Pure. */

const TWO_POW_32 = 4294967296

/** Finalizer of MurmurHash3: every input bit changes about half of the output bits. Unsigned 32 bits. */
export function mix32(value: number): number {
  let h = value | 0
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

/** A hash of numbers, order counts. Unsigned 32 bits. Values above 2^32 count with both halves. */
export function hashNumbers(...values: readonly number[]): number {
  let h = 0x9e3779b9
  for (const value of values) {
    h = mix32(h ^ (value | 0))
    const high = Math.floor(value / TWO_POW_32)
    if (high !== 0) h = mix32(h ^ high)
    h = (Math.imul(h, 5) + 0xe6546b64) | 0
  }
  return h >>> 0
}

/** FNV-1a over UTF-16 units with a final mix. Unsigned 32 bits. */
export function hashText(text: string, seed = 0): number {
  let h = 0x811c9dc5 ^ seed
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  return mix32(h)
}

/** 8 hexadecimal digits. */
export function hashHex(text: string): string {
  return hashText(text).toString(16).padStart(8, '0')
}

/** xoshiro128**: fast, good enough to choose objects and to fill buffers. */
export class Random {
  #a: number
  #b: number
  #c: number
  #d: number

  constructor(seed: number) {
    // A state of zeros only would stay there: 1 is never the hash of all four.
    this.#a = mix32(seed ^ 0x243f6a88) | 0
    this.#b = mix32(seed ^ 0x85a308d3) | 0
    this.#c = mix32(seed ^ 0x13198a2e) | 0
    this.#d = mix32(seed ^ 0x03707344) | 1
  }

  /** Unsigned 32 bits. */
  next(): number {
    const product = Math.imul(this.#b, 5)
    const result = Math.imul((product << 7) | (product >>> 25), 9) >>> 0
    const shifted = this.#b << 9
    this.#c ^= this.#a
    this.#d ^= this.#b
    this.#b ^= this.#c
    this.#a ^= this.#d
    this.#c ^= shifted
    this.#d = (this.#d << 11) | (this.#d >>> 21)
    return result
  }

  /** 0 <= x < 1. */
  fraction(): number {
    return this.next() / TWO_POW_32
  }

  /** 0 <= i < n, for n up to 2^53; a bias of at most n / 2^32 below that. */
  below(n: number): number {
    if (n <= TWO_POW_32) return Math.floor((this.next() / TWO_POW_32) * n)
    return Math.floor(((this.next() * 2097152 + (this.next() >>> 11)) / 9007199254740992) * n)
  }
}
