/**
 * What a node tells clients: it keeps the decisions of the current and the last plan, so that whoever follows a plan
 * can go on here after the peer that it followed before has died.
 */

import { z } from 'zod'
import type { Leaderless, PlanRef, StartDecision } from '../barrier/mod.ts'
import { type ClientChannel, type MeshEvent, now } from '../mesh/mod.ts'
import { atMost } from './at-most.ts'
import { ALIVE_INTERVAL_MS, BACKLOG_MAX, isPassing, type NodeDocument, progressSchema } from './client-protocol.ts'
import { LEADERLESS_AFTER_MS } from './leaderless.ts'
import { OBSERVATIONS_MAX, observationOf } from './results/mod.ts'

type DecisionDocument = Extract<NodeDocument, { type: 'decision' }>
type ObservedDocument = Extract<NodeDocument, { type: 'observed' }>
type FinishedDocument = Extract<NodeDocument, { type: 'finished' }>

/** One plan as this node saw it. */
export interface KeptPlan {
  readonly plan: PlanRef
  readonly start: StartDecision
  readonly decisions: DecisionDocument[]
  /** What this node saw of the others meanwhile. */
  readonly observed: ObservedDocument[]
  finished: FinishedDocument | null
}

const PLANS_KEPT = 2

/** Gossiped by agents while they work. */
export const agentProgressSchema = z.object({
  uid: z.string().max(256),
  sequence: z.number().int(),
  progress: progressSchema,
})
export type AgentProgress = z.infer<typeof agentProgressSchema>

export class PlanFeed {
  readonly #name: string
  readonly #leaderless: () => Leaderless | null
  readonly #records: KeptPlan[] = []
  readonly #followers = new Set<Follower>()
  /** Those that wait for the start of a submission. */
  readonly #awaited = new Set<{ readonly submission: string; settle(plan: KeptPlan | null): void }>()

  /** `name`: this node's; `leaderless`: what it says of itself. */
  constructor(name: string, leaderless: () => Leaderless | null) {
    this.#name = name
    this.#leaderless = leaderless
  }

  /** The plan that runs, or the last one. */
  get latest(): KeptPlan | null {
    return this.#records.at(-1) ?? null
  }

  get followers(): number {
    return this.#followers.size
  }

  bySubmission(submission: string): KeptPlan | null {
    return this.#records.find((record) => record.start.spec.submission === submission) ?? null
  }

  /** The record of a plan whose start is about to be known here; null when it does not come in time. */
  started(submission: string, timeoutMs: number): Promise<KeptPlan | null> {
    const known = this.bySubmission(submission)
    if (known !== null) return Promise.resolve(known)
    return new Promise((resolve) => {
      const settle = (plan: KeptPlan | null) => {
        clearTimeout(timer)
        this.#awaited.delete(waiting)
        resolve(plan)
      }
      const waiting = { submission, settle }
      const timer = setTimeout(() => settle(null), timeoutMs)
      this.#awaited.add(waiting)
    })
  }

