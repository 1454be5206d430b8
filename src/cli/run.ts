/** `paceline run`: local peers, one plan, its results. */

import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { copyFile, mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { tellEnd } from './ending.ts'
import { PacelineError } from './errors.ts'
import { describeFailure } from './failure.ts'
import type { RunCommand } from './flags.ts'
import { LocalPeers } from './local-peers.ts'
import { joinAsClient, readSecret } from './mesh-options.ts'
import { tellNotices } from './notices.ts'
import { type Plan, readPlanFile } from './plan/mod.ts'
import { agentFolder, checkWritable } from './results/mod.ts'
import { followSession, type SessionEnd } from './session.ts'
import { type StopSignals, watchSignals } from './signals.ts'

const AGENTS_DEFAULT = 3
/** Peers start on a machine that may be busy with starting all of them. */
const FIND_PEER_MS = 30_000

export async function runLocally(command: RunCommand): Promise<number> {
  const plan = await readPlanFile(command.plan)
  tellNotices(plan, command.agents)
  await checkWritable(command.out)
  const secret = await readSecret(command.secretFile)
  const runId = command.runId ?? `local-${randomBytes(4).toString('hex')}`
  const names = peerNames(plan, command.agents)
  const scratch = path.join(tmpdir(), `paceline-run-${runId}-${process.pid}`)
  const { secretFile, allow, allowExec, endpoint, http } = command
  const peers = new LocalPeers({ runId, names, scratch, secretFile, allow, allowExec, endpoint, http })
  const signals = watchSignals()
  if (!command.json)
    process.stderr.write(
      `starting ${names.length} local ${names.length === 1 ? 'peer' : 'peers'}: ${names.join(', ')}\n`,
    )
  await peers.start()
  let end: SessionEnd | null = null
  try {
    end = await followOn(peers, { command, plan, runId, names, signals, secret })
  } finally {
    await peers.stop(end !== null && end.exit === 0)
    const kept = end === null ? false : await keepLogs(peers, names, end, plan.opLog).catch(tellUnkept)
    if (kept) await peers.removeScratch()
    else process.stderr.write(`what the peers logged is in ${scratch}\n`)
  }
  tellEnd(end, { runId, json: command.json })
  return end.exit
}

interface Run {
  readonly command: RunCommand
  readonly plan: Plan
  readonly runId: string
  readonly names: readonly string[]
  readonly signals: StopSignals
  readonly secret: Uint8Array | null
}

/** Peers that cannot start end the run at once; what happens to them later is for the plan's policies. */
async function followOn(peers: LocalPeers, run: Run): Promise<SessionEnd> {
  let started = false
  const failed = Promise.withResolvers<never>()
  void peers.firstFailure.then(({ words, exitCode }) => {
    const message = `A local peer could not take part: ${words}`
    if (!started) failed.reject(new PacelineError('PEER_NOT_STARTED', message, { exitCode }))
  })
  const following = follow(peers, run, () => {
    started = true
  })
  return await Promise.race([following, failed.promise])
}

async function follow(peers: LocalPeers, run: Run, onStarted: () => void): Promise<SessionEnd> {
  const { command, plan, runId, names, signals, secret } = run
  const { secretFile } = command
  const flags = { runId, secretFile, mdns: false, peers: [], waitMs: FIND_PEER_MS }
  const mesh = await joinAsClient(flags, secret)
  try {
    const shownAt = command.http === null ? '' : await peers.liveView()
    if (shownAt !== '') process.stderr.write(`live view: ${shownAt}\n`)
    return await followSession({
      mesh,
      runId,
      plan,
      agents: names.length,
      detach: false,
      out: command.out,
      quiet: command.json,
      signals,
      quitBeforeStart: true,
      onStarted,
    })
  } finally {
    await mesh.close()
  }
}

/** All that the plan names, so that it can start and its per-agent settings apply; then as many as are asked for. */
function peerNames(plan: Plan, agents: number | null): string[] {
  const { wanted } = plan
  const named = wanted.kind === 'names' ? wanted.names : []
  const planned = wanted.kind === 'count' ? wanted.count : wanted.kind === 'names' ? named.length : AGENTS_DEFAULT
  const count = Math.max(agents ?? planned, named.length)
  return Array.from({ length: count }, (_, index) => named[index] ?? `agent-${index + 1}`)
}

/** Copies what only peers have into the result folder: what they logged. False when there is no such folder. */
async function keepLogs(
  peers: LocalPeers,
  names: readonly string[],
  end: SessionEnd,
  opLog: string | null,
): Promise<boolean> {
  if (end.results === null) return false
  for (const name of names) {
    const folder = path.join(end.results.dir, agentFolder(name))
    await mkdir(folder, { recursive: true })
    await copyFile(peers.logOf(name), path.join(folder, 'events.jsonl'))
    if (opLog === null) continue
    for (const dir of await peers.resultsOf(name)) await copyIfThere(path.join(dir, agentFolder(name)), folder, opLog)
  }
  return true
}

/** The figures of a run are worth more than its logs. */
function tellUnkept(error: unknown): false {
  process.stderr.write(`what the peers logged could not be kept: ${describeFailure(error).message}\n`)
  return false
}

/** A peer that was lost early has none. */
async function copyIfThere(from: string, to: string, name: string): Promise<void> {
  const file = path.join(from, name)
  if (existsSync(file)) await copyFile(file, path.join(to, name))
}
