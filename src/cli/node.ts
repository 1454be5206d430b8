/** `paceline node`: one peer of a run, until it is told to leave (or, with --once, until its plan has ended). */

import { hostname } from 'node:os'
import { type Containment, resolveContainment } from '../io/mod.ts'
import { createMesh, type Mesh } from '../mesh/mod.ts'
import { type Agent, startAgent } from './agent.ts'
import { EXIT_INTERRUPTED, EXIT_OF_STATUS, EXIT_TERMINATED } from './exit-codes.ts'
import { describeFailure } from './failure.ts'
import { PlanFeed } from './feed.ts'
import type { NodeCommand } from './flags.ts'
import { HandIn } from './hand-in.ts'
import type { HttpOptions, HttpServer, openPages } from './http/mod.ts'
import { createLog, type Log } from './log.ts'
import { logMeshEvents } from './mesh-log.ts'
import { readSecret, rendezvousDir } from './mesh-options.ts'
import { checkWritable } from './results/mod.ts'
import { peerStatus, serveClients } from './serve-clients.ts'
import { type StopSignals, watchSignals } from './signals.ts'
import { spareMemory } from './spare-memory.ts'
import { wantsColor } from './terminal/mod.ts'
import { startTracing } from './tracing/mod.ts'
import { ownRuntime, ownVersion } from './version.ts'

/** Clients get this long to be told the end of a plan, and to take what is left of it, before a node that runs once ends. */
const DRAIN_MS = 2000
const LEAVE_MS = 3000

export async function runNode(command: NodeCommand): Promise<number> {
  const name = command.peerName ?? defaultName()
  const isTerminal = process.stdout.isTTY === true
  const form = command.log ?? (isTerminal ? 'pretty' : 'json')
  const events = createLog({ form, run: command.runId, peer: name, color: wantsColor(isTerminal, process.env) })
  const { log, close } = await startTracing({ runId: command.runId, peer: name, env: process.env, log: events })
  // Found out now rather than after an hour's work.
  await checkWritable(command.out)
  const containment = resolveContainment(command.allow, command.allowExec)
  const look = command.http === null ? null : await startLook(command.http)
  const mesh = await startMesh(command, name)
  // Ctrl-C reaches every process of a terminal; a starter that holds standard input wants to decide itself.
  const signals = watchSignals(command.stopOnEof ? ['SIGINT'] : [])
  const ended = takePart({ command, mesh, log, containment, signals, look }).finally(close)
  return await Promise.race([
    ended,
    signals.second.then((signal) => (signal === 'SIGINT' ? EXIT_INTERRUPTED : EXIT_TERMINATED)),
  ])
}

interface Part {
  readonly command: NodeCommand
  readonly mesh: Mesh
  readonly log: Log
  readonly containment: Containment
  readonly signals: StopSignals
  readonly look: Look | null
}

interface Leaving extends Pick<Part, 'command' | 'mesh' | 'log'> {
  readonly agent: Agent
}

/** The pages of a node that shows its run, and the server for them. */
interface Look {
  readonly server: HttpServer
  readonly openPages: typeof openPages
}

/** Loaded only where it is wanted: nodes that show nothing do not pay for it. */
async function startLook(options: HttpOptions): Promise<Look> {
  const { startHttp, openPages } = await import('./http/mod.ts')
  const server = await startHttp(options)
  const { url, madeUpToken } = server
  if (madeUpToken !== null) process.stderr.write(`the live view is at ${url}/?token=${madeUpToken}\n`)
  return { server, openPages }
}

async function takePart({ command, mesh, log, containment, signals, look }: Part): Promise<number> {
  const feed = new PlanFeed(mesh.name, () => mesh.status().leaderless)
  const handIn = new HandIn()
  const version = ownVersion()
  const planEnded = Promise.withResolvers<number>()
  const broken = Promise.withResolvers<'a defect'>()
  mesh.onEvent((event) => feed.onMeshEvent(event))
  logMeshEvents(mesh, log, look?.server.url ?? null)
  mesh.onEvent((event) => {
    if (event.type === 'fault') broken.resolve('a defect')
  })
  const tellDefect = (what: string) => (error: unknown) => {
    const { code, message } = describeFailure(error)
    log({ event: 'node.warning', code, message: `${what}: ${message}` })
  }
  const served = {
    mesh,
    feed,
    handIn,
    version,
    runtime: ownRuntime(),
    onRefused: (from: string, got: string) =>
      log({ event: 'message.rejected', reason: 'request', from, expected: 'a request', got }),
    onDefect: tellDefect('A client could not be served'),
  }
  const pages = look?.openPages(look.server, {
    mesh,
    runId: command.runId,
    version,
    status: () => peerStatus(served),
    onDefect: tellDefect('A page could not be shown'),
  })
  spareMemory(mesh)
  const agent = startAgent({
    mesh,
    runId: command.runId,
    containment,
    endpoint: command.endpoint,
    out: command.out,
    log,
    handIn,
    onProgress: (progress) => {
      feed.onProgress(mesh.peerId, progress)
      pages?.progress(progress)
      mesh.publishProgress(progress)
    },
    onUndelivered: (plan, reports) => pages?.undelivered(plan, reports),
    onPlanFinished: (exit) => {
      if (command.once) planEnded.resolve(exit)
    },
  })
  serveClients(served)

  const ends = [signals.first, planEnded.promise, broken.promise, ...(command.stopOnEof ? [inputEnd()] : [])]
  const why = await Promise.race(ends)
  const exit = typeof why === 'string' ? await leaveRun(why, { command, mesh, log, agent }) : why
  if (typeof why === 'number') {
    await Promise.all([feed.drain(DRAIN_MS), handIn.drain(DRAIN_MS)])
    await mesh.leave(LEAVE_MS)
  }
  pages?.close()
  await look?.server.close()
  return exit
}

/** A leader hands over, the others learn at once, the results so far are completed. */
async function leaveRun(why: string, { command, mesh, log, agent }: Leaving): Promise<number> {
  const isUnderWay = mesh.status().plan !== null
  const isByHand = why === 'SIGINT'
  log({ event: 'node.leaving', reason: why })
  // A core that is broken cannot take leave.
  await (why === 'a defect' ? mesh.close() : mesh.leave(LEAVE_MS))
  const exit = await agent.leave(isByHand ? EXIT_INTERRUPTED : EXIT_OF_STATUS.excluded)
  // What it knows may be wrong: somebody, or a service manager, should start it anew.
  if (why === 'a defect') return 1
  return isUnderWay && exit !== null && (isByHand || command.once) ? exit : 0
}

/** Resolves when the starter that holds standard input is gone. */
function inputEnd(): Promise<'standard input ended'> {
  return new Promise((resolve) => {
    const ended = () => resolve('standard input ended')
    process.stdin.on('end', ended)
    process.stdin.on('error', ended)
    process.stdin.resume()
  })
}

async function startMesh(command: NodeCommand, name: string): Promise<Mesh> {
  return await createMesh({
    runId: command.runId,
    name,
    listen: command.listen,
    join: command.join,
    secret: await readSecret(command.secretFile),
    insecure: command.insecure,
    mdns: command.mdns,
    rendezvousDir: command.rendezvous ? rendezvousDir() : null,
    role: 'agent',
    version: ownVersion(),
  })
}

/** "<hostname>-<pid>", with what a name may not contain replaced. */
function defaultName(): string {
  const host = hostname()
    .replaceAll(/[^A-Za-z0-9._-]/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 48)
  return `${host === '' ? 'peer' : host}-${process.pid}`
}
