/** What a round does to its peers and when: drawn from a seed, so that a round can be played again. */

import type { Runtime } from '../e2e/cluster.ts'
import { Prng } from '../sim/prng.ts'
import { barrierYaml, HELD, type PlanOptions, policies } from './plan.ts'

export const kinds = [
  'killed while the others wait',
  'killed while working',
  'twice in quick succession',
  'during an election',
  'all at once',
  'paused',
  'cut off',
  'restarted under the same name',
  'clients',
  'split',
  'leaves in order',
  'fails or is late',
  'disturbed network',
  'anything',
] as const

export type Kind = (typeof kinds)[number]

/** Whom a fault hits; `held` is the peer that the plan's barrier waits for. */
export type Who = 'leader' | 'other' | 'held' | 'few' | 'most' | 'all'

export type When =
  /** The client that hands in the plan has just been started. */
  | { readonly kind: 'submitted' }
  /** The first peer has started the stage. */
  | { readonly kind: 'started'; readonly sequence: number }
  /** Everybody that can waits at the barrier. */
  | { readonly kind: 'waiting'; readonly sequence: number }
  /** The first peer has been released. */
  | { readonly kind: 'released'; readonly sequence: number }
  /** Since the last act, somebody has lost its leader, or has a new one. */
  | { readonly kind: 'lost' | 'elected' }
  | { readonly kind: 'at once' }

export type Act =
  | { readonly kind: 'kill' | 'leave'; readonly who: Who }
  | { readonly kind: 'pause'; readonly who: Who; readonly forMs: number }
  | { readonly kind: 'cut'; readonly who: Who; readonly way: 'in' | 'out' | 'both'; readonly forMs: number }
  | { readonly kind: 'split'; readonly leaderWith: 'few' | 'most'; readonly forMs: number }
  | { readonly kind: 'restart' | 'let go' | 'submit' | 'abort' | 'interrupt' | 'kill the submitter' }

export interface Step {
  readonly when: When
  /** After that moment, ms. */
  readonly delayMs: number
  readonly act: Act
  /** Chooses among those that the act may hit, 0 to 1. */
  readonly pick: number
}

export interface PeerSetup {
  readonly name: string
  readonly runtime: Runtime
}

export interface History {
  readonly seed: number
  readonly kind: Kind
  readonly peers: readonly PeerSetup[]
  /** Peers end after their plan; otherwise they stay, and must go through one more plan at the end. */
  readonly once: boolean
  readonly network: 'loopback' | 'hosts'
  /** Share of packets that each host loses, 0 to 1. */
  readonly loss: number
  /** One way, ms. */
  readonly delayMs: number
  readonly plan: PlanOptions
  /** Whom each of the barriers at which peers can be held waits for. */
  readonly holds: readonly { readonly sequence: number; readonly who: Who; readonly pick: number }[]
  readonly fails: readonly { readonly sequence: number; readonly who: Who; readonly pick: number }[]
  readonly steps: readonly Step[]
}

export interface HistoryLimits {
  readonly runtimes: readonly Runtime[]
  /** Whether hosts of their own can be made here. */
  readonly hosts: boolean
}

const NAMES = ['a', 'b', 'c', 'd', 'e'] as const
const needsHosts: ReadonlySet<Kind> = new Set<Kind>(['cut off', 'split', 'disturbed network'])

/** Kinds take turns, so that any few seeds in a row have most of them. */
export function historyOf(seed: number, limits: HistoryLimits): History {
  const possible = kinds.filter((kind) => limits.hosts || !needsHosts.has(kind))
  const kind = possible[Math.abs(seed) % possible.length] ?? 'anything'
  const prng = new Prng(seed)
  const draw = new Draw(prng, kind)
  const count = prng.weighted([
    [3, 4],
    [4, 2],
    [5, 4],
  ] as const)
  const peers = NAMES.slice(0, count).map((name) => ({ name, runtime: prng.pick(limits.runtimes) }))
  const network = needsHosts.has(kind) ? 'hosts' : 'loopback'
  const once = network === 'loopback' && kind !== 'restarted under the same name' && prng.chance(0.6)
  const disturbed = kind === 'disturbed network'
  const lossy = disturbed && prng.chance(0.6)
  return {
    seed,
    kind,
    peers,
    once,
    network,
    loss: lossy ? prng.between(0.02, 0.15) : 0,
    delayMs: disturbed && !lossy ? prng.int(5, 60) : 0,
    plan: draw.plan(),
    holds: draw.holds(),
    fails: kind === 'fails or is late' ? draw.fails() : [],
    steps: draw.steps(),
  }
}

/** Draws the parts of one history. */
class Draw {
  readonly #prng: Prng
  readonly #kind: Kind

