/** `paceline status`: one peer is asked who is there, and each peer for what it does. */

import type { Mesh, PeerInfo } from '../mesh/mod.ts'
import { type NodeDocument, type PeerStatus, parseNodeDocument } from './client-protocol.ts'
import type { StatusCommand } from './flags.ts'
import { agentsOf } from './follow.ts'
import { describeLeaderless } from './leaderless.ts'
import { joinAsClient } from './mesh-options.ts'
import { compareNames } from './names.ts'
import { printableLines, renderColumns } from './terminal/mod.ts'

const ANSWER_TIMEOUT_MS = 3000
/** Peers asked at the same time. */
const ASKED_AT_ONCE = 16

export interface PeerRow {
  readonly name: string
  readonly peerId: string
  readonly address: string
  readonly version: string
  readonly runtime: string
  /** Null when it did not answer. */
  readonly status: PeerStatus | null
}

export async function showStatus(command: StatusCommand): Promise<number> {
  const mesh = await joinAsClient(command)
  try {
    const rows = await askPeers(mesh)
    process.stdout.write(command.json ? statusDocument(command.runId, rows) : renderStatus(command.runId, rows))
    return 0
  } finally {
    await mesh.close()
  }
}

/** Peers that this client has found, and peers that those know of. */
export async function askPeers(mesh: Mesh): Promise<PeerRow[]> {
  const rows = new Map<string, PeerRow>()
  let unasked = agentsOf(mesh)
  while (unasked.length > 0) {
    const batch = unasked.slice(0, ASKED_AT_ONCE)
    const answers = await Promise.all(batch.map((peer) => askStatus(mesh, peer)))
    const next = unasked.slice(ASKED_AT_ONCE)
    for (const [index, peer] of batch.entries()) {
      const status = answers[index] ?? null
      const { name, peerId, version, runtime } = peer
      rows.set(peerId, { name, peerId, address: peer.addrs[0] ?? '', version, runtime, status })
      for (const other of status?.peers ?? []) {
        const known = rows.has(other.peerId) || [...next, ...batch].some((one) => one.peerId === other.peerId)
        if (other.role === 'agent' && !known) next.push(other)
      }
    }
    unasked = next
  }
  return [...rows.values()].sort((a, b) => compareNames(a.name, b.name))
}

async function askStatus(mesh: Mesh, { peerId, addrs }: PeerInfo): Promise<PeerStatus | null> {
  const signal = AbortSignal.timeout(ANSWER_TIMEOUT_MS)
  try {
    const channel = await mesh.openClient(peerId, signal, addrs)
    signal.addEventListener('abort', () => void channel.close().catch(() => {}), { once: true })
    await channel.send({ type: 'status' })
    const answer = await firstOf(channel.documents, signal)
    await channel.close()
    return answer?.type === 'status' ? answer.status : null
  } catch {
    // Shown as a peer that does not answer.
    return null
  }
}

async function firstOf(documents: AsyncIterable<unknown>, signal: AbortSignal): Promise<NodeDocument | null> {
  const { promise, resolve } = Promise.withResolvers<null>()
  signal.addEventListener('abort', () => resolve(null), { once: true })
  const next = documents[Symbol.asyncIterator]().next()
  // A stream that breaks after the time is over is of no interest any more.
  next.catch(() => {})
  const first = await Promise.race([next, promise])
  return first === null || first.done === true ? null : parseNodeDocument(first.value)
}

/** Pure. */
function statusDocument(runId: string, rows: readonly PeerRow[]): string {
  const leader = rows.find((row) => row.status?.core.role === 'leader')?.name ?? null
  return `${JSON.stringify({ run: runId, leader, peers: rows }, null, 2)}\n`
}

/** A table for people. Pure. */
function renderStatus(runId: string, rows: readonly PeerRow[]): string {
  const answered = rows.filter((row) => row.status !== null)
  const leader = answered.find((row) => row.status?.core.role === 'leader')
  const plan = answered.find((row) => row.status?.core.plan !== null)?.status ?? null
  const lines = [
    `run ${runId}: ${rows.length} ${rows.length === 1 ? 'peer' : 'peers'}, led by ${leader?.name ?? 'nobody yet'}`,
  ]
  if (plan !== null) {
    const { core } = plan
    const stages = plan.plan?.stages ?? []
    const stage = core.stage === null ? '' : `, stage ${core.sequence} of ${stages.length} (${core.stage})`
    lines.push(`plan ${core.plan?.number ?? ''}${stage}${core.unilateral ? ', going on alone without a quorum' : ''}`)
  } else lines.push('no plan is running')
  for (const { name, status } of answered) {
    const leaderless = status?.core.leaderless ?? null
    if (leaderless !== null) lines.push(`! ${name}: ${describeLeaderless(leaderless)}`)
  }
  lines.push(...startLines(answered))
  for (const name of new Set(rows.map((row) => row.name))) {
    const same = rows.filter((row) => row.name === name)
    if (same.length > 1) lines.push(`! ${same.map(({ peerId }) => peerId).join(' and ')} have the same name, ${name}`)
  }
  // The address, which is long, last: on a narrow terminal the others stay a table.
  const header = ['NAME', 'RUNTIME', 'VERSION', 'ROLE', 'TERM', 'STAGE', 'READY', 'OFFSET', 'ROUND TRIP', 'ADDRESS']
  const table = renderColumns([header, ...rows.map(statusCells)])
  return printableLines(`${[...lines, '', ...table].join('\n')}\n`)
}

/** Of the plan that runs, or ran last: how far apart its members began each stage. */
function startLines(rows: readonly PeerRow[]): string[] {
  const plans = rows.flatMap(({ status }) => (status?.plan == null ? [] : [status.plan]))
  const latest = Math.max(...plans.map(({ number }) => number))
  const [fullest] = plans.filter(({ number }) => number === latest).sort((a, b) => b.starts.length - a.starts.length)
  const measured = (fullest?.starts ?? []).flatMap(({ sequence, stage, spreadMs }) =>
    spreadMs === null ? [] : [`${sequence} ${stage} ${spreadMs.toFixed(3)} ms`],
  )
  return measured.length === 0 ? [] : [`start spread of plan ${latest}: ${measured.join(', ')}`]
}

function statusCells(row: PeerRow): string[] {
  const head = [row.name, row.runtime, row.version]
  if (row.status === null) return [...head, 'no answer', '-', '-', '-', '-', '-', row.address]
  const { core } = row.status
  const busy = core.plan !== null
  const isReady = core.ready.includes(core.self.peer)
  return [
    ...head,
    core.role,
    String(core.term),
    busy ? (core.stage ?? '-') : '-',
    busy ? (isReady ? 'yes' : 'no') : '-',
    core.clock === null ? '-' : `${core.clock.offsetMs.toFixed(3)} ms`,
    core.clock === null ? '-' : `${core.clock.roundTripMs.toFixed(3)} ms`,
    row.address,
  ]
}
