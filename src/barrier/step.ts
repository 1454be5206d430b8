/** One call of the core: the state it changes, the time, the die, and what comes out. */

import type { Output, RejectReason } from './interface.ts'
import type { Message, MessageType } from './messages.ts'
import type { PeerId } from './plans.ts'
import type { CoreState } from './state.ts'

export class Step {
  readonly outputs: Output[] = []
  readonly state: CoreState
  readonly now: number
  readonly dice: number

  constructor(state: CoreState, now: number, dice: number) {
    this.state = state
    this.now = now
    this.dice = dice
  }

  emit(output: Output): void {
    this.outputs.push(output)
  }

  send(to: PeerId, message: Message): void {
    if (to !== this.state.self.peer) this.outputs.push({ type: 'send', to, message })
  }

  sendEach(peers: Iterable<PeerId>, message: Message): void {
    for (const peer of peers) this.send(peer, message)
  }

  broadcast(message: Message): void {
    this.outputs.push({ type: 'broadcast', message })
  }

  /** Counts and reports a message that changes nothing. */
  reject(reason: RejectReason, from: PeerId, message: MessageType, expected: string, got: string): void {
    const { rejected } = this.state
    rejected.set(reason, (rejected.get(reason) ?? 0) + 1)
    this.outputs.push({ type: 'rejected', reason, from, message, expected, got })
  }
}
