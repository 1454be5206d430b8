/** Spans on their way to a collector, by OTLP over HTTP in JSON. What fails is logged once, until it works again. */

import { hostname } from 'node:os'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources'
import { BatchSpanProcessor, type ReadableSpan, type SpanExporter, TracerProvider } from '@opentelemetry/sdk-trace'
import { atMost } from '../at-most.ts'
import { describeFailure } from '../failure.ts'
import type { Log } from '../log.ts'
import { ownRuntime, ownVersion } from '../version.ts'
import { PlanSpans, SharedIds } from './spans.ts'
import type { Tracing, TracingOptions } from './types.ts'

/** A node that ends waits no longer than this for its collector. */
const CLOSE_MS = 2000

export function openTraces({ env, runId, peer, log }: TracingOptions): Tracing {
  const version = ownVersion()
  const failures = new Failures(log)
  if ((env.OTEL_EXPORTER_OTLP_TRACES_PROTOCOL ?? env.OTEL_EXPORTER_OTLP_PROTOCOL) === 'grpc') {
    failures.tell('only OTLP over HTTP is spoken, not gRPC: give the endpoint of that (port 4318 by custom)')
  }
  const own = resourceFromAttributes({
    'service.name': 'paceline',
    'service.version': version,
    'service.instance.id': `${runId}/${peer}`,
    'host.name': hostname(),
    'process.pid': process.pid,
    'process.runtime.description': ownRuntime(),
  })
  const ids = new SharedIds()
  const provider = new TracerProvider({
    resource: own.merge(detectResources({ detectors: [envDetector] })),
    idGenerator: ids,
    spanProcessors: [new BatchSpanProcessor({ exporter: failures.watch(new OTLPTraceExporter()) })],
  })
  const spans = new PlanSpans({ tracer: provider.getTracer('paceline', version), ids, runId, peer })
  return {
    log: (event) => {
      log(event)
      spans.take(event)
    },
    close: () => closeWithin(CLOSE_MS, provider, failures),
  }
}

async function closeWithin(ms: number, provider: TracerProvider, failures: Failures): Promise<void> {
  // What fails in it was told by the exporter.
  const end = await atMost(
    ms,
    provider.shutdown().catch(() => {}),
  )
  if (end === 'late') failures.tell(`the collector did not take them within ${ms} ms`)
}

class Failures {
  readonly #log: Log
  #told = false

  constructor(log: Log) {
    this.#log = log
  }

  tell(why: string): void {
    if (this.#told) return
    this.#told = true
    this.#log({ event: 'node.warning', code: 'TRACES_NOT_EXPORTED', message: `Traces are not exported: ${why}` })
  }

  watch(exporter: SpanExporter): SpanExporter {
    return {
      export: (spans: ReadableSpan[], done) =>
        exporter.export(spans, (result) => {
          if (result.error === undefined) this.#told = false
          else this.tell(describeFailure(result.error).message)
          done(result)
        }),
      shutdown: () => exporter.shutdown(),
      forceFlush: async () => await exporter.forceFlush?.(),
    }
  }
}
