/** Is a target there, and may this agent do there what the plan wants to do? */

import type { Content } from '../../content.ts'
import { codeOf, describeOpError, IoError, type IoErrorCode } from '../../errors.ts'
import { ObjectRef } from '../types.ts'
import type { S3Store } from './store.ts'

const PROBE = Buffer.from('paceline')

const probeContent: Content = { isAlone: true, slice: (offset, length) => PROBE.subarray(offset, offset + length) }

/**
 * Lists a little, or where the plan writes: puts, reads and deletes an object `name`. Throws IoError NOT_REACHABLE,
 * FORBIDDEN or NOT_WRITABLE.
 */
export async function probe(store: S3Store, writes: boolean, name: string): Promise<void> {
  if (!writes) {
    await attempt('list', store.base, 'NOT_REACHABLE', () => store.glance())
    return
  }
  const ref = new ObjectRef()
  ref.name('', name)
  ref.size = PROBE.length
  const where = store.describe(ref)
  await attempt('write', where, 'NOT_WRITABLE', () => store.put(ref, PROBE.length, probeContent, null))
  try {
    await attempt('read', where, 'NOT_REACHABLE', () => store.get(ref, compare))
  } finally {
    await attempt('delete', where, 'NOT_WRITABLE', () => store.remove(ref))
  }
}

function compare(offset: number, data: Buffer): void {
  if (!data.equals(PROBE.subarray(offset, offset + data.length))) {
    throw new IoError('CORRUPT', 'what comes back is not what was written')
  }
}

async function attempt(
  what: string,
  where: string,
  otherwise: IoErrorCode,
  action: () => Promise<unknown>,
): Promise<void> {
  try {
    await action()
  } catch (error) {
    const code = codeOf(error)
    const isAway = code === 'CONNECTION_LOST' || code === 'TIMED_OUT'
    const hint = isAway ? ': check the endpoint (--endpoint, or AWS_ENDPOINT_URL)' : ''
    throw new IoError(toldAs(code, otherwise), describeOpError(what, where, error) + hint, { cause: error })
  }
}

function toldAs(code: string, otherwise: IoErrorCode): IoErrorCode {
  if (code === 'CANCELLED' || code === 'FORBIDDEN') return code
  // What is missing is the bucket.
  return ['CONNECTION_LOST', 'TIMED_OUT', 'NOT_FOUND'].includes(code) ? 'NOT_REACHABLE' : otherwise
}
