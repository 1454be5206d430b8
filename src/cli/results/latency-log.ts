/**
 * latency.hlog: the exact latency histogram of each stage, op and agent, as an HdrHistogram interval log (version 1.3),
 * which other HDR tools read. Values are nanoseconds; tags are "<sequence>_<stage>/<op>/<agent>". Pure.
 */

import { summarize } from '../../io/mod.ts'
import { byOp } from './by-op.ts'
import { safeName } from './files.ts'
import type { StageRecord } from './record.ts'

export interface Latency {
  readonly sequence: number
  readonly op: string
  readonly agent: string
  /** HdrHistogram V2, compressed, base64, of nanoseconds. */
  readonly histogram: string
}

const HEAD = [
  '#[Latencies in nanoseconds, by paceline]',
  '#[Histogram log format version 1.3]',
  '"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"',
]

/** All size buckets of an op together. */
export function latenciesOf(stages: readonly StageRecord[]): Latency[] {
  return stages.flatMap(({ sequence, agents }) =>
    agents.flatMap(({ agent, result }) =>
      byOp(result.stats).map(({ op, histogram }) => ({ sequence, op, agent, histogram })),
    ),
  )
}

/** The lines of one stage. */
export function latencyEntries({ sequence, name, agents }: StageRecord): string[] {
  return agents.flatMap(({ agent, result }) =>
    byOp(result.stats).map((stats) => {
      const tag = `${sequence}_${safeName(name)}/${stats.op}/${encodeURIComponent(agent)}`
      const numbers = [result.startedAt / 1000, result.seconds, summarize(stats, 0).maxUs / 1000]
      return [`Tag=${tag}`, ...numbers.map((value) => value.toFixed(3)), stats.histogram].join(',')
    }),
  )
}

export function latencyLog(entries: readonly string[]): string {
  return `${[...HEAD, ...entries].join('\n')}\n`
}

const entry = /^Tag=(\d+)_[^/,]*\/([a-z]+)\/([^/,]+),[\d.]+,[\d.]+,[\d.]+,([A-Za-z0-9+/=]+)$/

/** Null where a line is no entry of such a log. */
export function parseLatencyLog(text: string): Latency[] | null {
  const latencies: Latency[] = []
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#') || line.startsWith('"')) continue
    const [, sequence, op, agent, histogram] = entry.exec(line) ?? []
    if (sequence === undefined || op === undefined || agent === undefined || histogram === undefined) return null
    const name = decodedName(agent)
    if (name === null) return null
    latencies.push({ sequence: Number(sequence), op, agent: name, histogram })
  }
  return latencies
}

function decodedName(encoded: string): string | null {
  try {
    return decodeURIComponent(encoded)
  } catch {
    return null
  }
}
