/** `least_connections`: each operation goes to the endpoint that has the fewest under way. */

import type { Store } from '../stores/types.ts'
import type { LaneContext } from './lane.ts'

export class LeastConnections {
  readonly #lane: LaneContext
  readonly #alternatives = new Map<Store, readonly Store[]>()

  constructor(lane: LaneContext) {
    this.#lane = lane
  }

  /** `store`: whose turn it would be; it stays among equals, so that all of them get their share. */
  choose(store: Store): Store {
    let best = store
    for (const other of this.#alternativesTo(store)) if ((other.active ?? 0) < (best.active ?? 0)) best = other
    return best
  }

  #alternativesTo(store: Store): readonly Store[] {
    let stores = this.#alternatives.get(store)
    if (stores === undefined) {
      stores = this.#lane.alternativesTo(store)
      if (stores.length === 1) {
        this.#lane.warn(`least_connections: ${store.base} is not the same bucket on another host: endpoints take turns`)
      }
      this.#alternatives.set(store, stores)
    }
    return stores
  }
}
