/**
 * A few cores on a table, for stories: every message takes a millisecond, dice are fixed, nothing happens by chance.
 * What the mesh does in production is done here by hand, so that a script can hold back, lose or repeat any message.
 */

import {
  BarrierCore,
  type Input,
  type Member,
  type Message,
  type Output,
  type PlanRef,
  type PlanSpec,
  type ReadyStatus,
} from '../../src/barrier/mod.ts'
import { checkMessage } from '../../src/mesh/wire.ts'
import { Telling } from './telling.ts'

const DELAY_MS = 1
/** Gossip goes over one hop more. */
const GOSSIP_MS = 2

interface Actor {
  readonly member: Member
  readonly core: BarrierCore
  readonly dice: number
  state: 'up' | 'paused' | 'gone'
  /** Whom it is connected to, by peer ID. */
  readonly links: Map<string, Actor>
  readonly backlog: Input[]
  stage: { readonly plan: PlanRef; readonly sequence: number } | null
  fedAt: number
}

interface Flight {
  readonly at: number
  readonly to: Actor
  readonly input: Input
}

interface Sent {
  readonly from: Actor
  readonly to: Actor
  readonly message: Message
}

interface Hold {
  readonly type: string
  readonly from: string
  readonly to: string
}

export class World {
  readonly telling = new Telling()
  now = 0
  #flights: Flight[] = []
  readonly #actors: Actor[] = []
  readonly #sent: Sent[] = []
  readonly #cuts = new Set<string>()
  readonly #holds: Hold[] = []
  /** Peers that take their time to get ready for a plan, and what they get ready for. */
  readonly #slow = new Map<string, PlanRef | null>()
  #held: Sent[] = []

  // --- peers ---

