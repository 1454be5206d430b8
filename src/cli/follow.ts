/**
 * The client's side: hands a plan in, or joins one that runs, and follows it to its end. When the peer that it follows
 * dies or falls silent, it goes on with another one from the last decision that it knows. What a peer does alone counts
 * only where no other can say more: as soon as one can, it is followed instead, from the last decision of all.
 */

import type { Member, PlanStatus, SubmitOutcome } from '../barrier/mod.ts'
import type { ClientChannel, Mesh, PeerInfo } from '../mesh/mod.ts'
import { atMost } from './at-most.ts'
import {
  BACKLOG_MAX,
  type ClientRequest,
  isPassing,
  type NodeDocument,
  parseNodeDocument,
  SILENCE_MAX_MS,
} from './client-protocol.ts'

export interface FollowOptions {
  readonly mesh: Pick<Mesh, 'peerId' | 'peers' | 'onEvent' | 'openClient'>
  /** Plan to hand in; null: follow what runs. */
  readonly plan: { readonly yaml: string; readonly agents: number | null; readonly submission: string } | null
  /** Return once the plan is accepted. */
  readonly detach: boolean
  /** Each decision once, in order; the rest as it comes. Must not throw. */
  readonly onDocument: (document: NodeDocument, from: PeerInfo) => void
  /** Decisions after `sequence` were those of one peer alone, and do not count: the others, who now follow, decided. */
  readonly onOverruled: (sequence: number) => void
  /** When it fires, the plan is asked to abort, with the signal's reason as text. */
  readonly abortPlan: AbortSignal
}

export type FollowEnd =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'rejected'; readonly outcome: Exclude<SubmitOutcome, { status: 'accepted' }> }
  | { readonly kind: 'error'; readonly code: string; readonly message: string; readonly exit: number }
  | {
      readonly kind: 'finished'
      readonly status: PlanStatus
      readonly reason: string
      readonly unilateral: boolean
    }
  /** No peer is left that knows of the plan. */
  | { readonly kind: 'lost' }

type Finished = Extract<FollowEnd, { kind: 'finished' }>
/** The peer went on without the others, who may have more to say. */
type Alone = { readonly kind: 'alone' }

/** One that went on alone, and the last decision of all with its members: from there the others go on. */
interface Only {
  readonly peer: string
  readonly agreed: { readonly after: number; readonly members: readonly Member[] }
}

/** How long a client that has lost every peer waits for one to come back. */
const LOST_AFTER_MS = 10_000
/** A peer that could not be asked is left alone for a while. */
const RETRY_AFTER_MS = 500
/** Peers that are connected have this long to say more than one that went on alone. */
const ALONE_AFTER_MS = 2000
const OPEN_TIMEOUT_MS = 3000

export async function followPlan(options: FollowOptions): Promise<FollowEnd> {
  const follower = new PlanFollower(options)
  return await follower.run()
}

/** One peer's answer to the request. It is read as it comes: the peer may be gone before its words are needed. */
interface Source {
  readonly peer: PeerInfo
  readonly backlog: Backlog
  close(): void
}

class PlanFollower {
  readonly #options: FollowOptions
  /** Highest sequence whose decision is known. */
  #after = -1
  /** Members after that decision. */
  #members: readonly Member[] = []
  /** The end of the plan for peers that were cut off: final for them, perhaps not for the plan. */
  #quorumLost: Finished | null = null
  #stages = Number.POSITIVE_INFINITY
  /** The end as the last decision has it, for when its peers end before they have said so. */
  #decidedEnd: Finished | null = null
  #accepted = false
  readonly #asked = new Set<string>()
  readonly #retryAt = new Map<string, number>()
  /** The first member that went on alone, for when no other can say more. */
  #kept: { readonly source: Source; readonly since: number } | null = null
  /** That one is followed now: nobody else's decisions go with its own. */
  #only: Only | null = null
  /** It overrules that one, and is the next to be listened to. */
  #overruling: Source | null = null

  constructor(options: FollowOptions) {
    this.#options = options
  }

  async run(): Promise<FollowEnd> {
    try {
      return await this.#run()
    } finally {
      this.#kept?.source.close()
    }
  }

