/** Spans of this node's plans, made of the events that it logs. Times are of its own clock, as in the log. */

import { createHash } from 'node:crypto'
import { type Attributes, ROOT_CONTEXT, type Span, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api'
import { type IdGenerator, RandomIdGenerator } from '@opentelemetry/sdk-trace'
import { now } from '../../mesh/mod.ts'
import type { LogEvent } from '../events.ts'

type Event<T extends LogEvent['event']> = Extract<LogEvent, { event: T }>

/** Trace IDs as they are set, so that all peers of a plan have the same. */
export class SharedIds implements IdGenerator {
  readonly #random = new RandomIdGenerator()
  readonly generateSpanId = (): string => this.#random.generateSpanId()
  readonly generateTraceId = (): string => this.traceId
  traceId = this.#random.generateTraceId()
}

/** From what all members agreed on: no two plans have the same, even if one text is submitted twice. */
function traceIdOf(run: string, { plan, hash }: Event<'plan.accepted'>, startAt: number): string {
  return createHash('sha256')
    .update(JSON.stringify([run, plan, hash, startAt]))
    .digest('hex')
    .slice(0, 32)
}

export interface PlanSpansOptions {
  readonly tracer: Tracer
  readonly ids: SharedIds
  readonly runId: string
  readonly peer: string
}

interface OpenPlan {
  readonly span: Span
  readonly common: Attributes
  stage: { readonly span: Span; readonly at: number } | null
  barrier: { readonly span: Span; readonly sequence: number } | null
}

export class PlanSpans {
  readonly #options: PlanSpansOptions
  #accepted: { readonly event: Event<'plan.accepted'>; readonly at: number } | null = null
  #plan: OpenPlan | null = null

  constructor(options: PlanSpansOptions) {
    this.#options = options
  }

  take(event: LogEvent): void {
    switch (event.event) {
      case 'plan.accepted':
        this.#accepted = { event, at: now() }
        return
      case 'stage.started':
        return this.#stageStarted(event)
      case 'stage.finished':
        return this.#stageFinished(event)
      case 'barrier.waiting':
        return this.#waiting(event)
      case 'barrier.released':
        return event.sequence === 0 ? this.#open(event) : this.#released(event)
      case 'barrier.aborted':
        return this.#aborted(event)
      case 'leader.elected':
        this.#plan?.span.addEvent(event.event, { leader: event.leader, term: event.term }, now())
        return
      case 'leader.lost':
        this.#plan?.span.addEvent(event.event, { leader: event.leader, term: event.term, reason: event.reason }, now())
        return
      case 'run.finished':
        return this.#finished(event)
      default:
        return
    }
  }

  #open({ startAt, plan }: Event<'barrier.released'>): void {
    const accepted = this.#accepted
    // Whoever only watches a plan has no part in it.
    if (accepted === null || accepted.event.plan !== plan) return
    const { tracer, ids, runId, peer } = this.#options
    const { hash, agents, stages } = accepted.event
    ids.traceId = traceIdOf(runId, accepted.event, startAt)
    const common = { 'paceline.run': runId, 'paceline.peer': peer, 'paceline.plan': plan }
    const attributes = {
      ...common,
      'paceline.plan.hash': hash,
      'paceline.plan.agents': [...agents],
      'paceline.plan.stages': [...stages],
    }
    const span = tracer.startSpan(`plan ${plan}`, { root: true, startTime: accepted.at, attributes })
    this.#plan = { span, common, stage: null, barrier: null }
  }

  #stageStarted({ sequence, stage, at, offsetMs }: Event<'stage.started'>): void {
    if (this.#plan === null) return
    const span = this.#child(this.#plan, `stage ${stage}`, at, { sequence, stage, offset_ms: offsetMs })
    this.#plan.stage = { span, at }
  }

  #stageFinished({
    sequence,
    stage,
    status,
    ops,
    bytes,
    errors,
    seconds,
    reason,
    code,
  }: Event<'stage.finished'>): void {
    const plan = this.#plan
    if (plan === null) return
    const at = plan.stage?.at ?? now()
    const span = plan.stage?.span ?? this.#child(plan, `stage ${stage}`, at, { sequence, stage })
    span.setAttributes(prefixed({ status, ops, bytes, errors, ...(code === undefined ? {} : { code }) }))
    if (status === 'failed') span.setStatus({ code: SpanStatusCode.ERROR, message: reason ?? '' })
    span.end(at + seconds * 1000)
    plan.stage = null
  }

  #waiting({ sequence, stage }: Event<'barrier.waiting'>): void {
    if (this.#plan === null) return
    const span = this.#child(this.#plan, `barrier ${stage}`, now(), { sequence, stage })
    this.#plan.barrier = { span, sequence }
  }

  #released(event: Event<'barrier.released'>): void {
    const { sequence, term, leader, policy, members, excluded, unilateral, waitedMs } = event
    const figures = { sequence, term, leader, policy, unilateral, waited_ms: waitedMs }
    const names = { members: [...members], excluded: excluded.map(({ name, reason }) => `${name} (${reason})`) }
    this.#endBarrier('released', sequence, { ...figures, ...names })
  }

  #aborted({ sequence, term, leader, reason }: Event<'barrier.aborted'>): void {
    this.#endBarrier('aborted', sequence, { sequence, term, leader, reason })
  }

  /** A barrier at which this peer did not wait is an event of its plan. */
  #endBarrier(outcome: 'released' | 'aborted', sequence: number, attributes: Attributes): void {
    const plan = this.#plan
    if (plan === null) return
    const waited = plan.barrier?.sequence === sequence ? plan.barrier.span : null
    if (waited === null) {
      plan.span.addEvent(`barrier.${outcome}`, prefixed(attributes), now())
      return
    }
    waited.setAttributes(prefixed({ outcome, ...attributes }))
    if (outcome === 'aborted')
      waited.setStatus({ code: SpanStatusCode.ERROR, message: String(attributes.reason ?? '') })
    waited.end(now())
    plan.barrier = null
  }

  #finished({ plan: number, status, exit, reason, unilateral }: Event<'run.finished'>): void {
    const plan = this.#plan
    if (plan === null || plan.common['paceline.plan'] !== number) return
    plan.stage?.span.end(now())
    plan.barrier?.span.end(now())
    plan.span.setAttributes(prefixed({ status, exit, unilateral }))
    if (status !== 'completed') plan.span.setStatus({ code: SpanStatusCode.ERROR, message: reason })
    plan.span.end(now())
    this.#plan = null
  }

  #child(plan: OpenPlan, name: string, startTime: number, attributes: Attributes): Span {
    const parent = trace.setSpan(ROOT_CONTEXT, plan.span)
    return this.#options.tracer.startSpan(
      name,
      { startTime, attributes: { ...plan.common, ...prefixed(attributes) } },
      parent,
    )
  }
}

function prefixed(attributes: Attributes): Attributes {
  return Object.fromEntries(Object.entries(attributes).map(([name, value]) => [`paceline.${name}`, value]))
}
