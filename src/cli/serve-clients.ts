/** The node's side of the client protocol: takes one request from a stream and answers it. */

import type { SubmitOutcome } from '../barrier/mod.ts'
import { type ClientChannel, type Mesh, MeshError } from '../mesh/mod.ts'
import { atMost } from './at-most.ts'
import {
  ALIVE_INTERVAL_MS,
  type ClientRequest,
  type NodeDocument,
  type PeerStatus,
  parseRequest,
  type StageStarts,
} from './client-protocol.ts'
import { describeFailure } from './failure.ts'
import type { KeptPlan, PlanFeed } from './feed.ts'
import type { HandIn } from './hand-in.ts'
import { parsePlan, toPlanSpec } from './plan/mod.ts'
import { startSpreadOf } from './results/mod.ts'

export interface ServeOptions {
  readonly mesh: Mesh
  readonly feed: PlanFeed
  readonly handIn: HandIn
  readonly version: string
  readonly runtime: string
  /** A client said what is no request. */
  readonly onRefused: (from: string, got: string) => void
  /** Serving failed for no fault of the client's. */
  readonly onDefect: (error: unknown) => void
}

type SubmitRequest = Extract<ClientRequest, { type: 'submit' }>

/** Clients served at once; more are told to come back. */
const CLIENTS_MAX = 64
/** A client that has opened a stream must say what it wants within this time. */
const REQUEST_TIMEOUT_MS = 10_000
/** Only members learn the start of a plan. Where it does not come soon, the client has to ask another peer. */
const START_TIMEOUT_MS = 500

export function serveClients(options: ServeOptions): void {
  const outcomes = new OutcomeBoard(options.mesh)
  let open = 0
  options.mesh.onClient((channel) => {
    open += 1
    const served =
      open > CLIENTS_MAX ? refuse(channel, 'BUSY', 'too many clients at this peer') : serve(channel, options, outcomes)
    served
      .catch((error) => {
        // The client is gone, or speaks nonsense that the stream itself refused: nobody is left to tell.
        if (!(error instanceof MeshError)) options.onDefect(error)
        return channel.close()
      })
      .catch(() => {})
      .finally(() => {
        open -= 1
      })
  })
}

async function serve(channel: ClientChannel, options: ServeOptions, outcomes: OutcomeBoard): Promise<void> {
  const documents = channel.documents[Symbol.asyncIterator]()
  const first = await atMost(REQUEST_TIMEOUT_MS, documents.next())
  if (first === 'late') {
    options.onRefused(channel.peer, `silence for ${REQUEST_TIMEOUT_MS} ms`)
    return await channel.close()
  }
  if (first.done === true) return
  const request = parseRequest(first.value)
  if (request === null) {
    options.onRefused(channel.peer, 'a document that is no request')
    return await refuse(channel, 'BAD_REQUEST', 'this peer does not understand the request')
  }
  switch (request.type) {
    case 'submit':
      if (await submit(channel, request, options, outcomes)) await obey(documents, options.mesh)
      return
    case 'follow':
      if (await follow(channel, request, options.feed)) await obey(documents, options.mesh)
      return
    case 'abort':
      return await abort(channel, request.reason, options)
    case 'undelivered':
      return await handOver(channel, request.submission, documents, options.handIn)
    case 'status':
      await send(channel, { type: 'status', status: peerStatus(options) })
      return await channel.close()
  }
}

/** While a client follows, the only thing that it may still ask for is an abort. Ends when the stream does. */
async function obey(documents: AsyncIterator<unknown>, mesh: Mesh): Promise<void> {
  for (let next = await documents.next(); next.done !== true; next = await documents.next()) {
    const request = parseRequest(next.value)
    if (request?.type === 'abort') mesh.abort(request.reason)
  }
}