  async #run(): Promise<FollowEnd> {
    let lastSeen = performance.now()
    while (performance.now() - lastSeen < LOST_AFTER_MS) {
      const overruling = this.#overruling
      this.#overruling = null
      const peer = overruling === null ? this.#pickPeer() : null
      const source = overruling ?? (peer === null ? this.#takeKept() : await this.#open(peer))
      const asked = source?.peer ?? peer
      if (asked === null) {
        // Peers that are merely being left alone, or cut off, for a moment come back; where the quorum was lost, and all
        // others were asked, there is no more to come.
        if (this.#quorumLost !== null && this.#candidates().length === 0) return this.#lostFor(this.#quorumLost)
        await nextArrival(this.#options.mesh, RETRY_AFTER_MS)
        continue
      }
      const onHeard = () => {
        lastSeen = performance.now()
      }
      const end = source === null ? null : await this.#listenUnlessOverruled(source, onHeard)
      if (end === null && this.#decidedEnd !== null) return this.#decidedEnd
      if (end === null) this.#retryAt.set(asked.peerId, performance.now() + RETRY_AFTER_MS)
      else if (end.kind === 'alone') this.#asked.add(asked.peerId)
      else if (end.kind === 'finished' && (end.status === 'excluded' || end.status === 'quorum_lost')) {
        this.#asked.add(asked.peerId)
        // Who was excluded says nothing about the others.
        if (end.status === 'quorum_lost') this.#quorumLost = end
      } else return end
    }
    return this.#quorumLost === null ? { kind: 'lost' } : this.#lostFor(this.#quorumLost)
  }

  /** Those that are gone may have ended the plan among themselves: who was cut off cannot know. */
  #lostFor(end: Finished): Finished {
    const unheard = this.#members.filter(({ peer }) => !this.#asked.has(peer)).map(({ name }) => name)
    if (unheard.length === 0) return end
    return { ...end, reason: `${end.reason}; nobody is left who knows how the plan ended for ${unheard.join(', ')}` }
  }

  #candidates(): PeerInfo[] {
    return agentsOf(this.#options.mesh).filter(({ connected, peerId }) => {
      return connected && !this.#asked.has(peerId) && (this.#only?.peer ?? peerId) === peerId
    })
  }

