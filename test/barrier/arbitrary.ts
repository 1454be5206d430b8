/** Arbitrary well-formed messages over a small world, so that they often meet what the core really has. */

import type {
  AcceptedNote,
  Ballot,
  ClockNote,
  Decision,
  Exclusion,
  Member,
  Message,
  MessageType,
  PlanRef,
  PlanSpec,
  ReadinessDigest,
  StageReport,
  SubmitOutcome,
  Wanted,
} from '../../src/barrier/mod.ts'
import type { Prng } from '../sim/prng.ts'
import { barrierSpec, planOf } from './plans.ts'

/** What the messages are about: the peers and plans that the core under test may know. */
export interface World {
  readonly members: readonly Member[]
  readonly plans: readonly PlanRef[]
  /** What the core has promised, and where it stands in its plan. */
  readonly status: () => { readonly term: number; readonly plan: PlanRef | null; readonly sequence: number }
}

export class Arbitrary {
  readonly #prng: Prng
  readonly #world: World

  constructor(prng: Prng, world: World) {
    this.#prng = prng
    this.#world = world
  }

  message(): Message {
    const type = this.#prng.pick(Object.keys(this.#makers) as MessageType[])
    return this.#makers[type]()
  }

  /** A record by type, so that the compiler misses none. */
  readonly #makers: { readonly [T in MessageType]: () => Extract<Message, { type: T }> } = {
    ping: () => ({ type: 'ping', sentAt: this.#time(), term: this.#small(), ...this.#about(), planMax: this.#small() }),
    pong: () => ({
      type: 'pong',
      ballot: this.#ballot(),
      pingSentAt: this.#time(),
      receivedAt: this.#time(),
      sentAt: this.#time(),
      ...this.#about(),
      planMax: this.#small(),
      readyKnown: this.#prng.chance(0.5),
      lateKnown: this.#prng.chance(0.5) ? [] : [this.#prng.int(0, 3)],
    }),
    heartbeat: () => ({
      type: 'heartbeat',
      ballot: this.#ballot(),
      ...this.#about(),
      planMax: this.#small(),
      digest: this.#prng.chance(0.5) ? null : this.#digest(),
      clock: this.#prng.chance(0.5) ? null : this.#clock(),
    }),
    prevote: () => ({ type: 'prevote', ballot: this.#ballot(), ...this.#about() }),
    prevote_reply: () => ({
      type: 'prevote_reply',
      ballot: this.#ballot(),
      granted: this.#prng.chance(0.5),
      leader: this.#prng.chance(0.5) ? null : this.#ballot(),
      promised: this.#ballot(),
      known: this.#small(),
    }),
    vote: () => ({
      type: 'vote',
      ballot: this.#ballot(),
      ...this.#about(),
      inFull: this.#prng.chance(0.5),
    }),
    promise: () => ({
      type: 'promise',
      ballot: this.#ballot(),
      ...this.#about(),
      accepted: this.#prng.chance(0.4) ? null : this.#accepted(),
      ready: this.#prng.chance(0.5) ? null : this.#ready(),
      planMax: this.#small(),
    }),
    reject: () => ({ type: 'reject', ballot: this.#ballot(), promised: this.#ballot() }),
    propose: () => ({ type: 'propose', ballot: this.#ballot(), decision: this.#decision() }),
    remind: () => ({
      type: 'remind',
      ballot: this.#ballot(),
      plan: this.#plan(),
      sequence: this.#sequence(),
      origin: this.#ballot(),
    }),
    accept: () => ({ type: 'accept', ballot: this.#ballot(), plan: this.#plan(), sequence: this.#sequence() }),
    refuse: () => ({
      type: 'refuse',
      ballot: this.#ballot(),
      plan: this.#plan(),
      reason: 'busy',
      accepted: this.#prng.chance(0.5),
      planMax: this.#small(),
    }),
    decided: () => ({
      type: 'decided',
      ballot: this.#ballot(),
      plan: this.#plan(),
      sequence: this.#sequence(),
      startAt: this.#start(),
    }),
    catchup: () => ({ type: 'catchup', plan: this.#plan(), sequence: this.#sequence() }),
    decision: () => ({ type: 'decision', decision: this.#decision(), startAt: this.#start() }),
    ready: () => ({ type: 'ready', plan: this.#plan(), ...this.#ready() }),
    query: () => ({ type: 'query', nonce: this.#small(), plan: this.#planOrNone() }),
    answer: () => ({ type: 'answer', nonce: this.#small(), ...this.#about() }),
    leave: () => ({ type: 'leave' }),
    handover: () => ({ type: 'handover', ballot: this.#ballot() }),
    submit: () => ({ type: 'submit', spec: this.#spec() }),
    submit_reply: () => ({ type: 'submit_reply', submission: this.#submission(), outcome: this.#outcome() }),
    abort_request: () => ({ type: 'abort_request', plan: this.#plan(), reason: 'by hand' }),
  }

  /** Small numbers meet those in use; the largest allowed must do no harm either. */
  #small(): number {
    return this.#prng.chance(0.02) ? 2 ** 48 : this.#prng.int(0, 9)
  }

  #start(): number | null {
    return this.#prng.chance(0.5) ? this.#time() : null
  }

  #time(): number {
    return this.#prng.pick([0, -5.5, 1000, 1003.25, 1e12])
  }

  #sequence(): number {
    return this.#prng.chance(0.6) ? this.#world.status().sequence : this.#prng.int(0, 4)
  }

  #ballot(): Ballot {
    const near = this.#world.status().term + this.#prng.int(0, 1)
    return {
      term: this.#prng.chance(0.6) && near <= 2 ** 48 ? near : this.#small(),
      peer: this.#prng.pick(this.#world.members).peer,
    }
  }

  #plan(): PlanRef {
    const own = this.#world.status().plan
    if (own !== null && this.#prng.chance(0.6)) return own
    return this.#prng.pick(this.#world.plans)
  }

  #planOrNone(): PlanRef | null {
    return this.#prng.chance(0.3) ? null : this.#plan()
  }

  #about(): { plan: PlanRef | null; sequence: number } {
    return { plan: this.#planOrNone(), sequence: this.#sequence() }
  }

  #some<T>(list: readonly T[]): T[] {
    return this.#prng.shuffled(list).slice(0, this.#prng.int(0, list.length))
  }

  #peers(): string[] {
    return this.#some(this.#world.members).map(({ peer }) => peer)
  }

  #clock(): ClockNote {
    return { peer: this.#prng.pick(this.#world.members).peer, offsetMs: this.#time(), errorMs: this.#small() }
  }

  #ready(): { sequence: number; status: 'ok' | 'failed'; payload: string; waitedMs: number } {
    const status = this.#prng.pick(['ok', 'failed'] as const)
    return { sequence: this.#sequence(), status, payload: 'x', waitedMs: this.#prng.pick([0, 5, 1e12]) }
  }

  #digest(): ReadinessDigest {
    const lists = { ready: this.#peers(), failed: this.#peers(), waiting: this.#peers(), dead: this.#peers() }
    return { plan: this.#plan(), sequence: this.#sequence(), digestSequence: this.#small(), ...lists }
  }

  #accepted(): AcceptedNote {
    return { ballot: this.#ballot(), decision: this.#prng.chance(0.2) ? null : this.#decision() }
  }

  #decision(): Decision {
    const { peer: leader } = this.#prng.pick(this.#world.members)
    const base = { plan: this.#plan(), sequence: this.#sequence(), ballot: this.#ballot(), leader }
    const members = this.#some(this.#world.members)
    const policy = this.#prng.pick(['all_or_nothing', 'majority', 'best_effort'] as const)
    const outcome = { policy, members, excluded: this.#exclusions(), reports: this.#reports() }
    switch (this.#prng.pick(['start', 'release', 'abort'] as const)) {
      case 'start':
        return {
          kind: 'start',
          ...base,
          spec: this.#spec(),
          members,
          startAt: this.#time(),
          armMs: this.#prng.pick([0, 700, 1e9]),
        }
      case 'release':
        return { kind: 'release', ...base, ...outcome, ready: this.#peers(), waitedMs: 1, startAt: this.#time() }
      case 'abort':
        return { kind: 'abort', ...base, ...outcome, reason: 'by hand' }
    }
  }

  #exclusions(): Exclusion[] {
    return this.#some(this.#world.members).map(({ peer, name }) => {
      return { peer, name, reason: this.#prng.pick(['dead', 'failed', 'straggler', 'left'] as const) }
    })
  }

  #reports(): StageReport[] {
    return this.#some(this.#world.members).map(({ peer, name }) => {
      return { peer, name, sequence: this.#sequence(), status: 'ok', payload: 'x' }
    })
  }

  #submission(): string {
    return this.#prng.pick(['s1', 's2', 's3'])
  }

  #spec(): PlanSpec {
    const policy = this.#prng.pick(['all_or_nothing', 'majority', 'best_effort'] as const)
    const wanted = this.#prng.pick<Wanted>([
      { kind: 'all' },
      { kind: 'count', count: 2 },
      { kind: 'count', count: 4096 },
      { kind: 'names', names: ['a', 'b'] },
      { kind: 'names', names: [] },
    ])
    const barrier = { ...barrierSpec(policy), heartbeatIntervalMs: this.#prng.pick([0, 1, 1000]) }
    return { ...planOf({ submission: this.#submission(), stages: this.#prng.int(0, 3), barrier }), wanted }
  }

  #outcome(): SubmitOutcome {
    return this.#prng.pick<SubmitOutcome>([
      { status: 'accepted', plan: this.#plan() },
      { status: 'busy', plan: this.#planOrNone(), detail: 'busy' },
      { status: 'refused', detail: 'nobody came' },
    ])
  }
}