  /** Keeps what must be kept, and tells the followers. */
  onMeshEvent(event: MeshEvent): void {
    this.#observe(event)
    switch (event.type) {
      case 'decided':
        this.#onDecided({
          type: 'decision',
          decision: event.decision,
          unilateral: event.unilateral,
          waitedMs: event.waitedMs,
        })
        return
      case 'plan_finished':
        this.#onFinished(event)
        return
      case 'progress':
        this.#tell(event.digest.plan, { type: 'digest', digest: event.digest })
        return
      case 'leader_elected':
        for (const follower of this.#followers) follower.push({ type: 'leader', name: event.name })
        return
      case 'agent_progress': {
        const parsed = agentProgressSchema.safeParse(event.data)
        if (parsed.success) this.onProgress(event.from, parsed.data)
        return
      }
      default:
        return
    }
  }

  /** Progress of an agent, this peer's own included. */
  onProgress(peer: string, { uid, sequence, progress }: AgentProgress): void {
    for (const follower of this.#followers) {
      if (follower.plan?.uid === uid) follower.push({ type: 'progress', peer, sequence, progress })
    }
  }

  /** Sends what lies after `after`, then all that comes, until the plan has ended or the client is gone. */
  follow(channel: ClientChannel, record: KeptPlan, after: number): void {
    const leaderless = () => {
      const now = this.#leaderless()
      return now !== null && now.plan.uid === record.plan.uid && now.sinceMs >= LEADERLESS_AFTER_MS ? now : null
    }
    const follower = new Follower(channel, record.plan, leaderless, () => this.#followers.delete(follower))
    this.#followers.add(follower)
    for (const document of record.decisions) if (document.decision.sequence > after) follower.push(document)
    for (const document of record.observed) follower.push(document)
    if (record.finished !== null) follower.end(record.finished)
  }

  /** Resolves when every follower has been sent what it has to know, or after `timeoutMs`. */
  async drain(timeoutMs: number): Promise<void> {
    await atMost(timeoutMs, Promise.all([...this.#followers].map((follower) => follower.done)))
  }

  #observe(event: MeshEvent): void {
    const record = this.latest
    if (record === null || record.finished !== null || record.observed.length >= OBSERVATIONS_MAX) return
    const observation = observationOf(event, this.#name, now())
    if (observation === null) return
    const document: ObservedDocument = { type: 'observed', observation }
    record.observed.push(document)
    this.#tell(record.plan, document)
  }

  #onDecided(document: DecisionDocument): void {
    const { decision } = document
    if (decision.kind === 'start') {
      if (this.#records.some((record) => record.plan.uid === decision.plan.uid)) return
      const started: KeptPlan = {
        plan: decision.plan,
        start: decision,
        decisions: [document],
        observed: [],
        finished: null,
      }
      this.#records.push(started)
      if (this.#records.length > PLANS_KEPT) this.#records.shift()
      for (const one of this.#awaited) if (one.submission === decision.spec.submission) one.settle(started)
      return
    }
    const record = this.#records.find((one) => one.plan.uid === decision.plan.uid)
    record?.decisions.push(document)
    this.#tell(decision.plan, document)
  }

  #onFinished({ plan, status, reason, unilateral }: Extract<MeshEvent, { type: 'plan_finished' }>): void {
    const document: FinishedDocument = { type: 'finished', plan, status, reason, unilateral }
    const record = this.#records.find((one) => one.plan.uid === document.plan.uid)
    if (record !== undefined) record.finished = document
    for (const follower of this.#followers) if (follower.plan?.uid === document.plan.uid) follower.end(document)
  }

  #tell(plan: PlanRef, document: NodeDocument): void {
    for (const follower of this.#followers) if (follower.plan?.uid === plan.uid) follower.push(document)
  }
}

/** One client's queue: decisions always arrive, in order; progress is dropped when the client is slow. */
class Follower {
  readonly plan: PlanRef | null
  readonly done: Promise<void>
  readonly #channel: ClientChannel
  readonly #queue: NodeDocument[] = []
  readonly #alive: NodeJS.Timeout
  #wake: () => void = () => {}
  #ended = false

  constructor(channel: ClientChannel, plan: PlanRef, leaderless: () => Leaderless | null, onDone: () => void) {
    this.plan = plan
    this.#channel = channel
    this.#alive = setInterval(() => this.push({ type: 'alive', leaderless: leaderless() }), ALIVE_INTERVAL_MS)
    this.#alive.unref()
    this.done = this.#pump()
      // A client that went away needs nothing any more.
      .catch(() => {})
      .finally(() => {
        clearInterval(this.#alive)
        onDone()
      })
  }

  push(document: NodeDocument): void {
    if (this.#ended) return
    if (isPassing(document) && this.#queue.length >= BACKLOG_MAX) return
    this.#queue.push(document)
    this.#wake()
  }

  end(document: FinishedDocument): void {
    this.push(document)
    this.#ended = true
    this.#wake()
  }

  async #pump(): Promise<void> {
    while (true) {
      const document = this.#queue.shift()
      if (document !== undefined) await this.#channel.send(document)
      else if (this.#ended) return await this.#channel.close()
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
      }
    }
  }
}
