/** Lists objects that no prepare names, a batch at a time. What is kept is bounded: beyond it, a uniform sample. */

import { IoError } from './errors.ts'
import { parsePattern } from './glob.ts'
import type { Listing } from './lanes/jobs.ts'
import { LISTED_OBJECTS_MAX } from './limits.ts'
import type { Random } from './random.ts'
import type { Store } from './stores/types.ts'

interface Kept {
  readonly path: string
  readonly base: number
}

export interface ListedObjects {
  readonly listing: Listing
  /** Objects that matched; more than `listing.count` when only a sample was kept. */
  readonly found: number
}

/** Names matching any of `uris` (patterns, one per endpoint). Missing folders have no objects. */
export async function listObjects(
  uris: readonly string[],
  open: (base: string) => Store,
  random: Random,
  signal: AbortSignal,
  keepMax = LISTED_OBJECTS_MAX,
): Promise<ListedObjects> {
  const kept: Kept[] = []
  let found = 0
  const bases: string[] = []
  for (const [base, uri] of uris.entries()) {
    const { folder, rest, single } = parsePattern(uri)
    bases.push(folder)
    if (single) {
      kept.push({ path: uri.slice(folder.length), base })
      found++
      continue
    }
    for await (const batch of batchesOf(open(folder))) {
      signal.throwIfAborted()
      for (const path of batch) {
        if (!rest.test(path)) continue
        found++
        // Reservoir sampling: each of the objects found is kept with the same chance.
        const at = kept.length < keepMax ? kept.length : random.below(found)
        if (at < keepMax) kept[at] = { path: detached(path), base }
      }
    }
  }
  return { listing: pack(bases, kept), found }
}

/** A name that was cut out of a page of a listing would keep all of the page. */
function detached(name: string): string {
  return Buffer.from(name).toString()
}

async function* batchesOf(store: Store): AsyncIterable<readonly string[]> {
  try {
    for await (const batch of store.walk('')) {
      yield batch
      // Files are listed by blocking calls: let others have their turn.
      await new Promise((resolve) => setImmediate(resolve))
    }
  } catch (error) {
    if (isGone(error)) return
    throw error
  } finally {
    store.close()
  }
}

function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'NOT_FOUND')
}

function pack(bases: readonly string[], names: readonly Kept[]): Listing {
  const length = names.reduce((sum, { path }) => sum + Buffer.byteLength(path), 0)
  if (length > 2 ** 31) throw new IoError('BAD_WORK', 'The names of the listed objects take more than 2 GiB')
  const text = new SharedArrayBuffer(length)
  const offsets = new SharedArrayBuffer(4 * (names.length + 1))
  const baseOf = new SharedArrayBuffer(2 * names.length)
  const bytes = Buffer.from(text)
  const starts = new Uint32Array(offsets)
  const owners = new Uint16Array(baseOf)
  let at = 0
  for (const [i, { path, base }] of names.entries()) {
    starts[i] = at
    owners[i] = base
    at += bytes.write(path, at)
  }
  starts[names.length] = at
  return { bases, count: names.length, text, offsets, baseOf }
}
