/** Seed -> what will happen: how many peers, which plans, which troubles. All chance of a history is decided here. */

import type { BarrierSpec, Output, PlanSpec, Policy, ReadyStatus, StageSpec, Wanted } from '../../src/barrier/mod.ts'
import { planAmbush } from './ambush.ts'
import { fairWeather, type Weather } from './network.ts'
import { Prng } from './prng.ts'

export type Trouble =
  | 'crash'
  | 'power'
  | 'pause'
  | 'isolate'
  | 'deafen'
  | 'mute'
  | 'split'
  | 'snap'
  | 'restart'
  | 'leave'
  | 'jump'

/** A blow that waits for a certain output: the rare moments are hit on purpose. */
export interface Trigger {
  readonly on: Output['type'] | `send ${string}`
  /** Only at outputs about sequence 0 (the start), only at others, or at any. */
  readonly where: 'start' | 'later' | 'any'
  /** How many such outputs pass before. */
  readonly skip: number
  /** `others`: some of those that are not the sender. */
  readonly victim: 'sender' | 'receiver' | 'leader' | 'anyone' | 'others'
  readonly trouble: Trouble
  readonly delayMs: number
  readonly lastsMs: number
}

export interface PlannedTrouble {
  readonly at: number
  readonly trouble: Trouble
  readonly victim: 'leader' | 'anyone' | 'several'
  readonly lastsMs: number
}

export interface PlannedSubmit {
  readonly at: number
  readonly spec: PlanSpec
  /** At how many peers the same submission is handed in. */
  readonly copies: number
}

export interface StageCourse {
  readonly durationMs: number
  readonly status: ReadyStatus
}

export interface Scenario {
  readonly seed: number
  readonly hosts: readonly string[]
  readonly calm: boolean
  readonly weather: Weather
  /** Nothing is lost, late or overtaken. */
  readonly lightWeather: boolean
  readonly submits: readonly PlannedSubmit[]
  readonly aborts: readonly { readonly at: number }[]
  readonly troubles: readonly PlannedTrouble[]
  readonly triggers: readonly Trigger[]
  readonly cutMode: 'drop' | 'hold'
  readonly clockOffsetMs: number
  readonly clockDrift: number
  readonly clocksJump: boolean
  readonly copyMessages: boolean
  /** Hosts of these indexes start late. */
  readonly lateHosts: ReadonlyMap<string, number>
  /** Act one ends here. */
  readonly healAt: number
  readonly speed: ReadonlyMap<string, number>
  /** How long hosts take to get ready for a plan, ms; infinite: they never are. Those not named are at once. */
  readonly armMs: ReadonlyMap<string, number>
  readonly failShare: number
  readonly stragglerShare: number
  /** Restarted peers keep their peer ID: only the incarnation tells them from those before. */
  readonly sameIds: boolean
  /** For all that is not decided here. */
  readonly chance: Prng
}

export const barrierTimeoutsMs = [1500, 4000, 9000] as const
const policies: readonly Policy[] = ['all_or_nothing', 'majority', 'best_effort']

export function makeScenario(seed: number, members?: number): Scenario {
  const prng = new Prng(seed)
  for (let round = 0; round < 4; round += 1) prng.next()
  const count =
    members ??
    prng.weighted([
      [1, 2],
      [2, 4],
      [3, 30],
      [4, 15],
      [5, 25],
      [6, 6],
      [7, 10],
      [9, 4],
    ] as const)
  const hosts = Array.from({ length: count }, (_, index) => hostName(index))
  const calm = prng.chance(0.06)
  const healAt = prng.between(4000, 16_000)
  const plans = prng.weighted([
    [1, 5],
    [2, 4],
    [3, 2],
  ] as const)
  const light = calm || prng.chance(0.4)
  const clocksJump = !calm && prng.chance(0.1)
  return {
    seed,
    hosts,
    calm,
    weather: light ? lightWeather(prng) : heavyWeather(prng),
    lightWeather: light,
    submits: Array.from({ length: plans }, (_, index) => planSubmit(prng, seed, index, hosts, healAt, calm)),
    aborts: !calm && prng.chance(0.12) ? [{ at: prng.between(1500, healAt) }] : [],
    troubles: calm ? [] : planTroubles(prng, healAt, clocksJump),
    triggers: calm ? [] : [...planTriggers(prng), ...planAmbush(seed, count)],
    cutMode: prng.pick(['drop', 'hold']),
    clockOffsetMs: prng.pick([0, 5, 1000, 500_000]),
    clockDrift: prng.pick([0, 0.0001, 0.002]),
    clocksJump,
    copyMessages: prng.chance(0.03),
    lateHosts: new Map(hosts.filter(() => prng.chance(0.1)).map((host) => [host, prng.between(0, calm ? 800 : 6000)])),
    healAt,
    speed: new Map(
      hosts.map((host) => [
        host,
        prng.weighted([
          [1, 8],
          [3, 2],
          [0.3, 1],
        ] as const),
      ]),
    ),
    armMs: prng.chance(0.4) ? armingTimes(prng, hosts) : new Map(),
    failShare: calm ? 0 : prng.pick([0, 0, 0.03, 0.2]),
    stragglerShare: calm ? 0 : prng.pick([0, 0, 0.05, 0.2]),
    sameIds: prng.chance(0.4),
    chance: prng.fork(),
  }
}

