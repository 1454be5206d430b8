/**
 * HDR histograms of nanoseconds: 3 significant digits from 1 ns to one hour, in plain arrays of counts, so that lanes
 * can record into shared memory with two additions. Text form: HdrHistogram V2, compressed, base64, as other HDR tools
 * read and write it. Pure.
 */

import { deflateSync, inflateSync } from 'node:zlib'
import { IoError } from './errors.ts'

/** One hour. What takes longer is counted as one hour; the exact sum keeps the mean right. */
export const HISTOGRAM_MAX_NS = 3_600_000_000_000

const SIGNIFICANT_DIGITS = 3
/** Values below 2^11 are exact; above, each power of two has 2^10 counters. */
const HALF_BITS = 10
const TWO_POW_31 = 2147483648

/** Counters of one histogram. */
export const HISTOGRAM_LENGTH = histogramIndex(HISTOGRAM_MAX_NS) + 1

/** Counters of the coarse twin (an eighth of the resolution), which is cheap enough to read every second. */
export const COARSE_LENGTH = (HISTOGRAM_LENGTH >> 3) + 1

/** Which counter a latency belongs to. 0 <= ns <= HISTOGRAM_MAX_NS, fractions are cut. */
export function histogramIndex(ns: number): number {
  if (ns < TWO_POW_31) {
    const value = ns | 0
    const shift = 31 - HALF_BITS - Math.clz32(value)
    return shift <= 0 ? value : (shift << HALF_BITS) + (value >>> shift)
  }
  const high = Math.floor(ns / TWO_POW_31)
  const shift = 62 - HALF_BITS - Math.clz32(high)
  return (shift << HALF_BITS) + Math.floor(ns / 2 ** shift)
}

/** Lowest value of a counter. */
export function lowestAt(index: number): number {
  const shift = Math.max(0, (index >> HALF_BITS) - 1)
  return (index - (shift << HALF_BITS)) * 2 ** shift
}

/** Highest value of a counter. */
export function highestAt(index: number): number {
  const shift = Math.max(0, (index >> HALF_BITS) - 1)
  return lowestAt(index) + 2 ** shift - 1
}

export interface Counts {
  readonly length: number
  readonly [index: number]: number
}

export function totalOf(counts: Counts): number {
  let total = 0
  for (let i = 0; i < counts.length; i++) total += counts[i] ?? 0
  return total
}

/**
 * Highest value that `percent` of all values do not exceed, ns; 0 for an empty histogram. `scale` is 8 for coarse
 * counts.
 */
export function valueAtPercentile(counts: Counts, percent: number, total: number, scale: 1 | 8 = 1): number {
  // 1 - epsilon: 99.9 % of 1000 must be 999, not 1000 through rounding.
  const wanted = Math.max(1, Math.ceil((percent / 100) * total * (1 - Number.EPSILON * 4)))
  let seen = 0
  for (let i = 0; i < counts.length; i++) {
    seen += counts[i] ?? 0
    if (seen >= wanted) return highestAt(i * scale + scale - 1)
  }
  return 0
}

export function lowestOf(counts: Counts): number {
  for (let i = 0; i < counts.length; i++) if (counts[i] !== 0) return lowestAt(i)
  return 0
}

export function highestOf(counts: Counts): number {
  for (let i = counts.length - 1; i >= 0; i--) if (counts[i] !== 0) return highestAt(i)
  return 0
}

const COOKIE = 0x1c849303 | 0x10
const COOKIE_COMPRESSED = 0x1c849304 | 0x10
const HEADER_BYTES = 40
/** Twice the largest count. */
const ZIGZAG_MAX = 2 ** 54
/** A counter takes at most 9 bytes. */
const RAW_BYTES_MAX = HEADER_BYTES + HISTOGRAM_LENGTH * 9

