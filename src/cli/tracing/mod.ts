/**
 * OpenTelemetry traces of this node's plans, where an OTLP endpoint is configured in the environment. All peers of a plan
 * write into one trace; each has a span for the plan, and below it one for every stage and every wait at a barrier.
 */

import type { Tracing, TracingOptions } from './types.ts'

/** Loaded only where it is wanted: nodes that trace nothing do not pay for it. */
export async function startTracing(options: TracingOptions): Promise<Tracing> {
  const { env, log } = options
  if (!isWanted(env)) return { log, close: async () => {} }
  const { openTraces } = await import('./otlp.ts')
  return openTraces(options)
}

function isWanted(env: NodeJS.ProcessEnv): boolean {
  const isOff = env.OTEL_SDK_DISABLED?.toLowerCase() === 'true' || env.OTEL_TRACES_EXPORTER === 'none'
  return !isOff && [env.OTEL_EXPORTER_OTLP_ENDPOINT, env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT].some(Boolean)
}