export function hostName(index: number): string {
  const letter = String.fromCharCode(97 + (index % 26))
  return index < 26 ? letter : `${letter}${Math.floor(index / 26)}-`
}

/** How long a host's stage takes, and how it ends. */
export function stageCourse(scenario: Scenario, prng: Prng, host: string, stage: StageSpec): StageCourse {
  const speed = scenario.speed.get(host) ?? 1
  const straggles = prng.chance(scenario.stragglerShare)
  const base = prng.between(10, 600) / speed
  return {
    durationMs: straggles ? base + stage.barrier.barrierTimeoutMs * prng.between(0.3, 2) : base,
    status: prng.chance(scenario.failShare) ? 'failed' : 'ok',
  }
}

export function planSpec(
  prng: Prng,
  submission: string,
  wanted: Wanted,
  barrier: BarrierSpec | null,
  stageCount = prng.int(1, 4),
): PlanSpec {
  const mixed = prng.chance(0.3)
  const policy = prng.pick(policies)
  const shared = barrier ?? barrierSpec(prng, policy)
  const stages = Array.from({ length: stageCount }, (_, index) => ({
    barrierName: `stage-${index + 1}-s${index + 1}`,
    name: `s${index + 1}`,
    optional: prng.chance(0.1),
    barrier: mixed && barrier === null ? otherBarrier(prng, shared) : shared,
  }))
  return { submission, hash: submission, yaml: submission, stages, wanted, agentReadyTimeoutMs: prng.int(2000, 8000) }
}

/** Stages of a plan may differ in what they wait for, and for how long. */
function otherBarrier(prng: Prng, shared: BarrierSpec): BarrierSpec {
  return { ...shared, policy: prng.pick(policies), barrierTimeoutMs: prng.pick(barrierTimeoutsMs) }
}

function barrierSpec(prng: Prng, policy: Policy): BarrierSpec {
  return {
    policy,
    heartbeatIntervalMs: prng.pick([200, 500, 1000]),
    missedThreshold: prng.int(2, 4),
    queryTimeoutMs: prng.pick([200, 500, 1000]),
    queryRetries: prng.int(0, 3),
    barrierTimeoutMs: prng.pick(barrierTimeoutsMs),
    stragglerGraceMs: prng.pick([100, 700, 2500]),
  }
}

function planSubmit(
  prng: Prng,
  seed: number,
  index: number,
  hosts: readonly string[],
  healAt: number,
  calm: boolean,
): PlannedSubmit {
  const wanted = prng.weighted<Wanted>([
    [{ kind: 'all' }, 3],
    [{ kind: 'count', count: hosts.length }, 4],
    [{ kind: 'count', count: Math.max(1, hosts.length - prng.int(0, 2)) }, 2],
    [{ kind: 'names', names: prng.shuffled(hosts).slice(0, Math.max(1, hosts.length - prng.int(0, 1))) }, 2],
  ])
  const spec = planSpec(prng, `s${seed}-${index}`, wanted, null)
  const at = index === 0 ? prng.between(0, 2500) : prng.between(0, healAt)
  return { at, spec: calm ? generous(spec) : spec, copies: prng.chance(0.15) ? 2 : 1 }
}

