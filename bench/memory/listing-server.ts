/**
 * An S3 server whose bucket seems to have any number of objects: KEYS of them, all named PREFIX and a number. Every get is
 * one byte, every delete succeeds, nothing is stored. Arguments: KEYS PREFIX. Prints its port.
 */

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

const [keys = '0', prefix = ''] = process.argv.slice(2)
const count = Number(keys)
const PAGE_ENTRIES = 1000
const BODY = Buffer.alloc(1, 0x5a)

/** As long as those of real servers. */
function entry(number: number): string {
  return (
    `<Contents><Key>${prefix}${String(number).padStart(9, '0')}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>` +
    '<ETag>&quot;d41d8cd98f00b204e9800998ecf8427e&quot;</ETag><Size>1</Size><StorageClass>STANDARD</StorageClass></Contents>'
  )
}

function page(from: number, entriesMax: number): string {
  const to = Math.min(count, from + entriesMax)
  const entries = Array.from({ length: to - from }, (_, i) => entry(from + i))
  const next = to < count ? `<NextContinuationToken>${to}</NextContinuationToken>` : ''
  return (
    `<?xml version="1.0" encoding="UTF-8"?><ListBucketResult><EncodingType>url</EncodingType>` +
    `<IsTruncated>${to < count}</IsTruncated>${next}${entries.join('')}</ListBucketResult>`
  )
}

const server = createServer((request, response) => {
  const { searchParams } = new URL(request.url ?? '/', 'http://localhost')
  request.resume()
  if (request.method === 'DELETE') response.writeHead(204).end()
  else if (!searchParams.has('list-type')) response.writeHead(200, { 'content-length': BODY.length }).end(BODY)
  else {
    const entriesMax = Math.min(PAGE_ENTRIES, Number(searchParams.get('max-keys') ?? PAGE_ENTRIES))
    response.end(page(Number(searchParams.get('continuation-token') ?? 0), entriesMax))
  }
})
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port))
