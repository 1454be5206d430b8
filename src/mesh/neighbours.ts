/**
 * Which peers of this host are linked before there is something to say to them, while nothing is at stake: few of many,
 * so that the cost grows with their number only.
 */

import { limits } from './limits.ts'

export interface Neighbour {
  readonly peer: string
  /** Known to be there, and not linked. */
  readonly present: boolean
}

export interface NeighbourActs<T extends Neighbour> {
  /** All that are here, linked or not. */
  list(): T[]
  link(neighbour: T): void
}

export class Neighbours<T extends Neighbour> {
  readonly #acts: NeighbourActs<T>
  #timer: NodeJS.Timeout | undefined
  /** Looks since somebody came. */
  #looks = 0

  constructor(acts: NeighbourActs<T>) {
    this.#acts = acts
  }

  /** Somebody new is here. */
  came(): void {
    this.#looks = 0
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#linkFew(), limits.settledMs)
  }

  /** Who leads next needs all others at once: one of the first in line is linked to, if there are more than a few. */
  look(): void {
    this.#looks += 1
    if (this.#looks < limits.settledLooks) return
    const line = this.#acts.list().sort((a, b) => (a.peer < b.peer ? -1 : 1))
    const next = line.slice(0, limits.successors).find(({ present }) => present)
    if (next !== undefined) this.#acts.link(next)
  }

  close(): void {
    clearTimeout(this.#timer)
  }

  #linkFew(): void {
    const here = this.#acts.list()
    if (here.length >= limits.neighboursMax) return
    for (const neighbour of here) if (neighbour.present) this.#acts.link(neighbour)
  }
}
