/** Turns what the mesh has to say into log events; stages and the end of a plan are logged by the agent. */

import { type Decision, type PeerId, policyOf } from '../barrier/mod.ts'
import type { Mesh, MeshEvent, PeerInfo } from '../mesh/mod.ts'
import { describeFailure } from './failure.ts'
import { describeLeaderless, LEADERLESS_AFTER_MS } from './leaderless.ts'
import type { Log } from './log.ts'

/** Refused messages that are logged in one second; a flood is counted, not written out. */
const REJECTED_PER_SECOND_MAX = 20

/** `http`: where the run is shown; null where it is not. */
export function logMeshEvents(mesh: Mesh, log: Log, http: string | null): void {
  const logger = new MeshLogger(mesh, log, http)
  mesh.onEvent((event) => logger.take(event))
}

class MeshLogger {
  readonly #mesh: Mesh
  readonly #log: Log
  readonly #http: string | null
  readonly #names = new Map<PeerId, string>()
  #stages: readonly string[] = []
  #leaderless: NodeJS.Timeout | undefined
  #rejectedSecond = 0
  #rejectedCount = 0

  constructor(mesh: Mesh, log: Log, http: string | null) {
    this.#mesh = mesh
    this.#log = log
    this.#http = http
    this.#names.set(mesh.peerId, mesh.name)
  }

  take(event: MeshEvent): void {
    switch (event.type) {
      case 'listening':
        return this.#listening(event.addrs)
      case 'peer_joined':
        if (event.peer.role === 'client') return
        return this.#joined(event.peer)
      case 'peer_left':
        if (event.peer.role === 'client') return
        return this.#log({ event: 'peer.left', name: event.peer.name, peerId: event.peer.peerId })
      case 'leader_elected':
        return this.#log({ event: 'leader.elected', term: event.ballot.term, leader: event.name })
      case 'leader_lost':
        this.#watchLeaderless()
        return this.#log({ event: 'leader.lost', term: event.ballot.term, leader: event.name, reason: event.reason })
      case 'waiting': {
        this.#watchLeaderless()
        const { sequence, plan } = event
        return this.#log({ event: 'barrier.waiting', plan: plan.number, sequence, stage: this.#stage(sequence) })
      }
      case 'progress': {
        const { plan, sequence, ready, waiting, failed } = event.digest
        const named = { ready: this.#named(ready), waiting: this.#named(waiting), failed: this.#named(failed) }
        return this.#log({ event: 'barrier.progress', plan: plan.number, sequence, ...named })
      }
      case 'decided':
        return this.#decided(event.decision, event.unilateral, event.waitedMs)
      case 'rejected':
        return this.#rejected(event.reason, event.from, event.expected, event.got)
      case 'refused':
        return this.#rejected(event.reason, event.from, event.expected, event.got)
      case 'trouble':
      case 'fault': {
        const { code, message } = describeFailure(event.error)
        return this.#log({ event: 'node.warning', code, message })
      }
      default:
        return
    }
  }

  /** A plan that nobody can lead on is no election that takes its time. */
  #watchLeaderless(): void {
    clearTimeout(this.#leaderless)
    this.#leaderless = setTimeout(() => {
      const { leaderless } = this.#mesh.status()
      if (leaderless === null || leaderless.sinceMs < LEADERLESS_AFTER_MS) return
      this.#log({ event: 'node.warning', code: 'NO_LEADER', message: describeLeaderless(leaderless) })
    }, LEADERLESS_AFTER_MS + 100)
    this.#leaderless.unref()
  }

  #joined({ peerId, name }: PeerInfo): void {
    this.#names.set(peerId, name)
    this.#log({ event: 'peer.joined', name, peerId })
    const same = this.#mesh.peers().filter((peer) => peer.name === name && peer.connected && peer.role === 'agent')
    if (same.length < 2) return
    const ids = same.map((peer) => peer.peerId).join(' and ')
    const message = `${ids} have the same name, ${name}: plans that name their agents will be refused`
    this.#log({ event: 'node.warning', code: 'NAME_TAKEN', message })
  }

  #listening(addrs: readonly string[]): void {
    this.#log({ event: 'node.listening', addrs, ...(this.#http === null ? {} : { http: this.#http }) })
  }

  #decided(decision: Decision, unilateral: boolean, waitedMs: number): void {
    const { sequence, leader } = decision
    const common = { plan: decision.plan.number, sequence, term: decision.ballot.term, leader }
    if (decision.kind === 'abort') {
      this.#log({ event: 'barrier.aborted', ...common, reason: decision.reason })
      return
    }
    const members = decision.members.map((member) => member.name)
    if (decision.kind === 'start') {
      for (const member of decision.members) this.#names.set(member.peer, member.name)
      this.#stages = decision.spec.stages.map((stage) => stage.name)
      const { hash } = decision.spec
      this.#log({ event: 'plan.accepted', plan: common.plan, hash, agents: members, stages: this.#stages })
    }
    this.#log({
      event: 'barrier.released',
      ...common,
      policy: policyOf(decision),
      members,
      excluded: decision.kind === 'start' ? [] : decision.excluded.map(({ name, reason }) => ({ name, reason })),
      startAt: decision.startAt,
      waitedMs,
      unilateral,
    })
  }

  #rejected(reason: string, from: string, expected: string, got: string): void {
    const second = Math.floor(performance.now() / 1000)
    if (second !== this.#rejectedSecond) {
      const hidden = this.#rejectedCount - REJECTED_PER_SECOND_MAX
      this.#rejectedSecond = second
      this.#rejectedCount = 0
      if (hidden > 0) {
        const message = `${hidden} more refused messages were not logged`
        this.#log({ event: 'node.warning', code: 'REJECTED_FLOOD', message })
      }
    }
    this.#rejectedCount += 1
    if (this.#rejectedCount > REJECTED_PER_SECOND_MAX) return
    this.#log({ event: 'message.rejected', reason, from: this.#names.get(from) ?? from, expected, got })
  }

  #stage(sequence: number): string {
    return this.#stages[sequence - 1] ?? this.#mesh.status().stage ?? ''
  }

  #named(peers: readonly PeerId[]): string[] {
    return peers.map((peer) => this.#names.get(peer) ?? peer)
  }
}