  #pickPeer(): PeerInfo | null {
    const candidates = this.#candidates()
    const untried = candidates.find(({ peerId }) => !this.#retryAt.has(peerId))
    if (untried !== undefined) return untried
    if (this.#kept !== null && performance.now() - this.#kept.since >= ALONE_AFTER_MS) return null
    const now = performance.now()
    return candidates.find(({ peerId }) => (this.#retryAt.get(peerId) ?? 0) <= now) ?? null
  }

  /** What the one that went on alone says, once the others have had their time. */
  #takeKept(): Source | null {
    if (this.#kept === null) return null
    const { source, since } = this.#kept
    if (this.#candidates().length > 0 && performance.now() - since < ALONE_AFTER_MS) return null
    this.#kept = null
    this.#only = { peer: source.peer.peerId, agreed: { after: this.#after, members: this.#members } }
    this.#asked.delete(this.#only.peer)
    return source
  }

  /** While one that went on alone is followed, the others may come within reach and say more. */
  async #listenUnlessOverruled(source: Source, onHeard: () => void): Promise<FollowEnd | Alone | null> {
    const only = this.#only
    if (only === null) return await this.#listen(source, onHeard)
    const over = new AbortController()
    const others = this.#seekOthers(only, over.signal)
    const ended = this.#listen(source, onHeard)
    const first = await Promise.race([ended, others])
    over.abort()
    if (first === null || 'kind' in first) {
      void others.then((late) => late?.close())
      return first
    }
    source.backlog.stop()
    await ended
    this.#overruling = first
    this.#asked.add(only.peer)
    this.#only = null
    this.#after = only.agreed.after
    this.#members = only.agreed.members
    this.#decidedEnd = null
    this.#options.onOverruled(this.#after)
    return null
  }

  /** Resolves to a peer that knows of a decision after the last one of all; null once `signal` fires. */
  async #seekOthers({ peer: alone, agreed }: Only, signal: AbortSignal): Promise<Source | null> {
    const dismissed = new Set(this.#asked)
    for (let turn = 0; !signal.aborted; turn += 1) {
      const others = agentsOf(this.#options.mesh).filter(
        ({ connected, peerId }) => connected && peerId !== alone && !dismissed.has(peerId),
      )
      const next = others[turn % Math.max(1, others.length)]
      const source = next === undefined ? null : await this.#open(next, agreed.after)
      const patience = AbortSignal.any([signal, AbortSignal.timeout(ALONE_AFTER_MS)])
      const word = source === null ? 'nothing' : await firstWord(source, agreed.after, patience)
      if (source !== null && word === 'more') return source
      source?.close()
      // Who went on alone too, or is no member any more, will never have more to say.
      if (next !== undefined && word === 'never') dismissed.add(next.peerId)
      else await nextArrival(this.#options.mesh, RETRY_AFTER_MS)
    }
    return null
  }

  /** Whom the others have excluded, what it does alone does not go with their decisions. */
  #keepMember(): void {
    if (this.#kept === null || this.#isMember(this.#kept.source.peer)) return
    this.#kept.source.close()
    this.#kept = null
  }

  #isMember({ peerId }: PeerInfo): boolean {
    return this.#members.some(({ peer }) => peer === peerId)
  }

  #request(after: number): ClientRequest {
    const { plan } = this.#options
    if (plan === null) return { type: 'follow', submission: null, after }
    // Once accepted it must not be handed in a second time, to a peer that knows nothing of it.
    if (this.#accepted) return { type: 'follow', submission: plan.submission, after }
    return { type: 'submit', ...plan, after }
  }

  /** Null when this peer cannot be asked. */
  async #open(peer: PeerInfo, after = this.#after): Promise<Source | null> {
    const { mesh, abortPlan } = this.#options
    let channel: ClientChannel
    try {
      channel = await mesh.openClient(peer.peerId, AbortSignal.timeout(OPEN_TIMEOUT_MS))
      await channel.send(this.#request(after))
    } catch {
      return null
    }
    const sendAbort = () => void channel.send({ type: 'abort', reason: String(abortPlan.reason) }).catch(() => {})
    abortPlan.addEventListener('abort', sendAbort)
    if (abortPlan.aborted) sendAbort()
    const close = () => {
      abortPlan.removeEventListener('abort', sendAbort)
      void channel.close().catch(() => {})
    }
    return { peer, backlog: new Backlog(withSilenceLimit(channel)), close }
  }

  /** Null when this peer was lost, or knows nothing of the plan. */
  async #listen(source: Source, onHeard: () => void): Promise<FollowEnd | Alone | null> {
    const { peer, backlog } = source
    for (let next = await backlog.next(); next !== undefined; next = await backlog.next()) {
      const end = this.#take(next, peer)
      // Who knows nothing of the plan, one that was restarted say, is not somebody who may tell how it ends.
      if (end !== null) onHeard()
      if (end === 'more') continue
      if (end?.kind === 'alone' && this.#kept === null && this.#isMember(peer)) {
        backlog.putBack(next)
        this.#kept = { source, since: performance.now() }
      } else source.close()
      return end
    }
    source.close()
    return null
  }

  #take(document: NodeDocument, peer: PeerInfo): FollowEnd | Alone | null | 'more' {
    switch (document.type) {
      case 'no_plan':
        return this.#options.plan === null ? { kind: 'lost' } : null
      case 'error':
        return { kind: 'error', code: document.code, message: document.message, exit: document.exit }
      case 'outcome':
        if (document.outcome.status !== 'accepted') return { kind: 'rejected', outcome: document.outcome }
        if (!this.#accepted) this.#options.onDocument(document, peer)
        this.#accepted = true
        return this.#options.detach ? { kind: 'accepted' } : 'more'
      case 'decision':
        if (document.decision.sequence <= this.#after) return 'more'
        if (document.unilateral && peer.peerId !== this.#only?.peer) return { kind: 'alone' }
        this.#after = document.decision.sequence
        this.#members = document.decision.members
        this.#keepMember()
        this.#noteEnd(document)
        this.#options.onDocument(document, peer)
        return 'more'
      case 'finished': {
        const { status, reason, unilateral } = document
        this.#options.onDocument(document, peer)
        return { kind: 'finished', status, reason, unilateral }
      }
      default:
        this.#options.onDocument(document, peer)
        return 'more'
    }
  }

  #noteEnd({ decision, unilateral }: Extract<NodeDocument, { type: 'decision' }>): void {
    const end = { kind: 'finished', unilateral } as const
    if (decision.kind === 'start') this.#stages = decision.spec.stages.length
    else if (decision.kind === 'abort') this.#decidedEnd = { ...end, status: 'aborted', reason: decision.reason }
    else if (decision.sequence === this.#stages) this.#decidedEnd = { ...end, status: 'completed', reason: '' }
  }
}

/** What a peer has to say after a decision: more than one that went on alone, nothing (yet), or never anything. */
async function firstWord(
  { backlog }: Source,
  after: number,
  signal: AbortSignal,
): Promise<'more' | 'nothing' | 'never'> {
  const stop = () => backlog.stop()
  if (signal.aborted) return 'nothing'
  signal.addEventListener('abort', stop)
  try {
    for (let next = await backlog.next(); next !== undefined; next = await backlog.next()) {
      if (next.type === 'finished') return 'never'
      if (next.type !== 'decision' || next.decision.sequence <= after) continue
      if (next.unilateral) return 'never'
      backlog.putBack(next)
      return 'more'
    }
    return 'nothing'
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

/** Documents read as they come, and held until they are wanted; of those that pass soon, no more than a few. */
class Backlog {
  readonly #documents: NodeDocument[] = []
  #open = true
  #wake: () => void = () => {}

  constructor(documents: AsyncIterable<unknown>) {
    void this.#read(documents)
  }

  /** Undefined at the end, whatever the reason: reset, silent or closed in the middle, the next peer is asked. */
  async next(): Promise<NodeDocument | undefined> {
    while (this.#documents.length === 0 && this.#open) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    return this.#documents.shift()
  }

  /** Nothing more is wanted. */
  stop(): void {
    this.#documents.length = 0
    this.#open = false
    this.#wake()
  }

  putBack(document: NodeDocument): void {
    this.#documents.unshift(document)
  }

  async #read(documents: AsyncIterable<unknown>): Promise<void> {
    try {
      for await (const raw of documents) {
        if (!this.#open) return
        const document = parseNodeDocument(raw)
        if (document === null || (isPassing(document) && this.#documents.length >= BACKLOG_MAX)) continue
        this.#documents.push(document)
        this.#wake()
      }
    } catch {
      // Told by the end.
    }
    this.#open = false
    this.#wake()
  }
}

/** Ends with an error when nothing comes for a while: the other side may be stopped, or cut off. */
async function* withSilenceLimit(channel: ClientChannel): AsyncGenerator<unknown> {
  const documents = channel.documents[Symbol.asyncIterator]()
  while (true) {
    const next = await atMost(SILENCE_MAX_MS, documents.next())
    if (next === 'late') throw new Error(`${channel.peer} is silent`)
    if (next.done === true) return
    yield next.value
  }
}

export function agentsOf(mesh: Pick<Mesh, 'peerId' | 'peers'>): PeerInfo[] {
  return mesh.peers().filter((peer) => peer.role === 'agent' && peer.peerId !== mesh.peerId)
}

/** Resolves as soon as an agent is connected: true; false after `timeoutMs` without one. */
export async function waitForAgent(mesh: Mesh, timeoutMs: number): Promise<boolean> {
  const found = () => agentsOf(mesh).some((peer) => peer.connected)
  if (!found()) await nextArrival(mesh, timeoutMs)
  return found()
}

/** Resolves when the next agent joins, or after `timeoutMs`. */
async function nextArrival(mesh: Pick<Mesh, 'onEvent'>, timeoutMs: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, timeoutMs)
  const stop = mesh.onEvent((event) => {
    if (event.type === 'peer_joined' && event.peer.role === 'agent') resolve()
  })
  await promise
  clearTimeout(timer)
  stop()
}
