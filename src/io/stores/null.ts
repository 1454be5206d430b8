/** `null:` stores nothing and finds everything: what it measures is the engine itself. */

import type { Content } from '../content.ts'
import { CHUNK_BYTES } from '../limits.ts'
import type { ObjectRef, SyncStore } from './types.ts'

export class NullStore implements SyncStore {
  readonly base: string

  constructor(base: string) {
    this.base = base
  }

  get(ref: ObjectRef): number {
    return Math.max(0, ref.size)
  }

  getRange(_ref: ObjectRef, _offset: number, length: number): number {
    return length
  }

  put(_ref: ObjectRef, size: number, content: Content): number {
    for (let at = 0; at < size; at += CHUNK_BYTES) content.slice(at, Math.min(CHUNK_BYTES, size - at))
    return size
  }

  stat(ref: ObjectRef): number {
    return Math.max(0, ref.size)
  }

  remove(): number {
    return 0
  }

  list(): number {
    return 0
  }

  *walk(): Iterable<readonly string[]> {}

  removeFolder(): void {}

  describe(ref: ObjectRef): string {
    return this.base + ref.dir + ref.file
  }

  close(): void {}
}