/** V2, compressed, base64. Counts must be whole numbers up to 2^53. */
export function encodeHistogram(counts: Counts): string {
  let end = counts.length
  while (end > 0 && counts[end - 1] === 0) end--
  const payload: number[] = []
  for (let i = 0; i < end; i++) {
    const count = counts[i] ?? 0
    if (count !== 0) {
      putZigZag(payload, count)
      continue
    }
    let zeros = 1
    while (i + 1 < end && counts[i + 1] === 0) {
      zeros++
      i++
    }
    putZigZag(payload, zeros === 1 ? 0 : -zeros)
  }
  const raw = new DataView(new ArrayBuffer(HEADER_BYTES + payload.length))
  raw.setInt32(0, COOKIE)
  raw.setInt32(4, payload.length)
  raw.setInt32(12, SIGNIFICANT_DIGITS)
  raw.setBigInt64(16, 1n)
  raw.setBigInt64(24, BigInt(HISTOGRAM_MAX_NS))
  raw.setFloat64(32, 1)
  const bytes = new Uint8Array(raw.buffer)
  bytes.set(payload, HEADER_BYTES)
  const compressed = deflateSync(bytes)
  const outer = Buffer.alloc(8 + compressed.length)
  outer.writeInt32BE(COOKIE_COMPRESSED, 0)
  outer.writeInt32BE(compressed.length, 4)
  compressed.copy(outer, 8)
  return outer.toString('base64')
}

/** LEB128 of a zig-zag number: 7 bits a byte, the ninth byte holds 8. Exact: what exceeds 2^53 is twice a count, so even. */
function putZigZag(out: number[], value: number): void {
  let rest = value < 0 ? -2 * value - 1 : 2 * value
  for (let i = 0; i < 8 && rest > 0x7f; i++) {
    const low = rest % 128
    out.push(low | 0x80)
    rest = (rest - low) / 128
  }
  out.push(rest)
}

/**
 * Counts of a text made by `encodeHistogram` on any agent, HISTOGRAM_LENGTH long.
 * Throws IoError BAD_RESULT for anything else; memory stays bounded whatever the text is.
 */
export function decodeHistogram(text: string): Float64Array {
  const counts = new Float64Array(HISTOGRAM_LENGTH)
  addHistogram(counts, text)
  return counts
}

/** The same, added to counts that are there. */
export function addHistogram(into: Float64Array, text: string): void {
  try {
    decode(text, into)
  } catch (error) {
    if (error instanceof IoError) throw error
    throw new IoError('BAD_RESULT', 'Cannot read a histogram: its compression is damaged', { cause: error })
  }
}

function decode(text: string, into: Float64Array): void {
  const outer = Buffer.from(text, 'base64')
  if (outer.length < 8 || outer.readInt32BE(0) !== COOKIE_COMPRESSED) throw damaged('no V2 histogram')
  const raw = inflateSync(outer.subarray(8, 8 + outer.readInt32BE(4)), { maxOutputLength: RAW_BYTES_MAX })
  if (raw.length < HEADER_BYTES || raw.readInt32BE(0) !== COOKIE) throw damaged('no V2 counts')
  const ranged = raw.readInt32BE(12) === SIGNIFICANT_DIGITS && raw.readBigInt64BE(16) === 1n
  if (!ranged || raw.readBigInt64BE(24) !== BigInt(HISTOGRAM_MAX_NS)) throw damaged('another range of values')
  if (raw.readInt32BE(4) !== raw.length - HEADER_BYTES) throw damaged('a wrong length')
  let index = 0
  let at = HEADER_BYTES
  while (at < raw.length) {
    let value = 0
    let weight = 1
    for (let i = 0; ; i++) {
      const byte = raw[at++]
      if (byte === undefined) throw damaged('an unfinished number')
      value += (i === 8 ? byte : byte & 0x7f) * weight
      weight *= 128
      if (i === 8 || byte < 0x80) break
    }
    if (value > ZIGZAG_MAX) throw damaged('a count beyond 2^53')
    if (value % 2 === 1) {
      index += (value + 1) / 2
    } else {
      if (index >= HISTOGRAM_LENGTH) throw damaged('too many counters')
      into[index] = (into[index] ?? 0) + value / 2
      index++
    }
    if (index > HISTOGRAM_LENGTH) throw damaged('too many counters')
  }
}

function damaged(what: string): IoError {
  return new IoError('BAD_RESULT', `Cannot read a histogram: it has ${what}`)
}
