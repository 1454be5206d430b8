/** Throughput of the open stage over time, as its agents told while they worked. */

import type { StageProgress } from '../../io/mod.ts'
import type { AgentSeries, StageSeries } from '../report/mod.ts'

/** Samples of an agent; with more, every second one is dropped. */
const SAMPLES_MAX = 600
/** Intervals that are shown. */
const INTERVALS_MAX = 120

type Sample = Pick<StageProgress, 'seconds' | 'opsPerSecond' | 'bytesPerSecond' | 'errors' | 'p99Ns'>

export class StageSamples {
  readonly #agents = new Map<string, Sample[]>()

  add(agent: string, { seconds, opsPerSecond, bytesPerSecond, errors, p99Ns }: StageProgress): void {
    const samples = this.#agents.get(agent) ?? []
    samples.push({ seconds, opsPerSecond, bytesPerSecond, errors, p99Ns })
    const kept = samples.length > SAMPLES_MAX ? samples.filter((_, at) => at % 2 === 1) : samples
    this.#agents.set(agent, kept)
  }

  clear(): void {
    this.#agents.clear()
  }

  /** `from`: when the stage began, on the report's clock. Null before the first sample. */
  series(sequence: number, from: number): StageSeries | null {
    const all = [...this.#agents]
    const seconds = all.reduce((last, [, samples]) => Math.max(last, samples.at(-1)?.seconds ?? 0), 0)
    if (seconds <= 0) return null
    const step = Math.max(1, Math.ceil(seconds / INTERVALS_MAX))
    const count = Math.max(1, Math.ceil(seconds / step))
    return {
      sequence,
      from,
      to: from + seconds,
      step,
      agents: all.map(([name, samples]) => agentSeries(name, samples, { step, count })),
    }
  }
}

/** The last sample that an interval has seen stands for it; where none came, the one before does. */
function agentSeries(name: string, samples: readonly Sample[], grid: { step: number; count: number }): AgentSeries {
  const seen: (Sample | undefined)[] = Array.from({ length: grid.count })
  for (const sample of samples) seen[Math.min(grid.count - 1, Math.floor(sample.seconds / grid.step))] = sample
  const end = samples.at(-1)?.seconds ?? 0
  let last: Sample | undefined
  let errors = 0
  const points = seen.map((sample, at) => {
    const fresh = sample ?? (at * grid.step > end ? undefined : last)
    const added = (fresh?.errors ?? errors) - errors
    last = fresh ?? last
    errors += Math.max(0, added)
    return { sample: fresh, errors: Math.max(0, added) }
  })
  return {
    name,
    opsPerSecond: points.map(({ sample }) => sample?.opsPerSecond ?? 0),
    mibPerSecond: points.map(({ sample }) => (sample?.bytesPerSecond ?? 0) / 1048576),
    errors: points.map((point) => point.errors),
    p50Us: points.map(() => null),
    p99Us: points.map(({ sample }) => (sample === undefined || sample.p99Ns === 0 ? null : sample.p99Ns / 1000)),
  }
}
