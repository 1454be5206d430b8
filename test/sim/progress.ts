/**
 * Progress with a bound: once nothing is disturbed any more and a majority of a sequence's members is there, its
 * barrier is decided in bounded time after the last ready that is needed.
 */

import { majority } from './ballots.ts'
import { isSame, membersAt, type PlanBook, readyKey } from './books.ts'
import type { Checker } from './checker.ts'
import type { Cluster } from './cluster.ts'
import { SimFailure } from './failure.ts'
import type { Proc } from './proc.ts'

/** For finding each other again, an election with a few collisions, and the rounds of messages. */
const SLACK_MS = 8000
/** This long after the healing the dead are known and a leader is there: only messages remain to be exchanged. */
const REST_MS = 15_000
const REST_SLACK_MS = 1000

/** Looks at every plan under way; throws when one is overdue. */
export function checkProgress(cluster: Cluster, checker: Checker): void {
  for (const book of checker.books.plans.values()) {
    const open = openBarrier(book)
    if (open === undefined) continue
    const since = dueSince(cluster, checker, book, open)
    if (since === undefined) continue
    const waited = cluster.now - since
    const bound = since >= checker.books.healedAt + REST_MS ? REST_SLACK_MS : boundMs(book, open)
    if (waited > bound) {
      const detail = `${book.uid}#${open} could be decided ${waited.toFixed(0)} ms ago, ${bound} ms are allowed`
      throw new SimFailure('liveness', `5 progress: ${detail}`)
    }
  }
}

function openBarrier(book: PlanBook): number | undefined {
  if (!book.chosen.has(0)) return undefined
  let sequence = 0
  while (book.chosen.has(sequence)) sequence += 1
  const before = book.chosen.get(sequence - 1)?.decision
  return before?.kind === 'abort' || sequence > book.stages.length ? undefined : sequence
}

/** Since when all members that live are ready, or it is time; undefined before that, or where too few are there. */
function dueSince(cluster: Cluster, checker: Checker, book: PlanBook, sequence: number): number | undefined {
  const members = membersAt(book, sequence) ?? []
  const there = cluster.procs.filter(
    (proc) => takesPart(checker, book, proc) && members.some((member) => isSame(member, proc.member)),
  )
  if (there.length < majority(members.length)) return undefined
  const readies = there.map((proc) => book.readies.get(readyKey(sequence, proc.member.peer)))
  const times = readies.filter((ready) => ready !== undefined).map(({ at }) => at)
  if (times.length === 0) return undefined
  const timeoutMs = book.stages[sequence - 1]?.barrier.barrierTimeoutMs ?? 0
  const timeoutAt = Math.min(...times) + timeoutMs
  const allReady = times.length === there.length
  if (!allReady && cluster.now < timeoutAt) return undefined
  const due = allReady ? Math.min(timeoutAt, Math.max(...times)) : timeoutAt
  return Math.max(checker.books.healedAt, book.chosenAt.get(sequence - 1) ?? 0, due)
}

function takesPart(checker: Checker, book: PlanBook, proc: Proc): boolean {
  return proc.state === 'up' && !book.ended.has(proc) && !book.gaveUp.has(proc) && !checker.isAlone(proc)
}

function boundMs(book: PlanBook, sequence: number): number {
  const barrier = book.stages[sequence - 1]?.barrier
  if (barrier === undefined) return SLACK_MS
  const silence = barrier.heartbeatIntervalMs * barrier.missedThreshold
  // The leader is missed, then a member is missed, then it is asked in vain.
  return 2 * silence + (barrier.queryRetries + 1) * barrier.queryTimeoutMs + SLACK_MS
}
