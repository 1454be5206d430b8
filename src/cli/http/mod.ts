/**
 * Looking on: a node's own web pages, to read only. /healthz for whoever keeps it running, /metrics for Prometheus,
 * /status for scripts.
 *
 * ```ts
 * const server = await startHttp({ host: '127.0.0.1', port: 0, tokenFile: null })
 * const look = openPages(server, { mesh, runId, version, status: () => status })
 * look.progress(own)
 * await server.close()
 * ```
 */

import type { Mesh } from '../../mesh/mod.ts'
import type { PeerStatus } from '../client-protocol.ts'
import { type AgentProgress, agentProgressSchema } from '../feed.ts'
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
}

export interface Pages {
  /** Progress of this node itself; that of others comes with the mesh's events. */
  progress(progress: AgentProgress): void
}

/** Call it in the turn in which the mesh came up, so that no event is missed. */
export function openPages(server: HttpServer, { mesh, runId, version, status }: PagesOptions): Pages {
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
  const routes: [path: string, route: Route][] = [
    ['/healthz', () => json({ status: 'ok', run: runId, peer: mesh.name })],
    ['/status', () => json(status())],
    ['/metrics', (request) => metrics.text(request.headers.accept ?? '').then(ok)],
  ]
  server.open(new Map(routes))
  return {
    progress: (progress) => {
      watch.progress(mesh.peerId, progress)
      metrics.progress(mesh.name, progress)
    },
  }
}

function ok({ type, body }: { readonly type: string; readonly body: string }): Answer {
  return { status: 200, type, body }
}

function json(document: unknown): Answer {
  return ok({ type: 'application/json; charset=utf-8', body: `${JSON.stringify(document)}\n` })
}