/** With time for the slowest: without troubles nobody may be left behind. */
function generous(spec: PlanSpec): PlanSpec {
  const stages = spec.stages.map((stage) => ({
    ...stage,
    barrier: { ...stage.barrier, barrierTimeoutMs: 30_000, stragglerGraceMs: 20_000 },
  }))
  return { ...spec, stages, agentReadyTimeoutMs: 30_000 }
}

function armingTimes(prng: Prng, hosts: readonly string[]): Map<string, number> {
  const times = hosts.map((host) => {
    const ms = prng.weighted([
      [0, 4],
      [prng.between(1, 50), 3],
      [prng.between(50, 3000), 3],
      [Number.POSITIVE_INFINITY, 1],
    ] as const)
    return [host, ms] as const
  })
  return new Map(times)
}

function lightWeather(prng: Prng): Weather {
  const delayMinMs = prng.pick([0.05, 0.5])
  return { ...fairWeather, delayMinMs, delayMaxMs: delayMinMs * prng.pick([1.5, 6]) }
}

function heavyWeather(prng: Prng): Weather {
  const delayMinMs = prng.pick([0.05, 1, 20])
  return {
    loss: prng.pick([0, 0.01, 0.05, 0.2]),
    duplication: prng.pick([0, 0.02, 0.2]),
    reordering: prng.pick([0, 0.05, 0.3]),
    reorderMs: prng.pick([5, 200, 3000]),
    delayMinMs,
    delayMaxMs: delayMinMs * prng.pick([1.5, 10]),
  }
}

function planTroubles(prng: Prng, healAt: number, clocksJump: boolean): PlannedTrouble[] {
  const count = prng.weighted([
    [0, 3],
    [1, 4],
    [2, 4],
    [4, 3],
    [8, 1],
  ] as const)
  const list: PlannedTrouble[] = []
  for (let index = 0; index < count; index += 1) {
    list.push({
      at: prng.between(300, healAt),
      trouble: anyTrouble(prng),
      victim: prng.weighted([
        ['leader', 3],
        ['anyone', 4],
        ['several', 1],
      ] as const),
      lastsMs: lasting(prng),
    })
  }
  if (clocksJump) list.push({ at: prng.between(300, healAt), trouble: 'jump', victim: 'anyone', lastsMs: 0 })
  if (clocksJump) list.push({ at: prng.between(300, healAt), trouble: 'jump', victim: 'leader', lastsMs: 0 })
  return list
}

function planTriggers(prng: Prng): Trigger[] {
  const count = prng.weighted([
    [0, 4],
    [1, 5],
    [2, 4],
    [4, 1],
  ] as const)
  return Array.from({ length: count }, () => ({
    on: prng.pick([
      'send propose',
      'send propose',
      'send accept',
      'send accept',
      'send promise',
      'send vote',
      'send decided',
      'send decision',
      'send remind',
      'send handover',
      'send ready',
      'send submit',
      'decided',
      'leader_elected',
      'leader_lost',
      'run_stage',
      'waiting',
      'plan_proposed',
      'plan_started',
      'plan_finished',
    ] as const),
    where: prng.weighted([
      ['any', 3],
      ['start', 2],
      ['later', 3],
    ] as const),
    skip: prng.weighted([
      [0, 3],
      [1, 3],
      [prng.int(2, 8), 3],
      [prng.int(8, 40), 1],
    ] as const),
    victim: prng.weighted([
      ['sender', 4],
      ['receiver', 2],
      ['leader', 3],
      ['anyone', 1],
    ] as const),
    trouble: anyTrouble(prng),
    delayMs: prng.weighted([
      [0, 4],
      [prng.between(0, 2), 3],
      [prng.between(0, 300), 1],
    ] as const),
    lastsMs: lasting(prng),
  }))
}

function anyTrouble(prng: Prng): Trouble {
  return prng.weighted<Trouble>([
    ['crash', 6],
    ['restart', 4],
    ['power', 2],
    ['pause', 5],
    ['isolate', 3],
    ['deafen', 2],
    ['mute', 2],
    ['split', 3],
    ['snap', 3],
    ['leave', 2],
  ])
}

function lasting(prng: Prng): number {
  return prng.weighted([
    [prng.between(1, 50), 2],
    [prng.between(50, 1500), 3],
    [prng.between(1500, 12_000), 3],
  ] as const)
}
