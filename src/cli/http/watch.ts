/** What this node knows of the plan that runs, or of the last one, for those who look on. */

import type { Decision, PlanRef, StageReport } from '../../barrier/mod.ts'
import type { StageProgress } from '../../io/mod.ts'
import { type MeshEvent, now } from '../../mesh/mod.ts'
import type { AgentProgress } from '../feed.ts'
import { parsePlan } from '../plan/mod.ts'
import {
  newPlanView,
  type PlanView,
  type StageView,
  withDecision,
  withDigest,
  withEnd,
  withLeader,
  withProgress,
} from '../progress.ts'
import { OBSERVATIONS_MAX, type Observation, observationOf, type PlanEnd, ResultsSoFar } from '../results/mod.ts'
import { StageSamples } from './samples.ts'

/** One plan. */
export interface Watched {
  readonly plan: PlanRef
  readonly view: PlanView
  /** Another one whenever there is more than progress to show. */
  readonly revision: number
  readonly samples: StageSamples
  /** When agents of the open stage stopped working, own clock, ms. */
  readonly changedAt: ReadonlyMap<string, number>
  readonly observed: Observation[]
  readonly results: () => ResultsSoFar
  readonly end: () => PlanEnd
}

/** `figures`: there are results, leaders or losses that were not there before; `progress`: the open stage went on. */
export type Change = 'figures' | 'progress'

export class RunWatch {
  readonly #runId: string
  readonly #name: string
  readonly #listeners = new Set<(change: Change) => void>()
  #watched: WatchedPlan | null = null

  /** `name`: this node's. */
  constructor(runId: string, name: string) {
    this.#runId = runId
    this.#name = name
  }

  get plan(): Watched | null {
    return this.#watched
  }

  /** Returns a function that ends it. */
  onChange(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Runs while others wait for this peer: whatever takes time is left to those who look. */
  take(event: MeshEvent): void {
    const at = now()
    if (event.type === 'decided' && event.decision.kind === 'start') {
      if (this.#watched?.plan.uid !== event.decision.plan.uid) {
        this.#watched = new WatchedPlan(this.#runId, event.decision, at)
      }
    }
    const observation = observationOf(event, this.#name, at)
    if (observation !== null) this.#watched?.observe(observation)
    if (this.#watched?.take(event, at) === true || observation !== null) this.#tell('figures')
    else if (event.type === 'progress') this.#tell('progress')
  }

  /** Of an agent, this peer included. */
  progress(peer: string, { uid, sequence, progress }: AgentProgress): void {
    if (this.#watched?.plan.uid !== uid) return
    this.#watched.progress(peer, sequence, progress)
    this.#tell('progress')
  }

  undelivered(plan: PlanRef, reports: readonly StageReport[]): void {
    if (this.#watched?.plan.uid !== plan.uid) return
    this.#watched.undelivered(reports)
    this.#tell('figures')
  }

  #tell(change: Change): void {
    for (const listener of this.#listeners) listener(change)
  }
}

/** The first stage is about to start when a plan becomes known: reading it again can wait. */
const READ_PLAN_MS = 200

type StartDecision = Extract<Decision, { kind: 'start' }>
type Decided = Extract<MeshEvent, { type: 'decided' }>

class WatchedPlan implements Watched {
  readonly plan: PlanRef
  readonly observed: Observation[] = []
  view: PlanView
  revision = 0
  readonly samples = new StageSamples()
  readonly changedAt = new Map<string, number>()
  readonly #results: ResultsSoFar
  /** Decisions whose reports nobody wanted to read yet, and what came after them. */
  readonly #unread: Decided[] = []
  readonly #undelivered: StageReport[] = []

  constructor(runId: string, start: StartDecision, now: number) {
    this.plan = start.plan
    const named = start.spec.stages.map(({ name }) => ({ name, type: '', expectedSeconds: null }))
    this.view = newPlanView(runId, named, now)
    setTimeout(() => {
      this.view = { ...this.view, stages: stagesOf(start.spec.yaml) ?? named }
    }, READ_PLAN_MS).unref()
    this.#results = new ResultsSoFar(runId, start)
  }

  readonly results = (): ResultsSoFar => {
    for (const { decision, unilateral, waitedMs } of this.#unread.splice(0)) {
      this.#results.add(decision, unilateral, waitedMs)
    }
    for (const report of this.#undelivered.splice(0)) this.#results.addUndelivered(report)
    return this.#results
  }

  readonly end = (): PlanEnd => {
    const { end, unilateral } = this.view
    return { status: end?.status ?? 'running', reason: end?.reason ?? '', unilateral }
  }

  undelivered(reports: readonly StageReport[]): void {
    this.#undelivered.push(...reports)
    this.revision += 1
  }

  observe(observation: Observation): void {
    if (this.view.end !== null || this.observed.length >= OBSERVATIONS_MAX) return
    this.observed.push(observation)
    this.revision += 1
  }

  progress(peer: string, sequence: number, progress: StageProgress): void {
    const before = this.view
    this.view = withProgress(before, peer, sequence, progress)
    const name = before.agents.find((agent) => agent.peer === peer)?.name
    if (this.view !== before && name !== undefined) this.samples.add(name, progress)
  }

  /** True when there is more to show than progress. */
  take(event: MeshEvent, now: number): boolean {
    switch (event.type) {
      case 'decided':
        if (event.decision.plan.uid !== this.plan.uid) return false
        this.#unread.push(event)
        this.view = withDecision(this.view, event.decision, event.unilateral, now)
        this.samples.clear()
        this.changedAt.clear()
        this.revision += 1
        return true
      case 'plan_finished':
        if (event.plan.uid !== this.plan.uid) return false
        this.view = withEnd(this.view, event.status, event.reason, event.unilateral)
        this.revision += 1
        return true
      case 'progress':
        if (event.digest.plan.uid === this.plan.uid) this.view = withDigest(this.view, event.digest)
        for (const { peer, state } of this.view.agents) {
          if (state === 'working') this.changedAt.delete(peer)
          else if (!this.changedAt.has(peer)) this.changedAt.set(peer, now)
        }
        return false
      case 'leader_elected':
        if (this.view.end === null) this.view = withLeader(this.view, event.name)
        return false
      default:
        return false
    }
  }
}

/** A plan that cannot be read fails at its members; here it is shown without what cannot be known. */
function stagesOf(yaml: string): StageView[] | null {
  try {
    return parsePlan(yaml, 'the plan').stages.map(({ name, type, expectedSeconds }) => ({
      name,
      type,
      expectedSeconds,
    }))
  } catch {
    return null
  }
}
