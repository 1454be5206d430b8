/**
 * Asks members of a plan for what they measured and no decision carried: those that were stopped in the middle of their work,
 * or gave up at a barrier. Nobody waits for them to decide anything, and a client does so only for a short time.
 */

import type { Decision, PeerId, StageReport } from '../barrier/mod.ts'
import type { Mesh } from '../mesh/mod.ts'
import { parseNodeDocument } from './client-protocol.ts'

/** A stage that is cancelled ends within a second. */
const COLLECT_MS = 3000

export class Collector {
  readonly #mesh: Pick<Mesh, 'openClient'>
  readonly #submission: string
  readonly #onReport: (report: StageReport) => void
  readonly #asked = new Map<PeerId, Promise<void>>()

  constructor(mesh: Pick<Mesh, 'openClient'>, submission: string, onReport: (report: StageReport) => void) {
    this.#mesh = mesh
    this.#submission = submission
    this.#onReport = onReport
  }

  /** Each is asked once: a peer's part in a plan ends once. */
  ask(peer: PeerId): void {
    if (this.#asked.has(peer)) return
    // Who is gone has nothing to say, or keeps it in its own results.
    this.#asked.set(
      peer,
      this.#ask(peer).catch(() => {}),
    )
  }

  /** Resolves when all that were asked have answered, or have had their time. */
  async done(): Promise<void> {
    await Promise.all(this.#asked.values())
  }

  async #ask(peer: PeerId): Promise<void> {
    const signal = AbortSignal.timeout(COLLECT_MS)
    const channel = await this.#mesh.openClient(peer, signal)
    const close = () => void channel.close().catch(() => {})
    const timedOut = new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => resolve(), { once: true })
    })
    try {
      await channel.send({ type: 'undelivered', submission: this.#submission })
      await Promise.race([this.#read(channel.documents, signal), timedOut])
    } finally {
      close()
    }
  }

  async #read(documents: AsyncIterable<unknown>, signal: AbortSignal): Promise<void> {
    for await (const raw of documents) {
      const document = parseNodeDocument(raw)
      if (document?.type === 'undelivered' && !signal.aborted) this.#onReport(document.report)
    }
  }
}

/** Whom a decision stops at their work, so that they have more to tell than it carries. */
export function stoppedBy(decision: Decision): PeerId[] {
  const { members, sequence } = decision
  if (decision.kind === 'start') return []
  const { excluded, reports } = decision
  if (decision.kind === 'release') return excluded.flatMap(({ peer, reason }) => (reason === 'straggler' ? [peer] : []))
  const gone = excluded.filter(({ reason }) => reason === 'dead' || reason === 'left').map(({ peer }) => peer)
  const told = reports.filter((report) => report.sequence === sequence).map(({ peer }) => peer)
  return members.map(({ peer }) => peer).filter((peer) => !gone.includes(peer) && !told.includes(peer))
}
