/** Clock offset to one other peer, from four timestamps a round trip (as in NTP, RFC 5905 section 8). Pure. */

import { limits } from './limits.ts'
import type { ClockNote } from './messages.ts'
import type { PeerId } from './plans.ts'

export interface OffsetSample {
  /** Other clock minus own clock, ms. */
  readonly offsetMs: number
  readonly roundTripMs: number
  /** Own clock, when it was measured. */
  readonly at: number
}

/**
 * `sentAt` and `backAt` are own times, `receivedAt` and `repliedAt` the other's. Undefined where they make no sense
 * (the answer was away for less than no time).
 */
export function offsetSample(
  sentAt: number,
  receivedAt: number,
  repliedAt: number,
  backAt: number,
): OffsetSample | undefined {
  const roundTripMs = backAt - sentAt - (repliedAt - receivedAt)
  if (!Number.isFinite(roundTripMs) || roundTripMs < 0) return undefined
  return { offsetMs: (receivedAt - sentAt + (repliedAt - backAt)) / 2, roundTripMs, at: backAt }
}

/** Keeps the best samples that are young enough and not contradicted by the new one: a clock may have jumped. */
export function addSample(samples: readonly OffsetSample[], sample: OffsetSample): readonly OffsetSample[] {
  const kept = samples.filter((old) => sample.at - old.at <= limits.offsetAgeMaxMs && agree(old, sample))
  const all = [...kept, sample].sort((a, b) => errorOf(a, sample.at) - errorOf(b, sample.at))
  return all.slice(0, limits.offsetSamples)
}

/** Adds what another peer says of a clock that this one has measured too: its own clock by way of that one. */
export function addRelayed(
  samples: readonly OffsetSample[],
  measured: OffsetSample | undefined,
  note: ClockNote,
  now: number,
): readonly OffsetSample[] {
  if (measured === undefined || now - measured.at > limits.offsetAgeMaxMs) return samples
  const roundTripMs = 2 * (errorOf(measured, now) + note.errorMs)
  const sample = { offsetMs: measured.offsetMs - note.offsetMs, roundTripMs, at: now }
  // What was measured directly counts for more.
  return samples.every((old) => agree(old, sample)) ? addSample(samples, sample) : samples
}

/** Of the clocks measured, the one that is known best. */
export function bestKnownClock(
  peers: Iterable<{ readonly peer: PeerId; readonly offsets: readonly OffsetSample[] }>,
  now: number,
): ClockNote | null {
  let best: ClockNote | null = null
  for (const { peer, offsets } of peers) {
    const sample = bestSample(offsets)
    if (sample === undefined || now - sample.at > limits.offsetAgeMaxMs) continue
    const errorMs = errorOf(sample, now)
    if (best === null || errorMs < best.errorMs) best = { peer, offsetMs: sample.offsetMs, errorMs }
  }
  return best
}

/** By how much a sample may be off: half its round trip, and what the clocks have drifted apart since. */
function errorOf(sample: OffsetSample, now: number): number {
  return sample.roundTripMs / 2 + Math.max(0, now - sample.at) * limits.driftUsual
}

/** A sample is off by half its round trip at most; two clocks drift apart a little between samples. */
function agree(old: OffsetSample, fresh: OffsetSample): boolean {
  const apart = Math.abs(old.offsetMs - fresh.offsetMs)
  const drift = limits.driftMsMin + Math.max(0, fresh.at - old.at) * limits.driftMax
  return apart <= (old.roundTripMs + fresh.roundTripMs) / 2 + drift
}

/** The sample that is off by least. */
export function bestSample(samples: readonly OffsetSample[]): OffsetSample | undefined {
  return samples[0]
}
