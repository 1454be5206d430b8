/** What waits for a slow peer has a bound; what does not fit is lost, and the stream goes on. */

import type { Stream } from '@libp2p/interface'
import { expect, it } from 'vitest'
import { limits } from '../../src/mesh/limits.ts'
import { Link } from '../../src/mesh/link.ts'

/** A stream whose other side reads nothing. */
function stuckStream(): Stream & { aborted: boolean } {
  const stream = {
    status: 'open',
    writeBufferLength: 0,
    aborted: false,
    send: (data: Uint8Array) => {
      stream.writeBufferLength += data.length
      return false
    },
    abort: () => {
      stream.aborted = true
    },
  }
  return stream as unknown as Stream & { aborted: boolean }
}

it('a large frame waits once, what is small still fits behind it, and nothing is given up', () => {
  const stream = stuckStream()
  const link = new Link(stream)
  const large = new Uint8Array(limits.frameBytesMax)
  expect(link.send(large)).toBe(true)
  link.flush()
  expect(link.send(large)).toBe(false)
  expect(link.send(new Uint8Array(1000))).toBe(true)
  link.flush()
  expect(stream.writeBufferLength).toBe(limits.frameBytesMax + 1000)
  expect(stream.aborted).toBe(false)
})
