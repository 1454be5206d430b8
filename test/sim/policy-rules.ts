/** The policy table of the design, as rules on a chosen decision and on what the members really did. */

import {
  type AbortDecision,
  type Decision,
  type Exclusion,
  type Member,
  type ReleaseDecision,
  type StageReport,
  type StageSpec,
  type StartDecision,
  showDecision,
} from '../../src/barrier/mod.ts'
import { majority } from './ballots.ts'
import { type CheckerOptions, type GivenReady, type PlanBook, readyKey } from './books.ts'
import { violated } from './failure.ts'

export interface ChosenCase {
  readonly book: PlanBook
  readonly decision: Decision
  /** Members of its sequence. */
  readonly members: readonly Member[]
  readonly proposedAt: number
  readonly options: CheckerOptions
  readonly abortsAsked: ReadonlySet<string>
}

/** Clocks run up to this much apart, and messages take their time. */
const SLACK = 0.98
const SLACK_MS = 60

export function checkPolicy(chosen: ChosenCase): void {
  const { decision, book } = chosen
  if (decision.kind === 'start') return checkRoster(decision)
  checkReports(chosen, decision)
  const stage = book.stages[decision.sequence - 1]
  if (decision.kind === 'abort') {
    checkAbort(chosen, decision, stage)
    return
  }
  if (stage === undefined) violated('3 order', `a release without a stage: ${showDecision(decision)}`)
  checkExclusions(chosen, decision.excluded, stage)
  checkReady(chosen, decision, stage)
  checkWaited(chosen, decision)
  if (stage.barrier.policy !== decision.policy) violated('4 policy', `released by another policy than the plan's`)
  if (decision.policy === 'all_or_nothing') checkAll(chosen, decision)
  else if (decision.policy === 'majority') checkMajority(chosen, decision, stage)
  else checkBestEffort(chosen, decision, stage)
}

/** Those that the plan wants, and no others; results are told apart by names. */
function checkRoster(start: StartDecision): void {
  const names = new Set(start.members.map(({ name }) => name))
  const { wanted } = start.spec
  const isWanted =
    (wanted.kind === 'all' || names.size === (wanted.kind === 'count' ? wanted.count : new Set(wanted.names).size)) &&
    (wanted.kind !== 'names' || wanted.names.every((name) => names.has(name)))
  if (isWanted && names.size === start.members.length) return
  violated('4 policy', `${showDecision(start)}, but wanted are ${JSON.stringify(wanted)}`)
}

function checkReports({ book, decision }: ChosenCase, { reports }: { reports: readonly StageReport[] }): void {
  for (const { peer, sequence, status, payload } of reports) {
    const key = readyKey(sequence, peer)
    const given = book.readies.get(key)
    if (given === undefined || given.payload !== payload || given.status !== status) {
      violated('7 honesty', `${showDecision(decision)} carries a report that ${peer} did not give`)
    }
    if (sequence > decision.sequence) violated('3 order', `${showDecision(decision)} carries a report of a later stage`)
    if (book.reported.has(key)) violated('6 nothing lost', `${showDecision(decision)} carries ${key} a second time`)
    book.reported.add(key)
  }
}

function checkReady({ book, members }: ChosenCase, decision: ReleaseDecision, stage: StageSpec): void {
  if (new Set(decision.ready).size !== decision.ready.length) violated('4 policy', 'a member counted twice')
  for (const peer of decision.ready) {
    const given = book.readies.get(readyKey(decision.sequence, peer))
    if (given === undefined || !members.some((member) => member.peer === peer)) {
      violated('4 policy', `${showDecision(decision)} counts ${peer}, which is not ready`)
    }
    if (given.status === 'failed' && !stage.optional && decision.policy !== 'best_effort') {
      violated('4 policy', `${showDecision(decision)} counts ${peer}, which failed`)
    }
    if (!decision.reports.some((report) => report.peer === peer && report.sequence === decision.sequence)) {
      violated('6 nothing lost', `${showDecision(decision)} lacks the results of ${peer}`)
    }
  }
  for (const member of decision.members) {
    if (!members.some((other) => other.peer === member.peer && other.incarnation === member.incarnation)) {
      violated('2 no early start', `${showDecision(decision)} names ${member.peer}, no member of this sequence`)
    }
  }
  const next = new Set(decision.members.map((member) => member.peer))
  for (const { peer } of members) {
    const out = decision.excluded.some((excluded) => excluded.peer === peer)
    if (next.has(peer) === out) violated('4 policy', `${showDecision(decision)} neither keeps nor excludes ${peer}`)
  }
}

/** Where nothing is disturbed, the leader knows since when others wait. */
function checkWaited(chosen: ChosenCase, decision: ReleaseDecision): void {
  const waited = waitedSince(chosen, firstReadyAt(chosen))
  const isLess = decision.waitedMs < waited * SLACK - SLACK_MS
  const isMore = decision.waitedMs * SLACK - SLACK_MS > waited
  if (decision.waitedMs >= 0 && (!chosen.options.calm || chosen.options.clocksJump || !(isLess || isMore))) return
  violated(
    '7 honesty',
    `${showDecision(decision)} after ${waited.toFixed(0)} ms says ${decision.waitedMs.toFixed(0)} ms`,
  )
}

