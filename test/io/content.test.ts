import { deflateSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { ContentPool, contentKey } from '../../src/io/content.ts'
import type { DataSpec } from '../../src/io/mod.ts'
import { RANDOM } from './helpers.ts'

/** Bytes of an object, as a store would write them. */
function bytesOf(spec: DataSpec, size: number, name = 'a.dat', dir = 'file:///d/', seed = 1): Buffer {
  const content = new ContentPool(spec).open(contentKey(seed, dir, name))
  const chunks: Buffer[] = []
  for (let at = 0; at < size; at += 1 << 20) {
    chunks.push(Buffer.from(content.slice(at, Math.min(1 << 20, size - at))))
  }
  return Buffer.concat(chunks)
}

function pagesOf(data: Buffer): Set<string> {
  const pages = new Set<string>()
  for (let at = 0; at < data.length; at += 4096) pages.add(data.toString('latin1', at, at + 4096))
  return pages
}

describe('content', () => {
  it('is the same on every agent and a prefix of the same stream for every size', () => {
    const long = bytesOf(RANDOM, 5_000_000)
    expect(bytesOf(RANDOM, 5_000_000).equals(long)).toBe(true)
    for (const size of [1, 100, 4096, 5000, 1_048_577]) {
      expect(bytesOf(RANDOM, size).equals(long.subarray(0, size))).toBe(true)
    }
  })

  it('differs between names, folders and seeds, in every page', () => {
    const size = 3 << 20
    const all = [
      bytesOf(RANDOM, size),
      bytesOf(RANDOM, size, 'b.dat'),
      bytesOf(RANDOM, size, 'a.dat', 'file:///e/'),
      bytesOf(RANDOM, size, 'a.dat', 'file:///d/', 2),
    ]
    expect(pagesOf(Buffer.concat(all)).size).toBe((all.length * size) / 4096)
  })

  it('cannot be compressed unless asked for', () => {
    const size = 1 << 20
    expect(deflateSync(bytesOf(RANDOM, size)).length).toBeGreaterThan(size * 0.99)
    const ratio = size / deflateSync(bytesOf({ ...RANDOM, compressFactor: 4 }, size)).length
    expect(ratio).toBeGreaterThan(3.5)
    expect(ratio).toBeLessThan(4.5)
  })

  it('can be deduplicated by the factor asked for', () => {
    const pages = pagesOf(bytesOf({ ...RANDOM, dedupFactor: 3 }, 3 << 20))
    expect((3 << 20) / 4096 / pages.size).toBeCloseTo(3, 1)
  })

  it('of a pool with a copy of its own stays as it is while others are written; shared memory says that it does not', () => {
    const first = new ContentPool(RANDOM)
    const [own, other] = [true, true].map((isCopied) => new ContentPool(RANDOM, { pool: first, isCopied }))
    const shared = new ContentPool(RANDOM, { pool: first, isCopied: false })
    const slice = own?.open(contentKey(1, 'file:///d/', 'a.dat')).slice(0, 1 << 20)
    for (const pool of [first, shared, other]) pool?.open(contentKey(1, 'file:///d/', 'b.dat')).slice(0, 1 << 20)
    expect(slice?.equals(bytesOf(RANDOM, 1 << 20))).toBe(true)
    expect([own, other, shared].map((pool) => pool?.isAlone)).toEqual([true, true, false])
  })

  it('is zeros when asked for', () => {
    expect(bytesOf({ ...RANDOM, fill: 'zero' }, 10_000).every((byte) => byte === 0)).toBe(true)
  })
})

describe('verification', () => {
  const key = contentKey(1, 'file:///d/', 'a.dat')
  const size = (2 << 20) + 777
  const verifier = new ContentPool(RANDOM)

  it('accepts what was written, from any offset, whatever the path to it', () => {
    const data = bytesOf(RANDOM, size)
    verifier.verify(key, 0, data)
    verifier.verify(key, 4096, data.subarray(4096, 12_288))
    verifier.verify(key, 1000, data.subarray(1000, 20_000))
    verifier.verify(key, 10, data.subarray(10, 30))
    verifier.verify(contentKey(1, 'file:///mounted/elsewhere/', 'a.dat'), 0, data)
    verifier.verify(key, 0, data.subarray(0, 5))
  })

  it('finds one flipped bit, a page of another object, a shifted page, another object', () => {
    const cases: [string, (data: Buffer) => Buffer, number][] = [
      ['flipped bit', (data) => Buffer.from(data).fill((data[1_500_000] ?? 0) ^ 1, 1_500_000, 1_500_001), 1_500_000],
      [
        'foreign page',
        (data) => {
          const copy = Buffer.from(data)
          bytesOf(RANDOM, size, 'b.dat').copy(copy, 8192, 8192, 12_288)
          return copy
        },
        8192,
      ],
      [
        'shifted page',
        (data) => {
          const copy = Buffer.from(data)
          data.copy(copy, 8192, 4096, 8192)
          return copy
        },
        8192,
      ],
    ]
    for (const [name, damage, at] of cases) {
      const data = damage(bytesOf(RANDOM, size))
      expect(() => verifier.verify(key, 0, data), name).toThrow(new RegExp(`byte ${Math.floor(at / 100)}\\d\\d `))
    }
    expect(() => verifier.verify(key, 0, bytesOf(RANDOM, size, 'b.dat'))).toThrow('byte 0 ')
  })
})
