/**
 * A peer keeps its word: who promised a ballot, or accepted a value at it, says nothing by an older one later, and does
 * not deny it when it is asked. And it gives its word only to a candidate for its own plan that is not behind: one that
 * lacks what this peer knows as decided could decide it anew with others.
 */

import { type Ballot, type Message, type Output, showBallot } from '../../src/barrier/mod.ts'
import { isNewer } from './ballots.ts'
import { violated } from './failure.ts'
import type { Proc, Watcher } from './proc.ts'

type Of<T extends Message['type']> = Extract<Message, { type: T }>

export class PromiseRule implements Watcher {
  /** The newest ballot that each has given its word for. */
  readonly #given = new Map<Proc, Ballot>()
  /** By ballot and plan: the highest sequence for which a candidate has asked. */
  readonly #asked = new Map<string, number>()

  booted(): void {}

  fed(): void {}

  carried(proc: Proc, output: Output): void {
    if (output.type !== 'send') return
    const { message } = output
    if (message.type === 'vote') this.#onVote(message)
    if (message.type === 'promise') this.#mayPromise(proc, message)
    const word = wordOf(message)
    if (word !== undefined) this.#mustKeep(proc, word, message.type)
  }

  #onVote({ ballot, plan, sequence }: Of<'vote'>): void {
    const key = `${showBallot(ballot)} of ${plan?.uid}`
    this.#asked.set(key, Math.max(sequence, this.#asked.get(key) ?? 0))
  }

  #mayPromise({ member }: Proc, { ballot, plan, sequence }: Of<'promise'>): void {
    const asked = this.#asked.get(`${showBallot(ballot)} of ${plan?.uid}`)
    if (asked !== undefined && sequence <= asked) return
    const behind = asked === undefined ? 'does not stand for that plan' : `is at ${asked}`
    violated(
      '1 agreement',
      `${member.peer}, at ${plan?.uid}#${sequence}, votes for ${showBallot(ballot)}, which ${behind}`,
    )
  }

  #mustKeep(proc: Proc, word: Ballot, type: Message['type']): void {
    const given = this.#given.get(proc)
    if (given !== undefined && isNewer(given, word)) {
      violated('1 agreement', `${proc.member.peer} says ${type} by ${showBallot(word)} after ${showBallot(given)}`)
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
    case 'remind':
    case 'pong':
      return message.ballot
    case 'prevote_reply':
    case 'reject':
      return message.promised
    default:
      return undefined
  }
}