  boot(name: string): void {
    const number = this.#actors.filter(({ member }) => member.peer === name).length + 1
    const dice = (name.charCodeAt(0) - 'a'.charCodeAt(0)) / 10
    const member = { peer: name, name, incarnation: `${number}` }
    const core = new BarrierCore({ self: member, now: this.now, dice })
    const actor: Actor = {
      member,
      core,
      dice,
      state: 'up',
      links: new Map(),
      backlog: [],
      stage: null,
      fedAt: this.now,
    }
    this.#actors.push(actor)
    this.#feed(actor, { type: 'tick' })
    for (const other of this.#live()) if (other !== actor) this.#connect(actor, other)
  }

  kill(name: string): void {
    this.#end(this.#actor(name))
  }

  pause(name: string): void {
    this.#actor(name).state = 'paused'
  }

  resume(name: string): void {
    const actor = this.#actor(name)
    actor.state = 'up'
    for (const input of actor.backlog.splice(0)) this.#feed(actor, input)
    this.#feed(actor, { type: 'tick' })
  }

  /** The connection of two peers closes, and both notice. */
  disconnect(a: string, b: string): void {
    this.#unlink(this.#actor(a), this.#actor(b))
    this.#unlink(this.#actor(b), this.#actor(a))
  }

  connect(a: string, b: string): void {
    this.#connect(this.#actor(a), this.#actor(b))
  }

  // --- what people and stages do ---

  tell(name: string, input: Input): void {
    this.#feed(this.#actor(name), input)
  }

  submit(name: string, spec: PlanSpec): void {
    this.tell(name, { type: 'submit', spec })
  }

  finish(name: string, status: ReadyStatus): void {
    const actor = this.#actor(name)
    if (actor.stage === null) throw new Error(`${name} runs no stage`)
    const { plan, sequence } = actor.stage
    actor.stage = null
    this.#feed(actor, { type: 'ready', plan, sequence, status, payload: `${name}'s results of ${sequence}` })
  }

  /** It is not ready for a plan before it is told so; all others are at once. */
  slow(name: string): void {
    this.#slow.set(name, null)
  }

  armed(name: string): void {
    const plan = this.#slow.get(name) ?? null
    if (plan === null) throw new Error(`${name} does not get ready for a plan`)
    this.#feed(this.#actor(name), { type: 'armed', plan })
  }

  // --- the network ---

  cut(from: string, to: string): void {
    this.#cuts.add(`${from}>${to}`)
  }

  heal(): void {
    this.#cuts.clear()
  }

  /** Messages of this type and link wait for `release`; `*` stands for anybody. */
  hold(type: string, from: string, to: string): void {
    this.#holds.push({ type, from, to })
  }

  release(): void {
    this.#holds.length = 0
    for (const { from, to, message } of this.#held.splice(0)) this.#fly(from, to, message, DELAY_MS)
  }

  forget(): void {
    this.#holds.length = 0
    this.#held = []
  }

  /** The newest message of this type and link comes once more, changed by `change`, from whom it says. */
  replay(type: string, from: string, to: string, claims: string, change: (copy: unknown) => void): void {
    const old = this.#sent.findLast(
      (sent) => sent.message.type === type && sent.from.member.name === from && sent.to.member.name === to,
    )
    if (old === undefined) throw new Error(`${from} has sent no ${type} to ${to}`)
    const copy: unknown = JSON.parse(JSON.stringify(old.message))
    change(copy)
    // As the mesh does: what does not parse never comes to the core.
    const checked = checkMessage(copy)
    if (!checked.ok) {
      this.telling.line(this.now, `${to}  rejected malformed: a message of ${claims} (${checked.fault})`)
      return
    }
    const { incarnation } = old.from.member
    const receiver = this.#actor(to)
    this.#flights.push({
      at: this.now + DELAY_MS,
      to: receiver,
      input: { type: 'message', from: claims, incarnation, message: checked.value },
    })
  }

  // --- time ---

  /** Until nothing is under way; timers fire meanwhile. */
  settle(): void {
    const end = this.now + 30
    while (this.#flights.length > 0 && this.now < end) this.#next(end)
  }

  wait(ms: number): void {
    const end = this.now + ms
    while (this.#next(end));
    this.now = end
  }

  until(pattern: RegExp, limitMs: number): void {
    const end = this.now + limitMs
    const before = this.telling.seen(pattern)
    while (this.telling.seen(pattern) === before) {
      if (!this.#next(end)) throw new Error(`${pattern} does not come within ${limitMs} ms`)
    }
  }

  /** The next thing that happens by `end`: a message arrives, or a timer fires. False when there is none. */
  #next(end: number): boolean {
    const flight = this.#flights.reduce<Flight | null>((best, one) => (best && best.at <= one.at ? best : one), null)
    let timer: { readonly at: number; readonly actor: Actor } | null = null
    for (const actor of this.#actors) {
      const own = actor.state === 'up' ? actor.core.nextWakeAt() : null
      if (own === null) continue
      const at = Math.max(Math.ceil(own), actor.fedAt + 1)
      if (timer === null || at < timer.at) timer = { at, actor }
    }
    const at = Math.min(flight?.at ?? Number.POSITIVE_INFINITY, timer?.at ?? Number.POSITIVE_INFINITY)
    if (at > end) return false
    this.now = Math.max(this.now, at)
    if (flight !== null && flight.at <= at) {
      this.#flights = this.#flights.filter((one) => one !== flight)
      this.#feed(flight.to, flight.input)
    } else if (timer !== null) this.#feed(timer.actor, { type: 'tick' })
    return true
  }

  #feed(actor: Actor, input: Input): void {
    if (actor.state === 'paused') actor.backlog.push(input)
    if (actor.state !== 'up') return
    actor.fedAt = this.now
    const outputs = actor.core.step(input, this.now, actor.dice)
    const fates = outputs.map((output) => this.#carry(actor, output))
    this.telling.step(this.now, actor.member.name, outputs, fates)
    if (outputs.some(({ type }) => type === 'left')) this.#end(actor)
    for (const output of outputs) if (output.type === 'plan_proposed') this.#getReady(actor, output.plan)
  }

  #getReady(actor: Actor, plan: PlanRef): void {
    const { name } = actor.member
    if (this.#slow.has(name)) this.#slow.set(name, plan)
    else this.#feed(actor, { type: 'armed', plan })
  }

  /** Says what became of a message that does not simply arrive. */
  #carry(actor: Actor, output: Output): string {
    if (output.type === 'run_stage') actor.stage = { plan: output.plan, sequence: output.sequence }
    if (output.type === 'cancel_stage' || output.type === 'plan_finished') actor.stage = null
    if (output.type === 'probe') this.#probe(actor, output.peer)
    if (output.type === 'broadcast') {
      for (const to of this.#gossipReach(actor)) this.#transmit(actor, to, output.message, GOSSIP_MS)
    }
    if (output.type !== 'send') return ''
    const to = actor.links.get(output.to)
    return to === undefined ? '(no link)' : this.#transmit(actor, to, output.message, DELAY_MS)
  }

  #transmit(from: Actor, to: Actor, message: Message, delayMs: number): string {
    this.#sent.push({ from, to, message })
    const [a, b] = [from.member.name, to.member.name]
    if (delayMs === DELAY_MS && this.#cuts.has(`${a}>${b}`)) return '(lost)'
    const fits = (mark: string, name: string) => mark === '*' || mark === name
    if (this.#holds.some((hold) => hold.type === message.type && fits(hold.from, a) && fits(hold.to, b))) {
      this.#held.push({ from, to, message })
      return '(held)'
    }
    this.#fly(from, to, message, delayMs)
    return ''
  }

  /** Gossip goes by way of others where the direct one is cut. */
  #gossipReach(from: Actor): Actor[] {
    const reached = [from]
    for (const relay of reached) {
      for (const next of relay.links.values()) {
        if (reached.includes(next) || this.#cuts.has(`${relay.member.name}>${next.member.name}`)) continue
        reached.push(next)
      }
    }
    return reached.slice(1)
  }

  #fly(from: Actor, to: Actor, message: Message, delayMs: number): void {
    const { peer, incarnation } = from.member
    this.#flights.push({ at: this.now + delayMs, to, input: { type: 'message', from: peer, incarnation, message } })
  }

  #probe(actor: Actor, peer: string): void {
    const wanted = this.#actors.findLast(({ member }) => member.peer === peer)
    if (wanted === undefined || this.#cuts.has(`${actor.member.name}>${wanted.member.name}`)) return
    if (wanted.state === 'up') this.#connect(actor, wanted)
    else if (wanted.state === 'gone') this.#later(actor, { type: 'unreachable', peer })
  }

  #connect(a: Actor, b: Actor): void {
    for (const [one, other] of [
      [a, b],
      [b, a],
    ] as const) {
      one.links.set(other.member.peer, other)
      this.#later(one, { type: 'peer_up', member: other.member })
    }
  }

  #unlink(actor: Actor, other: Actor): void {
    if (actor.links.get(other.member.peer) !== other) return
    actor.links.delete(other.member.peer)
    this.#later(actor, { type: 'peer_down', peer: other.member.peer })
  }

  #end(actor: Actor): void {
    actor.state = 'gone'
    for (const other of this.#actors) if (other !== actor) this.#unlink(other, actor)
  }

  #later(to: Actor, input: Input): void {
    this.#flights.push({ at: this.now + DELAY_MS, to, input })
  }

  #live(): Actor[] {
    return this.#actors.filter(({ state }) => state !== 'gone')
  }

  #actor(name: string): Actor {
    const actor = this.#actors.findLast(({ member }) => member.name === name)
    if (actor === undefined) throw new Error(`nobody is called ${name}`)
    return actor
  }
}
