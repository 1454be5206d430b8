/** What becomes of a message between two hosts: lost, late, twice, overtaken, or held until a cut heals. */

import type { Prng } from './prng.ts'

export interface Weather {
  /** Share of messages that vanish. */
  loss: number
  /** Share of messages that come twice. */
  duplication: number
  /** Share of messages that others overtake, by up to `reorderMs`. */
  reordering: number
  reorderMs: number
  delayMinMs: number
  delayMaxMs: number
}

export const fairWeather: Weather = {
  loss: 0,
  duplication: 0,
  reordering: 0,
  reorderMs: 0,
  delayMinMs: 0.1,
  delayMaxMs: 0.6,
}

/** `hold`: what is sent over a cut link arrives after it heals, as TCP would repeat it; `drop`: it is lost. */
export type CutMode = 'drop' | 'hold'

export class Network {
  weather: Weather = { ...fairWeather }
  readonly #prng: Prng
  readonly #cuts = new Map<string, CutMode>()
  #held: { readonly from: string; readonly to: string; readonly deliver: () => void }[] = []

  constructor(prng: Prng) {
    this.#prng = prng
  }

  /** Cuts the link in one direction. */
  cut(from: string, to: string, mode: CutMode): void {
    if (from !== to) this.#cuts.set(`${from}>${to}`, mode)
  }

  /** Mends all links; returns what they held back. */
  heal(): (() => void)[] {
    this.#cuts.clear()
    const held = this.#held.map(({ deliver }) => deliver)
    this.#held = []
    return held
  }

  passes(from: string, to: string): boolean {
    return this.#cuts.size === 0 || !this.#cuts.has(`${from}>${to}`)
  }

  /** Two-way: a connection can be made. */
  connects(a: string, b: string): boolean {
    return this.passes(a, b) && this.passes(b, a)
  }

  /** Keeps a message that a cut link holds back. False where the link just loses it. */
  hold(from: string, to: string, deliver: () => void): boolean {
    if (this.#cuts.get(`${from}>${to}`) !== 'hold') return false
    this.#held.push({ from, to, deliver })
    return true
  }

  /** Delays of the copies that arrive, ms; none when it is lost. */
  fates(): number[] {
    const { weather } = this
    if (weather.loss > 0 && this.#prng.chance(weather.loss)) return []
    const fates = [this.delay()]
    if (weather.duplication > 0 && this.#prng.chance(weather.duplication)) fates.push(this.delay() * 3)
    return fates
  }

  delay(): number {
    const { weather } = this
    const base = this.#prng.between(weather.delayMinMs, weather.delayMaxMs)
    const late = weather.reordering > 0 && this.#prng.chance(weather.reordering)
    return late ? base + this.#prng.next() * weather.reorderMs : base
  }
}