/** Returns true when the client now follows the plan. */
async function submit(
  channel: ClientChannel,
  request: SubmitRequest,
  { mesh, feed }: ServeOptions,
  outcomes: OutcomeBoard,
): Promise<boolean> {
  const known = feed.bySubmission(request.submission)
  if (known !== null) {
    await send(channel, { type: 'outcome', outcome: { status: 'accepted', plan: known.plan } })
    feed.follow(channel, known, request.after)
    return true
  }
  let outcome: SubmitOutcome
  const alive = setInterval(
    () => void channel.send({ type: 'alive', leaderless: null }).catch(() => {}),
    ALIVE_INTERVAL_MS,
  )
  try {
    const spec = toPlanSpec(parsePlan(request.yaml, 'the plan'), request.submission, request.agents)
    const answer = outcomes.wait(request.submission)
    mesh.submit(spec)
    outcome = await answer
  } catch (error) {
    const { code, message } = describeFailure(error)
    await refuse(channel, code, message)
    return false
  } finally {
    clearInterval(alive)
  }
  await send(channel, { type: 'outcome', outcome })
  const record = outcome.status === 'accepted' ? await feed.started(request.submission, START_TIMEOUT_MS) : null
  if (outcome.status !== 'accepted' || record === null) {
    await channel.close()
    return false
  }
  feed.follow(channel, record, request.after)
  return true
}

async function follow(
  channel: ClientChannel,
  request: Extract<ClientRequest, { type: 'follow' }>,
  feed: PlanFeed,
): Promise<boolean> {
  const record = request.submission === null ? feed.latest : feed.bySubmission(request.submission)
  if (record === null) {
    await send(channel, { type: 'no_plan' })
    await channel.close()
    return false
  }
  feed.follow(channel, record, request.after)
  return true
}

async function abort(channel: ClientChannel, reason: string, { mesh, feed }: ServeOptions): Promise<void> {
  const { plan } = mesh.status()
  const record = feed.latest
  if (plan === null) {
    await send(channel, { type: 'no_plan' })
    return await channel.close()
  }
  mesh.abort(reason)
  await send(channel, { type: 'aborting', plan })
  if (record !== null && record.plan.uid === plan.uid) feed.follow(channel, record, Number.POSITIVE_INFINITY)
  else await channel.close()
}

/** Waits for the end of the plan, as long as the client does. */
async function handOver(
  channel: ClientChannel,
  submission: string,
  documents: AsyncIterator<unknown>,
  handIn: HandIn,
): Promise<void> {
  const plan = handIn.of(submission)
  if (plan === null) {
    await send(channel, { type: 'no_plan' })
    return await channel.close()
  }
  const gone = documents.next().then(
    () => null,
    () => null,
  )
  const reports = await Promise.race([plan.reports, gone])
  for (const report of reports ?? []) await send(channel, { type: 'undelivered', report })
  await channel.close()
  if (reports !== null) plan.take()
}

export function peerStatus({ mesh, feed, version, runtime }: ServeOptions): PeerStatus {
  const record = feed.latest
  return {
    core: mesh.status(),
    peers: mesh.peers(),
    version,
    runtime,
    plan:
      record === null
        ? null
        : {
            number: record.plan.number,
            stages: record.start.spec.stages.map((stage) => stage.name),
            status: record.finished?.status ?? 'running',
            starts: startsOf(record),
          },
  }
}

function startsOf({ start, decisions }: KeptPlan): StageStarts[] {
  return decisions
    .filter(({ decision }) => decision.sequence > 0)
    .map(({ decision }) => ({
      sequence: decision.sequence,
      stage: start.spec.stages[decision.sequence - 1]?.name ?? '',
      spreadMs: startSpreadOf(decision),
    }))
}

async function refuse(channel: ClientChannel, code: string, message: string): Promise<void> {
  await send(channel, { type: 'error', code, message, exit: code === 'BUSY' ? 4 : 2 })
  await channel.close()
}

function send(channel: ClientChannel, document: NodeDocument): Promise<void> {
  return channel.send(document)
}

/** Outcomes of submissions, handed to whoever waits for them. */
class OutcomeBoard {
  readonly #waiting = new Map<string, ((outcome: SubmitOutcome) => void)[]>()

  constructor(mesh: Mesh) {
    mesh.onEvent((event) => {
      if (event.type === 'submit_outcome') this.#settle(event.submission, event.outcome)
      // A submission handed in again elsewhere is answered by the start itself.
      if (event.type === 'decided' && event.decision.kind === 'start') {
        this.#settle(event.decision.spec.submission, { status: 'accepted', plan: event.decision.plan })
      }
    })
  }

  wait(submission: string): Promise<SubmitOutcome> {
    return new Promise((resolve) => {
      this.#waiting.set(submission, [...(this.#waiting.get(submission) ?? []), resolve])
    })
  }

  #settle(submission: string, outcome: SubmitOutcome): void {
    for (const resolve of this.#waiting.get(submission) ?? []) resolve(outcome)
    this.#waiting.delete(submission)
  }
}
