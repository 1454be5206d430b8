import hdr from 'hdr-histogram-js'
import { describe, expect, it } from 'vitest'
import { IoError } from '../../src/io/errors.ts'
import {
  addHistogram,
  COARSE_LENGTH,
  decodeHistogram,
  encodeHistogram,
  HISTOGRAM_LENGTH,
  HISTOGRAM_MAX_NS,
  highestAt,
  highestOf,
  histogramIndex,
  lowestAt,
  totalOf,
  valueAtPercentile,
} from '../../src/io/histogram.ts'
import { Random } from '../../src/io/random.ts'

/** The reference implementation, with the same range and precision. */
function reference(): hdr.Histogram {
  return hdr.build({
    bitBucketSize: 64,
    lowestDiscernibleValue: 1,
    highestTrackableValue: HISTOGRAM_MAX_NS,
    numberOfSignificantValueDigits: 3,
  })
}

function sample(count: number): { counts: Float64Array; theirs: hdr.Histogram } {
  const random = new Random(7)
  const counts = new Float64Array(HISTOGRAM_LENGTH)
  const theirs = reference()
  for (let i = 0; i < count; i++) {
    const value = Math.floor(Math.exp(random.fraction() * Math.log(HISTOGRAM_MAX_NS)))
    const at = histogramIndex(value)
    counts[at] = (counts[at] ?? 0) + 1
    theirs.recordValue(value)
  }
  return { counts, theirs }
}

describe('histogram', () => {
  it('keeps three significant digits from a nanosecond to an hour', () => {
    for (const value of [0, 1, 1000, 2047, 2048, 2049, 123_456, 2 ** 31 - 1, 2 ** 31, 2 ** 31 + 1, HISTOGRAM_MAX_NS]) {
      const index = histogramIndex(value)
      expect(lowestAt(index)).toBeLessThanOrEqual(value)
      expect(highestAt(index)).toBeGreaterThanOrEqual(value)
      expect(highestAt(index) - lowestAt(index)).toBeLessThanOrEqual(value / 1000)
    }
  })

  it('has counters without gaps', () => {
    for (let index = 1; index < HISTOGRAM_LENGTH; index++) {
      expect(lowestAt(index)).toBe(highestAt(index - 1) + 1)
      expect(histogramIndex(lowestAt(index))).toBe(index)
    }
    expect(histogramIndex(HISTOGRAM_MAX_NS) >> 3).toBeLessThan(COARSE_LENGTH)
  })

  it('agrees with hdr-histogram-js on every percentile', () => {
    const { counts, theirs } = sample(20_000)
    const total = totalOf(counts)
    for (const percent of [0.01, 1, 25, 50, 90, 99, 99.9, 99.99, 100]) {
      expect(valueAtPercentile(counts, percent, total)).toBe(theirs.getValueAtPercentile(percent))
    }
    expect(highestOf(counts)).toBe(theirs.getValueAtPercentile(100))
  })

  it('reads what hdr-histogram-js writes, and the other way round', () => {
    const { counts, theirs } = sample(5000)
    expect(decodeHistogram(hdr.encodeIntoCompressedBase64(theirs))).toEqual(counts)
    const read = hdr.decodeFromCompressedBase64(encodeHistogram(counts), 64)
    expect(read.totalCount).toBe(5000)
    expect(read.getValueAtPercentile(99)).toBe(theirs.getValueAtPercentile(99))
  })

  it('keeps counts above 2^32, up to 2^53', () => {
    const counts = new Float64Array(HISTOGRAM_LENGTH)
    const large = [2 ** 32, 2 ** 40 + 1, 2 ** 53 - 1, 2 ** 53]
    counts.set(large, 500)
    expect([...decodeHistogram(encodeHistogram(counts)).subarray(500, 504)]).toEqual(large)
  })

  it('adds to counts that are there', () => {
    const { counts } = sample(300)
    const twice = Float64Array.from(counts)
    addHistogram(twice, encodeHistogram(counts))
    expect(twice).toEqual(counts.map((count) => 2 * count))
  })

  it('refuses damaged texts, and bombs, without using much memory', async () => {
    const good = encodeHistogram(sample(100).counts)
    const { deflateSync } = await import('node:zlib')
    const bomb = Buffer.concat([Buffer.from([0x1c, 0x84, 0x93, 0x14, 0, 1, 0, 0]), deflateSync(Buffer.alloc(64 << 20))])
    bomb.writeInt32BE(bomb.length - 8, 4)
    const foreign = hdr.encodeIntoCompressedBase64(hdr.build({ numberOfSignificantValueDigits: 2 }))
    for (const text of ['', 'AAAA', good.slice(0, 40), `A${good.slice(1)}`, bomb.toString('base64'), foreign]) {
      expect(() => decodeHistogram(text)).toThrow(IoError)
    }
  })
})
