/** OpenTelemetry traces as a collector gets them, and what a collector that takes nothing changes: nothing. */

import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { Cluster, hasDeno, type LoggedEvent } from './cluster.ts'

const RUNTIMES = hasDeno ? (['node', 'deno'] as const) : (['node'] as const)
/** Its collector never answers. */
const UNHEARD = 'unheard'

const attributesSchema = z
  .array(z.object({ key: z.string(), value: z.looseObject({}) }))
  .transform((list) => new Map(list.map(({ key, value }) => [key, Object.values(value)[0]])))
const spanSchema = z.object({
  traceId: z.string(),
  spanId: z.string(),
  parentSpanId: z.string().optional(),
  name: z.string(),
  startTimeUnixNano: z.coerce.bigint(),
  endTimeUnixNano: z.coerce.bigint(),
  attributes: attributesSchema,
  status: z.object({ code: z.number().optional() }),
})
const bodySchema = z.object({
  resourceSpans: z.array(
    z.object({
      resource: z.object({ attributes: attributesSchema }),
      scopeSpans: z.array(z.object({ spans: z.array(spanSchema) })),
    }),
  ),
})
type CollectedSpan = z.infer<typeof spanSchema> & { readonly service: unknown }

/** Keeps what is sent to it, or, with `silent`, never answers. */
class Collector {
  readonly spans: CollectedSpan[] = []
  readonly #server: Server

  constructor(silent: boolean) {
    this.#server = createServer(async (request, response) => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk)
      if (silent) return
      expect([request.method, request.url]).toEqual(['POST', '/v1/traces'])
      const { resourceSpans } = bodySchema.parse(JSON.parse(Buffer.concat(chunks).toString()))
      for (const { resource, scopeSpans } of resourceSpans) {
        const service = resource.attributes.get('service.name')
        this.spans.push(...scopeSpans.flatMap(({ spans }) => spans.map((span) => ({ ...span, service }))))
      }
      response.end('{}')
    })
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    const { port } = this.#server.address() as AddressInfo
    return `http://127.0.0.1:${port}`
  }

  close(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }

  of(peer: string): CollectedSpan[] {
    return this.spans.filter(({ attributes }) => attributes.get('paceline.peer') === peer)
  }
}

function planOf(cluster: Cluster): string {
  return `
target: ${cluster.target}
concurrency: 1
distributed:
  barrier_sync: { type: all_or_nothing }
  stages:
    - { name: check, order: 1, type: validation }
    - name: fill
      order: 2
      type: prepare
      ensure_objects:
        - { base_uri: ${cluster.target}data/, count: 20, size: 4KiB }
    - { name: clean, order: 3, type: cleanup }
`
}

describe('traces of a plan', () => {
  const collector = new Collector(false)
  const deaf = new Collector(true)
  let cluster: Cluster

  beforeAll(async () => {
    const heard = { OTEL_EXPORTER_OTLP_ENDPOINT: await collector.listen(), OTEL_SERVICE_NAME: 'bench' }
    const unheard = { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${await deaf.listen()}/v1/traces` }
    cluster = await Cluster.create()
    for (const runtime of RUNTIMES) cluster.start(runtime, { runtime, args: ['--once'], env: heard })
    cluster.start(UNHEARD, { args: ['--once'], env: unheard })
    await cluster.met()
    const submit = await cluster.submit(planOf(cluster), ['--agents', String(RUNTIMES.length + 1)])
    expect((await submit.ended).code, submit.stderr).toBe(0)
    for (const peer of cluster.peers.values()) expect((await peer.ended).code).toBe(0)
  })

  afterAll(async () => {
    await cluster?.[Symbol.asyncDispose]()
    collector.close()
    deaf.close()
  })

  it('is one for all peers, with a span of the plan for each', () => {
    const traces = new Set(collector.spans.map(({ traceId }) => traceId))
    expect([...traces]).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/)])
    expect(new Set(collector.spans.map(({ service }) => service))).toEqual(new Set(['bench']))
    const roots = collector.spans.filter(({ parentSpanId }) => parentSpanId === undefined)
    expect(roots.map(({ name, attributes }) => [name, attributes.get('paceline.peer')]).sort()).toEqual(
      [...RUNTIMES].sort().map((peer) => ['plan 1', peer]),
    )
  })

  it.each(RUNTIMES)('has the stages and barriers of %s as they were logged', (peer) => {
    const spans = collector.of(peer)
    const root = spans.find(({ name }) => name === 'plan 1')
    expect(root?.attributes.get('paceline.status')).toBe('completed')
    const children = spans.filter(({ parentSpanId }) => parentSpanId === root?.spanId)
    expect(children.map(({ name }) => name).sort()).toEqual(
      ['barrier check', 'barrier clean', 'barrier fill', 'stage check', 'stage clean', 'stage fill'].sort(),
    )
    for (const finished of cluster.of('stage.finished', peer)) {
      const span = children.find(({ name }) => name === `stage ${finished.stage}`)
      const figures = ['sequence', 'ops', 'bytes', 'errors'].map((name) =>
        Number(span?.attributes.get(`paceline.${name}`)),
      )
      expect(figures).toEqual([finished.sequence, finished.ops, finished.bytes, finished.errors])
      expect(secondsOf(span)).toBeCloseTo(Number(finished.seconds), 5)
      expect(Number(span?.startTimeUnixNano) / 1e6).toBeCloseTo(startOf(cluster.of('stage.started', peer), finished), 1)
    }
    for (const released of cluster.of('barrier.released', peer).filter(({ sequence }) => sequence !== 0)) {
      const span = children.find(
        ({ name, attributes }) =>
          name.startsWith('barrier ') && Number(attributes.get('paceline.sequence')) === released.sequence,
      )
      expect(span?.attributes.get('paceline.leader')).toBe(released.leader)
      expect(span?.attributes.get('paceline.policy')).toBe('all_or_nothing')
    }
  })

  it('changes nothing for a peer whose collector takes nothing, which says so once', () => {
    expect(cluster.of('run.finished', UNHEARD).map(({ status }) => status)).toEqual(['completed'])
    const warnings = cluster.of('node.warning', UNHEARD)
    expect(warnings.map(({ code }) => code)).toEqual(['TRACES_NOT_EXPORTED'])
  })
})

function secondsOf(span: CollectedSpan | undefined): number {
  return span === undefined ? Number.NaN : Number(span.endTimeUnixNano - span.startTimeUnixNano) / 1e9
}

function startOf(started: readonly LoggedEvent[], { sequence }: LoggedEvent): number {
  return Number(started.find((event) => event.sequence === sequence)?.ownAt)
}
