/** `paceline abort`: asks a member to have the running plan aborted, and waits until it is. */

import type { Mesh } from '../mesh/mod.ts'
import { parseNodeDocument } from './client-protocol.ts'
import type { AbortCommand } from './flags.ts'
import { joinAsClient } from './mesh-options.ts'
import { askPeers } from './status.ts'
import { printable } from './terminal/mod.ts'

/** An abort is agreed on like everything else: this is ample for a live majority. */
const ABORT_TIMEOUT_MS = 10_000

type AbortOutcome =
  | { readonly kind: 'idle' }
  | { readonly kind: 'ended'; readonly plan: number; readonly status: string; readonly reason: string }
  | { readonly kind: 'unknown' }

export async function abortPlan(command: AbortCommand): Promise<number> {
  const mesh = await joinAsClient(command)
  try {
    const outcome = await askMembers(mesh, command.reason)
    if (command.json) process.stdout.write(`${JSON.stringify({ run: command.runId, ...outcome })}\n`)
    else process.stdout.write(`${printable(describe(command.runId, outcome))}\n`)
    return outcome.kind === 'idle' || (outcome.kind === 'ended' && outcome.status === 'aborted') ? 0 : 1
  } finally {
    await mesh.close()
  }
}

/** Only members of a plan know of it: everybody is asked what it does, then those that work on one to abort it. */
async function askMembers(mesh: Mesh, reason: string): Promise<AbortOutcome> {
  const signal = AbortSignal.timeout(ABORT_TIMEOUT_MS)
  const rows = await askPeers(mesh)
  const members = rows.filter(({ status }) => status !== null && status.core.plan !== null)
  if (members.length === 0 && rows.every(({ status }) => status !== null)) return { kind: 'idle' }
  for (const { peerId, address } of members) {
    if (signal.aborted) break
    try {
      const answer = await askAbort(mesh, peerId, address === '' ? [] : [address], reason, signal)
      if (answer.kind === 'ended' && answer.status !== 'excluded') return answer
    } catch {
      // It died or fell silent meanwhile; the next peer is asked.
    }
  }
  return { kind: 'unknown' }
}

async function askAbort(
  mesh: Mesh,
  peer: string,
  addrs: readonly string[],
  reason: string,
  signal: AbortSignal,
): Promise<AbortOutcome> {
  const channel = await mesh.openClient(peer, signal, addrs)
  const close = () => void channel.close().catch(() => {})
  signal.addEventListener('abort', close, { once: true })
  try {
    await channel.send({ type: 'abort', reason })
    for await (const raw of channel.documents) {
      const document = parseNodeDocument(raw)
      if (document?.type === 'no_plan') return { kind: 'idle' }
      if (document?.type === 'finished') {
        return { kind: 'ended', plan: document.plan.number, status: document.status, reason: document.reason }
      }
    }
    return { kind: 'unknown' }
  } finally {
    close()
  }
}

function describe(runId: string, outcome: AbortOutcome): string {
  if (outcome.kind === 'idle') return `run ${runId}: no plan is running`
  if (outcome.kind === 'unknown')
    return `run ${runId}: no answer within ${ABORT_TIMEOUT_MS / 1000} s; see "paceline status"`
  return `run ${runId}: plan ${outcome.plan} ${outcome.status}${outcome.reason === '' ? '' : `: ${outcome.reason}`}`
}
