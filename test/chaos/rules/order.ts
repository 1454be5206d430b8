/** Each process goes through its stages in order, and starts none before it was released into it (2, 3). */

import type { ContractEvent } from '../events.ts'
import type { Evidence, Violation } from '../evidence.ts'
import { type Part, partsOf } from '../parts.ts'

export function order(evidence: Evidence): Violation[] {
  return evidence.peers.flatMap((peer) =>
    partsOf(peer).flatMap((part) => orderOf(part).map((text) => ({ rule: 'order', text: `${peer.id}: ${text}` }))),
  )
}

/** A reader of one process's events that knows what may come next. */
class Course {
  readonly faults: string[] = []
  /** Highest sequence released to this process, last stage started and last one finished. */
  #released = -1
  #started = 0
  #finished = 0
  #alone = false
  #ended = false
  /** Of the last release. */
  #members: readonly string[] = []
  readonly #name: string

  constructor(name: string) {
    this.#name = name
  }

  take(event: ContractEvent): void {
    const { event: name } = event
    if (this.#ended && (name.startsWith('barrier.') || name.startsWith('stage.'))) {
      // A stage that was cancelled says so; nothing else may follow the end.
      if (name !== 'barrier.progress') this.faults.push(`${name} after the end of the plan`)
    }
    if (name === 'barrier.released') this.#release(event)
    else if (name === 'stage.started') this.#start(event.sequence, event.at)
    else if (name === 'stage.finished') this.#finish(event.sequence)
    else if (name === 'barrier.waiting' && event.sequence !== this.#finished) {
      this.faults.push(`waits at barrier ${event.sequence}, though stage ${this.#finished} was finished last`)
    } else if (name === 'run.finished') this.#end(event.status)
  }

  #release({ sequence, members, unilateral }: Extract<ContractEvent, { event: 'barrier.released' }>): void {
    if (this.#alone && !unilateral)
      this.faults.push(`barrier ${sequence} by agreement, after one that it released alone`)
    if (sequence !== this.#released + 1 && !(unilateral && sequence === this.#started)) {
      this.faults.push(`barrier ${sequence} released after barrier ${this.#released}`)
    }
    this.#alone = unilateral
    this.#released = sequence
    this.#members = members
  }

  #start(sequence: number, at: number): void {
    if (!Number.isFinite(at)) this.faults.push(`stage ${sequence} started at ${at}`)
    if (sequence > this.#released + 1) {
      this.faults.push(`stage ${sequence} started, but only barrier ${this.#released} was released`)
    }
    if (sequence === this.#released + 1 && !this.#members.includes(this.#name)) {
      this.faults.push(`stage ${sequence} started, though barrier ${this.#released} was released without it`)
    }
    if (sequence !== this.#started + 1) this.faults.push(`stage ${sequence} started after stage ${this.#started}`)
    if (this.#finished !== this.#started) this.faults.push(`stage ${sequence} started while another one ran`)
    this.#started = sequence
  }

  #finish(sequence: number): void {
    // One that could not be started says so at once.
    if (sequence !== this.#started && sequence !== this.#started + 1) {
      this.faults.push(`stage ${sequence} finished, but stage ${this.#started} was started last`)
    }
    this.#started = sequence
    this.#finished = sequence
  }

  #end(status: string): void {
    if (this.#ended) this.faults.push('the plan ended twice')
    this.#ended = true
    if (status === 'completed' && this.#finished !== this.#released) {
      this.faults.push(`completed with stage ${this.#finished} finished and barrier ${this.#released} released`)
    }
  }
}

function orderOf(part: Part): string[] {
  const course = new Course(part.peer.name)
  for (const event of part.events) course.take(event)
  return course.faults
}
