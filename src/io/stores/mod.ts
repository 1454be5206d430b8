/** Opens stores for a lane. */

import { IoError } from '../errors.ts'
import type { Containment } from '../types.ts'
import { asFolder, parseUri } from '../uri.ts'
import { bestCalls } from './best-calls.ts'
import type { FileAccess } from './calls.ts'
import { FileStore } from './file.ts'
import { Folders } from './folders.ts'
import { NullStore } from './null.ts'
import type { S3Client } from './s3/mod.ts'
import type { Store } from './types.ts'

/** Folders that one lane holds open. */
const HELD_FOLDERS_MAX = 128

/** Files in folders that the operator allowed. */
export function filesWithin(containment: Containment): FileAccess {
  const folders = new Folders(containment, HELD_FOLDERS_MAX)
  return { folders, calls: bestCalls(folders.canHold) }
}

/** One lane's stores by base URI. Opening touches nothing. */
export class LaneStores {
  readonly #stores = new Map<string, Store>()
  readonly #files: FileAccess
  readonly #buffer: Buffer
  readonly #handles: number

  readonly #s3: S3Client | null

  /**
   * `buffer`: page-aligned, for what is read. `handles`: open files kept for ranged reads, a power of two. `s3`: closed
   * with the stores; null where nothing is on S3.
   */
  constructor(files: FileAccess, buffer: Buffer, handles: number, s3: S3Client | null) {
    this.#files = files
    this.#buffer = buffer
    this.#handles = handles
    this.#s3 = s3
  }

  open(uri: string): Store {
    const base = asFolder(uri)
    let store = this.#stores.get(base)
    if (store === undefined) {
      store = this.#create(base)
      this.#stores.set(base, store)
    }
    return store
  }

  /** Stores opened so far that show the same objects as this one by other hosts, and itself. */
  alternativesTo(store: Store): readonly Store[] {
    if (store.place === undefined) return [store]
    return [...this.#stores.values()].filter(({ place }) => place === store.place)
  }

  #create(base: string): Store {
    const { scheme } = parseUri(base)
    if (scheme === 'null') return new NullStore(base)
    if (scheme === 's3') {
      if (this.#s3 === null) throw new IoError('BAD_WORK', `${base} was not expected: there is no S3 client`)
      return this.#s3.open(base)
    }
    return new FileStore(base, { files: this.#files, buffer: this.#buffer, handles: this.#handles })
  }

  /** Cuts off requests under way; files have none. */
  cancel(): void {
    this.#s3?.cancel()
  }

  close(): void {
    for (const store of this.#stores.values()) store.close()
    this.#stores.clear()
    this.#files.folders.close()
    this.#s3?.close()
  }
}
