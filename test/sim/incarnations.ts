/** What a stranger says, or an older incarnation of a peer, changes nothing, and the core says that it refused it. */

import type { Input, Output, PeerId } from '../../src/barrier/mod.ts'
import { violated } from './failure.ts'
import type { Proc, Watcher } from './proc.ts'

export class IncarnationRule implements Watcher {
  readonly #known = new Map<Proc, Map<PeerId, string>>()
  /** Has been fed such a message, and has not refused it yet. */
  #due: Proc | null = null

  booted(proc: Proc): void {
    this.#known.set(proc, new Map())
  }

  fed(proc: Proc, input: Input): void {
    // A crash in the middle of a step takes its outputs with it.
    if (this.#due?.state === 'up') {
      violated('3 order', `${this.#due.member.peer} heard a stranger or an older incarnation of a peer`)
    }
    this.#due = null
    const known = this.#known.get(proc)
    if (input.type === 'peer_up') known?.set(input.member.peer, input.member.incarnation)
    if (input.type === 'message' && known?.get(input.from) !== input.incarnation) this.#due = proc
  }

  carried(proc: Proc, output: Output): void {
    if (proc !== this.#due || output.type !== 'rejected') return
    if (output.reason === 'stranger' || output.reason === 'stale_incarnation') this.#due = null
  }
}
