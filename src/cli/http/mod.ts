/**
 * Looking on: a node's own web pages, to read only. / shows the run while it happens, from /events; /healthz is for
 * whoever keeps the node running, /metrics for Prometheus, /status for scripts.
 *
 * ```ts
 * const server = await startHttp({ host: '127.0.0.1', port: 0, tokenFile: null })
 * const look = openPages(server, { mesh, runId, version, status: () => status, onDefect: console.error })
 * look.progress(own)
 * await server.close()
 * ```
 */

import type { PlanRef, StageReport } from '../../barrier/mod.ts'
import type { Mesh } from '../../mesh/mod.ts'
import type { PeerStatus } from '../client-protocol.ts'
import { type AgentProgress, agentProgressSchema } from '../feed.ts'
import { renderPage } from '../report/mod.ts'
import { EventHub } from './hub.ts'
import { LiveDocuments } from './live.ts'
import { Metrics } from './metrics.ts'
import type { Answer, HttpServer, Route } from './server.ts'
import { RunWatch } from './watch.ts'

export { families } from './families.ts'
export { type HttpOptions, type HttpServer, startHttp } from './server.ts'

export interface PagesOptions {
  readonly mesh: Mesh
  readonly runId: string
  readonly version: string
  readonly status: () => PeerStatus
  /** A page could not be made. */
  readonly onDefect: (error: unknown) => void
}

export interface Pages {
  /** Progress of this node itself; that of others comes with the mesh's events. */
  progress(progress: AgentProgress): void
  /** What this node has of a plan that has ended, and no decision carried. */
  undelivered(plan: PlanRef, reports: readonly StageReport[]): void
  /** Tells those who look how it ended. */
  close(): void
}

/** Progress comes once a second from each agent. */
const TICK_MS = 500
const NOW_MS = 1000
/** A report is made while the next stage runs here, not while it starts. */
const REPORT_AFTER_MS = 300

/** Call it in the turn in which the mesh came up, so that no event is missed. */
export function openPages(server: HttpServer, { mesh, runId, version, status, onDefect }: PagesOptions): Pages {
  const watch = new RunWatch(runId, mesh.name)
  const metrics = new Metrics({ mesh, watch, runId, version })
  mesh.onEvent((event) => {
    watch.take(event)
    metrics.take(event)
    if (event.type !== 'agent_progress') return
    const parsed = agentProgressSchema.safeParse(event.data)
    if (!parsed.success) return
    watch.progress(event.from, parsed.data)
    metrics.progress(event.name, parsed.data)
  })
  const live = new LiveDocuments({ mesh, watch, runId, version })
  const document = (kind: 'report' | 'now') => live.document(kind)
  const hub = new EventHub({ kinds: ['report', 'now'], document, onDefect, tickMs: TICK_MS })
  const renew = () => {
    hub.changed('report')
    hub.changed('now')
  }
  watch.onChange((change) => {
    if (change === 'progress') hub.changed('now')
    else setTimeout(renew, REPORT_AFTER_MS).unref()
  })
  // Time goes on where nothing else does.
  const clock = setInterval(() => hub.changed('now'), NOW_MS).unref()
  const routes: [path: string, route: Route][] = [
    ['/', () => livePage(runId)],
    ['/events', (request, response) => hub.connect(request, response)],
    ['/healthz', () => json({ status: 'ok', run: runId, peer: mesh.name })],
    ['/status', () => json(status())],
    ['/metrics', (request) => metrics.text(request.headers.accept ?? '').then(ok)],
  ]
  server.open(new Map(routes), onDefect)
  return {
    progress: (progress) => {
      watch.progress(mesh.peerId, progress)
      metrics.progress(mesh.name, progress)
    },
    undelivered: (plan, reports) => watch.undelivered(plan, reports),
    close: () => {
      clearInterval(clock)
      renew()
      hub.close()
    },
  }
}

function livePage(runId: string): Answer {
  const title = `${runId} live`
  const text = 'This page needs scripts; /status has the same as text.'
  const body = renderPage({ title, main: 'live', styles: ['live'], data: null, text, connect: "'self'" })
  // What its scripts may do is said in the page itself; this cannot be.
  const headers = { 'content-security-policy': "frame-ancestors 'none'" }
  return { ...ok({ type: 'text/html; charset=utf-8', body }), headers }
}

function ok({ type, body }: { readonly type: string; readonly body: string }): Answer {
  return { status: 200, type, body }
}

function json(document: unknown): Answer {
  return ok({ type: 'application/json; charset=utf-8', body: `${JSON.stringify(document)}\n` })
}