function checkExclusions(
  { book, decision, options }: ChosenCase,
  excluded: readonly Exclusion[],
  stage: StageSpec,
): void {
  for (const { peer, reason } of excluded) {
    const given = book.readies.get(readyKey(decision.sequence, peer))
    if (reason === 'failed' && (given?.status !== 'failed' || stage.optional)) {
      violated('7 honesty', `${showDecision(decision)} calls ${peer} failed`)
    }
    if (options.calm && reason === 'dead') violated('4 policy', `${showDecision(decision)} calls ${peer} dead`)
  }
}

function checkAll({ members }: ChosenCase, decision: ReleaseDecision): void {
  if (decision.ready.length !== members.length || decision.members.length !== members.length) {
    violated('4 policy', `${showDecision(decision)} with ${decision.ready.length} of ${members.length} ready`)
  }
}

function checkMajority(chosen: ChosenCase, decision: ReleaseDecision, stage: StageSpec): void {
  const needed = majority(chosen.members.length)
  if (decision.ready.length < needed) {
    violated('4 policy', `${showDecision(decision)} with ${decision.ready.length} of ${chosen.members.length} ready`)
  }
  for (const { peer } of decision.members) {
    if (!decision.ready.includes(peer))
      violated('4 policy', `${showDecision(decision)} keeps ${peer}, which is not ready`)
  }
  if (!decision.excluded.some(({ reason }) => reason === 'straggler')) return
  const times = readyTimes(chosen, decision)
  const grace = waitedSince(chosen, times[needed - 1])
  const whole = waitedSince(chosen, firstReadyAt(chosen))
  const { stragglerGraceMs, barrierTimeoutMs } = stage.barrier
  if (!enough(chosen, grace, stragglerGraceMs) && !enough(chosen, whole, barrierTimeoutMs)) {
    violated('4 policy', `${showDecision(decision)} did not wait for its stragglers (${grace.toFixed(0)} ms)`)
  }
}

function checkBestEffort(chosen: ChosenCase, decision: ReleaseDecision, stage: StageSpec): void {
  if (decision.excluded.some(({ reason }) => reason === 'failed' || reason === 'straggler')) {
    violated('4 policy', `${showDecision(decision)} excludes one that lives`)
  }
  const late = decision.members.filter(({ peer }) => !decision.ready.includes(peer))
  if (late.length === 0) return
  const waited = waitedSince(chosen, firstReadyAt(chosen))
  if (!enough(chosen, waited, stage.barrier.barrierTimeoutMs)) {
    violated('4 policy', `${showDecision(decision)} did not wait for all (${waited.toFixed(0)} ms)`)
  }
}

function checkAbort(chosen: ChosenCase, decision: AbortDecision, stage: StageSpec | undefined): void {
  if (decision.sequence === 0 || stage === undefined) return
  if (stage.barrier.policy !== decision.policy) violated('4 policy', `aborted by another policy than the plan's`)
  if (decision.excluded.length === 0) {
    if (!chosen.abortsAsked.has(decision.reason))
      violated('4 policy', `${showDecision(decision)}, which nobody asked for`)
    return
  }
  if (decision.policy === 'best_effort') violated('4 policy', `best_effort always goes on: ${showDecision(decision)}`)
  checkExclusions(chosen, decision.excluded, stage)
  if (!decision.excluded.some(({ reason }) => reason === 'straggler')) return
  if (!enough(chosen, waitedSince(chosen, firstReadyAt(chosen)), stage.barrier.barrierTimeoutMs)) {
    violated('4 policy', `${showDecision(decision)} before agent_barrier_timeout`)
  }
}

/** Of any member: one that died or left afterwards was ready all the same. */
function firstReadyAt({ book, decision, members }: ChosenCase): number | undefined {
  let first: number | undefined
  for (const { peer } of members) {
    const at = book.readies.get(readyKey(decision.sequence, peer))?.at
    if (at !== undefined && (first === undefined || at < first)) first = at
  }
  return first
}

function readyTimes({ book }: ChosenCase, decision: ReleaseDecision): number[] {
  const given = decision.ready.map((peer) => book.readies.get(readyKey(decision.sequence, peer)))
  return given
    .filter((ready): ready is GivenReady => ready !== undefined)
    .map(({ at }) => at)
    .sort((a, b) => a - b)
}

function waitedSince(chosen: ChosenCase, since: number | undefined): number {
  return since === undefined ? 0 : chosen.proposedAt - since
}

function enough({ options }: ChosenCase, waitedMs: number, neededMs: number): boolean {
  return options.clocksJump || waitedMs >= neededMs * SLACK - SLACK_MS
}
