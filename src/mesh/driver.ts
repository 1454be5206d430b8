/** Drives the barrier core: inbox -> step -> outputs, with one timer. The only place that gives it time and dice. */

import { BarrierCore, type CoreStatus, type Input, type Member, type Message, type Output } from '../barrier/mod.ts'
import { now } from './clock.ts'

/** A longer timer would end at once. A tick that comes early changes nothing. */
const TIMER_MS_MAX = 2 ** 31 - 1

/** What the core wants done. Called in order, one after another; must not throw. */
export interface Carrier {
  send(to: string, message: Message): void
  broadcast(message: Message): void
  probe(peer: string): void
  /** Everything that is not for the network. */
  act(output: Exclude<Output, { type: 'send' | 'broadcast' | 'probe' }>): void
  /** The core broke an invariant: nothing more may be done with it. */
  fault(error: Error): void
}

export class Driver {
  readonly #core: BarrierCore
  readonly #carrier: Carrier
  readonly #inbox: { readonly input: Input; readonly at: number }[] = []
  #started = false
  #running = false
  #ticking = false
  #stopped = false
  #timer: NodeJS.Timeout | undefined
  #last = now()

  constructor(self: Member, carrier: Carrier) {
    this.#core = new BarrierCore({ self, now: this.#last, dice: Math.random() })
    this.#carrier = carrier
  }

  /** What was fed before is taken now: the core's time begins here. */
  start(): void {
    this.#started = true
    this.feed({ type: 'tick' })
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
  }

  status(): CoreStatus {
    return this.#core.status(now())
  }

  /** `at`: own clock, when it happened; what arrived is stamped at its arrival, not when its turn comes. */
  feed(input: Input, at = now()): void {
    if (this.#stopped) return
    this.#inbox.push({ input, at })
    if (this.#started && !this.#running) this.#drain()
  }

  #drain(): void {
    this.#running = true
    try {
      for (let next = this.#inbox.shift(); next !== undefined && !this.#stopped; next = this.#inbox.shift()) {
        this.#last = Math.max(this.#last, next.at)
        for (const output of this.#core.step(next.input, this.#last, Math.random())) this.#carry(output)
      }
    } catch (error) {
      this.stop()
      this.#carrier.fault(error instanceof Error ? error : new Error(String(error)))
    } finally {
      this.#running = false
    }
    this.#arm()
  }

  #carry(output: Output): void {
    switch (output.type) {
      case 'send':
        this.#carrier.send(output.to, output.message)
        return
      case 'broadcast':
        this.#carrier.broadcast(output.message)
        return
      case 'probe':
        this.#carrier.probe(output.peer)
        return
      default:
        this.#carrier.act(output)
    }
  }

  #arm(): void {
    clearTimeout(this.#timer)
    const wakeAt = this.#core.nextWakeAt()
    if (wakeAt === null || this.#stopped) return
    const wait = Math.min(TIMER_MS_MAX, Math.max(0, Math.ceil(wakeAt - now())))
    this.#timer = setTimeout(() => this.#tick(), wait)
  }

  /** What has arrived by now is read first: a process short of time must not take those for silent whom it did not hear. */
  #tick(): void {
    if (this.#ticking) return
    this.#ticking = true
    setImmediate(() => {
      this.#ticking = false
      this.feed({ type: 'tick' })
    })
  }
}
