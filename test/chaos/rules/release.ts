/** Each release keeps its policy, names the right peers, and had a majority that could accept it (2, 4). */

import type { Evidence, Violation } from '../evidence.ts'
import { type Execution, finishOf, lastReleased, partOf, type Released, releaseOf } from '../parts.ts'
import { CLOCK_SLACK_MS, majorityOf, READY_SLACK_MS, wasCut, wasOut, wasTroubled } from '../troubles.ts'

export function release(evidence: Evidence, executions: readonly Execution[]): Violation[] {
  return executions.flatMap((execution) => {
    const rules: Violation[] = []
    for (let sequence = 1; sequence <= lastReleased(execution); sequence += 1) {
      const [before, now] = [releaseOf(execution, sequence - 1), releaseOf(execution, sequence)]
      // A gap is the order rule's matter.
      if (before === undefined || now === undefined) continue
      const barrier = new Barrier(evidence, execution, before.members, now)
      for (const [rule, text] of barrier.faults()) rules.push({ rule, text: `barrier ${sequence}: ${text}` })
    }
    return rules
  })
}

type Fault = readonly [rule: string, text: string]

/** One release, `members` being those who waited for it. */
class Barrier {
  readonly #evidence: Evidence
  readonly #execution: Execution
  readonly #members: readonly string[]
  readonly #release: Released

  constructor(evidence: Evidence, execution: Execution, members: readonly string[], now: Released) {
    this.#evidence = evidence
    this.#execution = execution
    this.#members = members
    this.#release = now
  }

  faults(): Fault[] {
    return [...this.#names(), ...this.#policy(), ...this.#acceptance(), ...this.#earlyStarts(), ...this.#reasons()]
  }

  #finish(name: string): { at: number; ok: boolean } | undefined {
    const finish = finishOf(this.#execution, name, this.#release.sequence)
    if (finish === undefined || finish.time > this.#release.time + CLOCK_SLACK_MS) return undefined
    return { at: finish.time, ok: finish.status === 'ok' }
  }

  #names(): Fault[] {
    const { members, excluded } = this.#release
    const named = [...members, ...excluded.map(({ name }) => name)].sort()
    if (JSON.stringify(named) === JSON.stringify([...this.#members].sort())) return []
    return [['names', `${this.#members} waited, ${members} went on, ${excluded.map(({ name }) => name)} were excluded`]]
  }

  #policy(): Fault[] {
    const { members, policy } = this.#release
    const unready = members.filter((name) => this.#finish(name)?.ok !== true)
    if (policy === 'all_or_nothing') {
      const complete = members.length === this.#members.length && unready.length === 0
      return complete ? [] : [['policy', `all_or_nothing without ${unready}`]]
    }
    if (policy === 'majority') {
      if (unready.length > 0) return [['policy', `majority went on with ${unready}, not ready`]]
      if (members.length >= majorityOf(this.#members.length)) return []
      return [['policy', `majority with ${members.length} of ${this.#members.length}`]]
    }
    const working = members.filter((name) => this.#finish(name) === undefined)
    const first = Math.min(...this.#members.map((name) => this.#finish(name)?.at ?? Number.POSITIVE_INFINITY))
    const waitedMs = this.#release.time - first
    const early = working.length > 0 && waitedMs < this.#evidence.options.barrierTimeoutMs - CLOCK_SLACK_MS
    return early ? [['policy', `best_effort did not wait for ${working}, after ${waitedMs.toFixed(0)} ms`]] : []
  }

  /** Between the moment at which it could be proposed and the first release a majority must have been there. */
  #acceptance(): Fault[] {
    const since = this.#proposableAt() - CLOCK_SLACK_MS
    const until = this.#release.time + CLOCK_SLACK_MS
    const able = this.#members.filter((name) => {
      const peer = partOf(this.#execution, name)?.peer
      return peer !== undefined && !wasOut(peer, since, until)
    })
    const together = able.map((one) => {
      return able.filter((other) => other === one || !wasCut(this.#evidence, one, other, since, until)).length
    })
    const most = Math.max(0, ...together)
    if (most >= majorityOf(this.#members.length)) return []
    return [['acceptance', `released, but at most ${most} of ${this.#members.length} members could have accepted it`]]
  }

  /** From the moment at which so many were ready to the release, ms. */
  #sinceReady(count: number): number {
    return this.#release.time - (this.#finishes()[count - 1] ?? this.#release.time)
  }

  #finishes(): number[] {
    return this.#members.flatMap((name) => this.#finish(name)?.at ?? []).sort((a, b) => a - b)
  }

  #proposableAt(): number {
    const finishes = this.#finishes()
    const { policy } = this.#release
    const needed =
      policy === 'all_or_nothing' ? this.#members.length : policy === 'majority' ? majorityOf(this.#members.length) : 1
    return finishes[needed - 1] ?? finishes.at(-1) ?? this.#release.time
  }

  /** Nobody starts the next stage before the first release of this one, whoever it is. */
  #earlyStarts(): Fault[] {
    const next = this.#release.sequence + 1
    return this.#execution.parts.flatMap(({ peer, events }) => {
      const start = events.find((event) => event.event === 'stage.started' && event.sequence === next)
      const alone = events.some(
        (event) => event.event === 'barrier.released' && event.unilateral && event.sequence < next,
      )
      if (start?.event !== 'stage.started' || alone || start.at >= this.#release.time - CLOCK_SLACK_MS) return []
      const earlyMs = (this.#release.time - start.at).toFixed(1)
      return [['early start', `${peer.id} started stage ${next} ${earlyMs} ms before anybody was released`] as const]
    })
  }

  #reasons(): Fault[] {
    return this.#release.excluded.flatMap(({ name, reason }) => {
      const fault = this.#reasonFault(name, reason)
      return fault === undefined ? [] : [['exclusion', `${name} as ${reason}, but ${fault}`] as const]
    })
  }

  #reasonFault(name: string, reason: string): string | undefined {
    const finish = this.#finish(name)
    const peer = partOf(this.#execution, name)?.peer
    if (reason === 'failed') return finish?.ok === false ? undefined : 'its stage did not fail'
    if (reason === 'dead' || reason === 'left') {
      return peer === undefined || wasTroubled(this.#evidence, peer, this.#release.time)
        ? undefined
        : 'nothing happened to it'
    }
    if (reason !== 'straggler') return 'there is no such reason'
    const { barrierTimeoutMs, stragglerGraceMs } = this.#evidence.options
    const [sinceFirstMs, sinceMajorityMs] = [this.#sinceReady(1), this.#sinceReady(majorityOf(this.#members.length))]
    const waited =
      sinceFirstMs >= barrierTimeoutMs - READY_SLACK_MS || sinceMajorityMs >= stragglerGraceMs - READY_SLACK_MS
    if (!waited) return `it was waited for only ${sinceMajorityMs.toFixed(0)} ms`
    return undefined
  }
}
