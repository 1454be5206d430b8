/** What the decisions of a plan say about its stages, so far. Pure but for its own memory. */

import { z } from 'zod'
import {
  type Decision,
  type PeerId,
  type Policy,
  policyOf,
  type StageReport,
  type StartDecision,
} from '../../barrier/mod.ts'
import type { StageResult } from '../../io/mod.ts'
import type { About } from '../about.ts'
import { compareNames } from '../names.ts'
import { decodeReport } from '../stage-report.ts'
import { isPartial } from '../stage-result.ts'

export interface AgentStage {
  readonly agent: string
  readonly result: StageResult
  /** Clock of the leader whose decision started the stage minus the agent's own, ms. */
  readonly offsetMs: number
  readonly about: About
  /** Reported after the barrier had been released without it. */
  readonly late: boolean
  /** It was stopped in the middle of its work: these are the figures until then. */
  readonly partial: boolean
  /** A decision carried it; else this peer had it from the agent itself. */
  readonly delivered: boolean
  /** As it came: what the rest of this was read from. */
  readonly payload: string
}

export interface StageRecord {
  readonly sequence: number
  readonly name: string
  readonly optional: boolean
  readonly policy: Policy
  /** By name, sorted. */
  readonly agents: AgentStage[]
  /** Members of this stage, by name. */
  readonly members: readonly string[]
  decision: Exclude<Decision, StartDecision> | null
  unilateral: boolean
  waitedMs: number
  readonly unreadable: string[]
  /** Rises with each change of the above. */
  version: number
}

const name = z.string().max(256)

/** A line of decisions.jsonl. */
export const decisionLineSchema = z.object({
  plan: z.number(),
  sequence: z.number().int().min(0),
  kind: z.enum(['start', 'release', 'abort']),
  stage: z.string().max(1000).nullable(),
  term: z.number(),
  leader: name,
  policy: z.enum(['all_or_nothing', 'majority', 'best_effort']).nullable(),
  members: z.array(name),
  excluded: z.array(z.object({ name, reason: z.enum(['dead', 'failed', 'straggler', 'left']) })),
  /** In the leader's clock, ms; null where nothing starts. */
  startAt: z.number().nullable(),
  /** From the first ready to the proposal, ms; null where nobody waited. */
  waitedMs: z.number().nullable().default(null),
  reason: z.string().optional(),
  unilateral: z.literal(true).optional(),
})
export type DecisionLine = z.infer<typeof decisionLineSchema>

export class PlanRecord {
  readonly start: StartDecision
  readonly stages: StageRecord[] = []
  readonly lines: DecisionLine[] = []
  readonly #names: ReadonlyMap<PeerId, string>
  #members: readonly string[]

  constructor(start: StartDecision) {
    this.start = start
    this.#names = new Map(start.members.map(({ peer, name }) => [peer, name]))
    this.#members = start.members.map(({ name }) => name)
  }

  /** Sequences of the stages whose figures changed. */
  add(decision: Decision, unilateral: boolean, waitedMs: number): number[] {
    this.lines.push(decisionLine(this.start, decision, unilateral))
    if (decision.kind === 'start') return []
    const changed = new Set([decision.sequence])
    const stage = this.#stage(decision.sequence)
    stage.decision = decision
    stage.unilateral = unilateral
    stage.waitedMs = waitedMs
    stage.version += 1
    for (const report of decision.reports) {
      changed.add(report.sequence)
      const how = { late: report.sequence < decision.sequence, delivered: true }
      this.#addReport(report.sequence, this.#names.get(report.peer) ?? report.name, report.payload, how)
    }
    if (decision.kind === 'release')
      this.#members = decision.members.map(({ peer, name }) => this.#names.get(peer) ?? name)
    return [...changed].sort((a, b) => a - b)
  }

  /** A report that no decision carried. False where it adds nothing, or is not of a member of this plan. */
  addUndelivered({ peer, sequence, payload }: StageReport): boolean {
    const agent = this.#names.get(peer)
    if (agent === undefined) return false
    const known = this.stages.find((stage) => stage.sequence === sequence)
    const how = { late: known?.decision?.kind === 'release', delivered: false }
    return this.#addReport(sequence, agent, payload, how)
  }

  /** False where that of the agent is there already. */
  #addReport(sequence: number, agent: string, payload: string, how: Pick<AgentStage, 'late' | 'delivered'>): boolean {
    const stage = this.#stage(sequence)
    if (stage.agents.some((one) => one.agent === agent)) return false
    stage.version += 1
    try {
      const report = decodeReport(payload)
      const partial = isPartial(report.result)
      stage.agents.push({ agent, ...report, ...how, late: how.late && !partial, partial, payload })
      stage.agents.sort((a, b) => compareNames(a.agent, b.agent))
    } catch (error) {
      // One agent's damaged report must not cost the figures of the others.
      stage.unreadable.push(`${agent}: ${error instanceof Error ? error.message : String(error)}`)
    }
    return true
  }

  #stage(sequence: number): StageRecord {
    const known = this.stages.find((stage) => stage.sequence === sequence)
    if (known !== undefined) return known
    const spec = this.start.spec.stages[sequence - 1]
    const stage: StageRecord = {
      sequence,
      name: spec?.name ?? `stage-${sequence}`,
      optional: spec?.optional ?? false,
      policy: spec?.barrier.policy ?? 'all_or_nothing',
      agents: [],
      members: this.#members,
      decision: null,
      unilateral: false,
      waitedMs: 0,
      unreadable: [],
      version: 0,
    }
    this.stages.push(stage)
    this.stages.sort((a, b) => a.sequence - b.sequence)
    return stage
  }
}

/**
 * Whose work the figures of a stage contain: of one that was released, what the decisions carry, the same on every peer; of
 * one that was given up, all that was measured.
 */
export function figuredAgents({ agents, decision }: StageRecord): AgentStage[] {
  return agents.filter(({ delivered }) => delivered || decision?.kind !== 'release')
}

/** One line of decisions.jsonl: from the decision alone, so that every peer writes the same. */
function decisionLine(start: StartDecision, decision: Decision, unilateral: boolean): DecisionLine {
  const spec = start.spec.stages[decision.sequence - 1]
  return {
    plan: decision.plan.number,
    sequence: decision.sequence,
    kind: decision.kind,
    stage: spec?.name ?? null,
    term: decision.ballot.term,
    leader: decision.leader,
    policy: policyOf(decision),
    members: decision.members.map(({ name }) => name),
    excluded: decision.kind === 'start' ? [] : decision.excluded.map(({ name, reason }) => ({ name, reason })),
    startAt: decision.kind === 'abort' ? null : decision.startAt,
    waitedMs: decision.kind === 'release' ? decision.waitedMs : null,
    ...(decision.kind === 'abort' ? { reason: decision.reason } : {}),
    ...(unilateral ? { unilateral } : {}),
  }
}
