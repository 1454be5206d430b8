/**
 * A peer keeps its word: who promised a ballot, or accepted a value at it, says nothing by an older one later, and does
 * not deny it when it is asked.
 */

import { type Ballot, type Message, type Output, showBallot } from '../../src/barrier/mod.ts'
import { isNewer } from './ballots.ts'
import type { Proc, Watcher } from './cluster.ts'
import { violated } from './failure.ts'

export class PromiseRule implements Watcher {
  /** The newest ballot that each has given its word for. */
  readonly #given = new Map<Proc, Ballot>()

  booted(): void {}

  fed(): void {}

  carried(proc: Proc, output: Output): void {
    if (output.type !== 'send') return
    const word = wordOf(output.message)
    if (word === undefined) return
    const given = this.#given.get(proc)
    if (given !== undefined && isNewer(given, word)) {
      const { type } = output.message
      violated(
        'a promise is kept',
        `${proc.member.peer} says ${type} by ${showBallot(word)} after ${showBallot(given)}`,
      )
    }
    this.#given.set(proc, word)
  }
}

/** The ballot by which a message speaks, or which it says is promised. */
function wordOf(message: Message): Ballot | undefined {
  switch (message.type) {
    case 'promise':
    case 'accept':
    case 'vote':
    case 'propose':
    case 'pong':
      return message.ballot
    case 'prevote_reply':
    case 'reject':
      return message.promised
    default:
      return undefined
  }
}
