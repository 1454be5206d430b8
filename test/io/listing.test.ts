import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import { listObjects } from '../../src/io/listing.ts'
import { Random } from '../../src/io/random.ts'
import { NullStore } from '../../src/io/stores/null.ts'
import { parseListPage } from '../../src/io/stores/s3/xml.ts'

const PAGES = 400
const ENTRIES = 1000

/** A listing as S3 gives it, a page of some 200 KiB at a time. */
class PagedStore extends NullStore {
  /** Once all pages were taken, with what is kept of them. */
  heapMib = 0

  override *walk(): Iterable<readonly string[]> {
    for (let page = 0; page < PAGES; page++) {
      const entries = Array.from({ length: ENTRIES }, (_, i) => {
        const key = `a-name-of-usual-length-${page * ENTRIES + i}`
        return `<Contents><Key>${key}</Key><Size>1</Size><ETag>${'0'.repeat(100)}</ETag></Contents>`
      })
      yield parseListPage(`<ListBucketResult>${entries.join('')}</ListBucketResult>`).keys
    }
    this.heapMib = heapMib()
  }
}

function heapMib(): number {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
  return process.memoryUsage().heapUsed / 2 ** 20
}

it('keeps a sample of a long listing, and no more than that of its pages', async () => {
  const store = new PagedStore('null://x/')
  const before = heapMib()
  const { signal } = new AbortController()
  const { listing, found } = await listObjects(['null://x/*'], () => store, new Random(1), signal, 4000)
  expect(store.heapMib - before).toBeLessThan(8)
  expect([found, listing.count]).toEqual([PAGES * ENTRIES, 4000])
  const offsets = new Uint32Array(listing.offsets)
  const names = [...offsets.subarray(1)].map((end, i) => Buffer.from(listing.text).toString('utf8', offsets[i], end))
  const pages = new Set(
    names.map((name) => Math.floor(Number(/^a-name-of-usual-length-(\d+)$/.exec(name)?.[1]) / ENTRIES)),
  )
  expect(new Set(names).size).toBe(4000)
  expect(pages.size).toBeGreaterThan(0.99 * PAGES)
})
