/** One listing for all lanes of a thread: its names are dealt out a few at a time, nothing is listed twice. */

/** Names that a lane gets at once. */
const DEALT = 16

export class SharedWalks {
  readonly #walks = new Map<string, AsyncIterator<readonly string[]>>()
  readonly #ended = new Map<string, number>()

  /** The next names of the walk called `key`, which the first lane that asks begins; null at its end. */
  async next(key: string, begin: () => AsyncIterable<readonly string[]>): Promise<readonly string[] | null> {
    let walk = this.#walks.get(key)
    if (walk === undefined) {
      walk = deal(begin())
      this.#walks.set(key, walk)
    }
    const { done, value } = await walk.next()
    return done === true ? null : value
  }

  /** A lane has done everything that it got of this walk. */
  end(key: string): void {
    this.#ended.set(key, this.endedBy(key) + 1)
  }

  /** Lanes that have done so. */
  endedBy(key: string): number {
    return this.#ended.get(key) ?? 0
  }
}

async function* deal(batches: AsyncIterable<readonly string[]>): AsyncGenerator<readonly string[]> {
  for await (const batch of batches) {
    for (let at = 0; at < batch.length; at += DEALT) yield batch.slice(at, at + DEALT)
  }
}