  constructor(prng: Prng, kind: Kind) {
    this.#prng = prng
    this.#kind = kind
  }

  plan(): PlanOptions {
    const prng = this.#prng
    return {
      policy: prng.pick(policies),
      barrierTimeoutMs: prng.int(5, 9) * 1000,
      stragglerGraceMs: this.#kind === 'fails or is late' ? prng.int(5, 20) * 100 : 8000,
      heartbeatMs: prng.weighted([
        [1000, 3],
        [300, 1],
      ] as const),
    }
  }

  /** Each barrier is held, so that there is a moment at which all others wait. */
  holds(): History['holds'] {
    const who = () =>
      this.#prng.weighted([
        ['leader', 3],
        ['other', 2],
      ] as const)
    return HELD.map((sequence) => ({ sequence, who: who(), pick: this.#prng.next() }))
  }

  fails(): History['fails'] {
    const prng = this.#prng
    const who = () => prng.pick(['leader', 'other', 'few'] as const)
    return HELD.filter(() => prng.chance(0.5)).map((sequence) => ({ sequence, who: who(), pick: prng.next() }))
  }

  steps(): readonly Step[] {
    const prng = this.#prng
    switch (this.#kind) {
      case 'killed while the others wait':
        return this.#atBarriers(() => this.#act('kill', prng.pick(['leader', 'other', 'held'])))
      case 'killed while working':
        return [this.#step(this.#working(), prng.int(0, 500), this.#act('kill', prng.pick(['leader', 'other', 'few'])))]
      case 'twice in quick succession':
        return this.#twice({ kind: 'at once' }, prng.int(0, 120))
      case 'during an election':
        return this.#twice(prng.pick([{ kind: 'lost' }, { kind: 'elected' }]), prng.int(0, 15))
      case 'all at once':
        return [this.#step(this.#anyTime(), prng.int(0, 200), this.#many())]
      case 'paused':
        return this.#atBarriers(() => this.#pause(prng.pick(['leader', 'other', 'held', 'few', 'most'])))
      case 'cut off':
        return this.#cuts()
      case 'split':
        return [this.#step(this.#anyTime(), prng.int(0, 300), this.#split())]
      case 'restarted under the same name':
        return this.#restarts()
      case 'clients':
        return this.#clients()
      case 'leaves in order':
        return this.#atBarriers(() => this.#act('leave', prng.pick(['leader', 'other', 'few'])))
      case 'fails or is late':
        return prng.chance(0.5) ? [this.#step(this.#working(), 0, this.#act('kill', 'other'))] : []
      case 'disturbed network':
        return prng.chance(0.7) ? this.#atBarriers(() => this.#killOrPause(prng.pick(['leader', 'other']))) : []
      case 'anything':
        return this.#anything()
    }
  }

  #step(when: When, delayMs: number, act: Act): Step {
    return { when, delayMs, act, pick: this.#prng.next() }
  }

  #act(kind: 'kill' | 'leave', who: Who): Act {
    return { kind, who }
  }

  #pause(who: Who): Act {
    return { kind: 'pause', who, forMs: this.#prng.pick([60, 400, 1200, 4000, 9000]) + this.#prng.int(0, 300) }
  }

  #cut(): Act {
    const prng = this.#prng
    const who = prng.pick(['leader', 'leader', 'other', 'few'] as const)
    return { kind: 'cut', who, way: prng.pick(['in', 'out', 'both'] as const), forMs: prng.int(200, 12_000) }
  }

  #killOrPause(who: Who): Act {
    return this.#prng.chance(0.6) ? this.#act('kill', who) : this.#pause(who)
  }

  #split(): Act {
    return { kind: 'split', leaderWith: this.#prng.pick(['few', 'most']), forMs: this.#prng.int(500, 14_000) }
  }

  #many(): Act {
    const prng = this.#prng
    const who = prng.pick(['all', 'most'] as const)
    return prng.chance(0.5) ? { kind: 'pause', who, forMs: prng.int(300, 6000) } : { kind: 'kill', who }
  }

  #working(): When {
    return { kind: 'started', sequence: this.#prng.int(1, 6) }
  }

  #anyTime(): When {
    const sequence = this.#prng.int(1, 6)
    return this.#prng.weighted<When>([
      [{ kind: 'submitted' }, 1],
      [{ kind: 'started', sequence }, 3],
      [{ kind: 'released', sequence: this.#prng.int(0, 5) }, 2],
      [{ kind: 'waiting', sequence: this.#prng.pick(HELD) }, 4],
    ])
  }

  /** An act at the first barrier at which somebody is held, often one at the second as well; held peers go on between. */
  #atBarriers(act: () => Act): Step[] {
    const steps: Step[] = []
    for (const sequence of HELD.slice(0, this.#prng.chance(0.4) ? HELD.length : 1)) {
      steps.push(this.#step({ kind: 'waiting', sequence }, this.#prng.int(0, 60), act()))
      if (this.#prng.chance(0.5)) steps.push(this.#letGo())
    }
    return steps
  }

  #letGo(): Step {
    return this.#step({ kind: 'at once' }, this.#prng.int(0, 300), { kind: 'let go' })
  }

  #twice(when: When, delayMs: number): Step[] {
    const prng = this.#prng
    const second = prng.chance(0.6) ? this.#act('kill', prng.pick(['leader', 'other'])) : this.#pause('other')
    const sequence = prng.pick(HELD)
    return [
      this.#step({ kind: 'waiting', sequence }, prng.int(0, 60), this.#act('kill', 'leader')),
      this.#step(when, delayMs, second),
    ]
  }

  /** Often a second blow while the first cut lasts, or while the others look for another leader. */
  #cuts(): Step[] {
    const prng = this.#prng
    const first = this.#step(this.#anyTime(), prng.int(0, 300), this.#cut())
    if (prng.chance(0.5)) return [first]
    const when = prng.pick<When>([{ kind: 'at once' }, { kind: 'lost' }, { kind: 'elected' }])
    const second = prng.chance(0.5) ? this.#cut() : this.#killOrPause(prng.pick(['leader', 'other']))
    return [first, this.#step(when, prng.int(0, 1500), second)]
  }

  #restarts(): Step[] {
    const prng = this.#prng
    const fault = this.#act('kill', prng.pick(['leader', 'other', 'held', 'few']))
    const restart = this.#step({ kind: 'at once' }, prng.int(0, 1500), { kind: 'restart' })
    const steps = [this.#step(this.#anyTime(), prng.int(0, 200), fault), restart]
    if (prng.chance(0.4)) steps.push(this.#step(this.#anyTime(), 0, this.#act('kill', 'leader')), restart)
    return steps
  }

  #clients(): Step[] {
    const prng = this.#prng
    const steps: Step[] = []
    if (prng.chance(0.6)) steps.push(this.#step({ kind: 'submitted' }, prng.int(0, 600), { kind: 'submit' }))
    const act = prng.pick(['abort', 'interrupt', 'kill the submitter', 'submit'] as const)
    steps.push(this.#step(this.#anyTime(), prng.int(0, 200), { kind: act }))
    if (prng.chance(0.5)) steps.push(this.#step({ kind: 'at once' }, prng.int(0, 30), this.#act('kill', 'leader')))
    return steps
  }

  #anything(): Step[] {
    const prng = this.#prng
    const any = (): Act =>
      prng.weighted<Act>([
        [this.#act('kill', prng.pick(['leader', 'other', 'held'])), 4],
        [this.#pause(prng.pick(['leader', 'other', 'few', 'most'])), 4],
        [this.#act('leave', prng.pick(['leader', 'other'])), 1],
        [{ kind: 'restart' }, 2],
        [{ kind: 'let go' }, 2],
        [{ kind: 'submit' }, 1],
        [{ kind: 'abort' }, 0.3],
      ])
    return Array.from({ length: prng.int(2, 5) }, () =>
      this.#step(prng.chance(0.5) ? this.#anyTime() : { kind: 'at once' }, prng.int(0, 700), any()),
    )
  }
}

/** The history in a few lines, for whoever reads about a failure. */
export function describeHistory(history: History): string {
  const { seed, kind, peers, once, network, loss, delayMs, plan, holds, fails, steps } = history
  const net = [
    network,
    ...(loss > 0 ? [`${(loss * 100).toFixed(1)} % loss`] : []),
    ...(delayMs > 0 ? [`${delayMs} ms`] : []),
  ]
  const whom = (list: History['holds']) => list.map(({ sequence, who }) => `${who} in stage ${sequence}`).join(', ')
  return [
    `seed ${seed}: ${kind}; ${peers.map(({ name, runtime }) => `${name} (${runtime})`).join(' ')}; ${net.join(', ')}`,
    `  ${barrierYaml(plan)}${once ? ', --once' : ''}; held: ${whom(holds)}${fails.length > 0 ? `; fail: ${whom(fails)}` : ''}`,
    ...steps.map((step) => `  ${describeStep(step)}`),
  ].join('\n')
}

export function describeStep({ when, delayMs, act }: Step): string {
  const { kind, ...rest } = act
  const details = Object.entries(rest).map(([name, value]) => `${name} ${value}`)
  const moment = 'sequence' in when ? `${when.kind} ${when.sequence}` : when.kind
  return `${moment} + ${delayMs} ms: ${[kind, ...details].join(', ')}`
}
