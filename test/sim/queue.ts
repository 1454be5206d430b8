/** What happens when: a binary heap over time; what is due at the same time happens in the order it was planned. */

export interface Due {
  readonly at: number
  readonly run: () => void
}

interface Entry extends Due {
  readonly number: number
}

export class Queue {
  readonly #heap: Entry[] = []
  #number = 0

  get size(): number {
    return this.#heap.length
  }

  peek(): Due | undefined {
    return this.#heap[0]
  }

  push(at: number, run: () => void): void {
    const heap = this.#heap
    const entry = { at, run, number: this.#number }
    this.#number += 1
    let index = heap.length
    heap.push(entry)
    while (index > 0) {
      const parent = (index - 1) >> 1
      const above = heap[parent]
      if (above === undefined || !before(entry, above)) break
      heap[index] = above
      index = parent
    }
    heap[index] = entry
  }

  pop(): Due | undefined {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop()
    if (first === undefined || last === undefined || heap.length === 0) return first
    let index = 0
    for (;;) {
      let child = 2 * index + 1
      let below = heap[child]
      if (below === undefined) break
      const right = heap[child + 1]
      if (right !== undefined && before(right, below)) {
        child += 1
        below = right
      }
      if (!before(below, last)) break
      heap[index] = below
      index = child
    }
    heap[index] = last
    return first
  }
}

function before(a: Entry, b: Entry): boolean {
  return a.at < b.at || (a.at === b.at && a.number < b.number)
}
