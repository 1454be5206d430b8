/** Objects of one bucket below one prefix. */

import type { Content } from '../../content.ts'
import { IoError } from '../../errors.ts'
import { CHUNK_BYTES, S3_PAGE_ENTRIES } from '../../limits.ts'
import { asFolder } from '../../uri.ts'
import type { ObjectRef, Store, Verify } from '../types.ts'
import type { BodyBuffers } from './buffers.ts'
import type { S3Endpoint } from './endpoint.ts'
import type { S3Stream } from './operation.ts'
import { checkPath, encodeKey, encodePart, parsePlace } from './place.ts'
import { partSize, upload } from './upload.ts'
import { type ListPage, parseListPage } from './xml.ts'

export class S3Store implements Store<Promise<number>> {
  readonly base: string
  readonly #endpoint: S3Endpoint
  readonly #buffers: BodyBuffers
  readonly #bucketPath: string
  readonly #prefix: string
  /** Of all objects, encoded. */
  readonly #root: string

  constructor(base: string, endpoint: S3Endpoint, buffers: BodyBuffers) {
    const { bucket, prefix } = parsePlace(base)
    this.base = asFolder(base)
    this.#endpoint = endpoint
    this.#buffers = buffers
    this.#bucketPath = endpoint.pathOf(`/${bucket}`)
    this.#prefix = prefix
    this.#root = checkPath(`${this.#bucketPath}/${encodeKey(prefix)}`)
  }

  get active(): number {
    return this.#endpoint.active
  }

  get place(): string {
    return `${this.#bucketPath}/${this.#prefix}`
  }

  #path(ref: ObjectRef): string {
    return checkPath(this.#root + encodeKey(ref.dir + ref.file))
  }

  get(ref: ObjectRef, verify: Verify | null): Promise<number> {
    const expected = ref.size
    return this.#read(ref, 0, expected, null, verify).then((bytes) => {
      if (expected >= 0 && bytes < expected) throw truncated(bytes, expected)
      return bytes
    })
  }

  getRange(ref: ObjectRef, offset: number, length: number, verify: Verify | null): Promise<number> {
    // There is no range of nothing.
    if (length === 0) return this.get(ref, verify)
    const expected = ref.size
    return this.#read(ref, offset, length, `bytes=${offset}-${offset + length - 1}`, verify).then((bytes) => {
      if (expected >= 0 && bytes < length) throw truncated(offset + bytes, expected)
      return bytes
    })
  }

  async #read(
    ref: ObjectRef,
    offset: number,
    size: number,
    range: string | null,
    verify: Verify | null,
  ): Promise<number> {
    const request = { method: 'GET', path: this.#path(ref), query: '', ...(range === null ? {} : { range }) } as const
    if (verify === null) return checkRange(await this.#endpoint.request(request), range)
    const buffer = this.#buffers.take(size < 0 ? CHUNK_BYTES : Math.min(size, CHUNK_BYTES))
    try {
      const check = new ChunkCheck(buffer, offset, verify)
      const bytes = checkRange(await this.#endpoint.request({ ...request, onData: (data) => check.add(data) }), range)
      check.end()
      return bytes
    } finally {
      this.#buffers.giveBack(buffer)
    }
  }

  put(ref: ObjectRef, size: number, content: Content, partBytes: number | null): Promise<number> {
    const path = this.#path(ref)
    const part = partSize(size, partBytes)
    if (part !== null) return this.#upload(path, size, content, part)
    return size <= CHUNK_BYTES ? this.#putWhole(path, size, content) : this.#putStream(path, size, content)
  }

  async #putWhole(path: string, size: number, content: Content): Promise<number> {
    if (content.isAlone) {
      await this.#endpoint.request({ method: 'PUT', path, query: '', body: content.slice(0, size) })
      return size
    }
    const buffer = this.#buffers.take(size)
    try {
      // The content's own memory belongs to the lane that opens the next object.
      if (size > 0) content.slice(0, size).copy(buffer)
      await this.#endpoint.request({ method: 'PUT', path, query: '', body: buffer.subarray(0, size) })
      return size
    } finally {
      this.#buffers.giveBack(buffer)
    }
  }

  async #putStream(path: string, size: number, content: Content): Promise<number> {
    const buffer = this.#buffers.take(CHUNK_BYTES)
    try {
      await this.#endpoint.request({ method: 'PUT', path, query: '', body: bodyOf(content, 0, size, buffer) })
      return size
    } finally {
      this.#buffers.giveBack(buffer)
    }
  }

  async #upload(path: string, size: number, content: Content, part: number): Promise<number> {
    const buffer = this.#buffers.take(CHUNK_BYTES)
    try {
      await upload(this.#endpoint, path, size, part, (offset, length) => bodyOf(content, offset, length, buffer))
      return size
    } finally {
      this.#buffers.giveBack(buffer)
    }
  }

  async stat(ref: ObjectRef): Promise<number> {
    const { headers } = await this.#endpoint.request({ method: 'HEAD', path: this.#path(ref), query: '' })
    const length = Number(headers['content-length'])
    if (!Number.isSafeInteger(length)) throw new IoError('STORE_REFUSED', 'the answer names no size')
    return length
  }

  readonly removesBlindly = true

  async remove(ref: ObjectRef): Promise<number> {
    await this.#endpoint.request({ method: 'DELETE', path: this.#path(ref), query: '' })
    return 0
  }

  async list(dir: string): Promise<number> {
    let entries = 0
    for await (const { keys, prefixes } of this.#pages(dir, '/')) entries += keys.length + prefixes.length
    return entries
  }

  /** Asks for one entry only: whether this may be listed. */
  async glance(): Promise<void> {
    await this.#page('', '/', null, this.#endpoint.deadline(), 1)
  }

  /** Names that end with a slash stand for folders in some tools: they are no objects here. */
  async *walk(dir: string): AsyncIterable<readonly string[]> {
    for await (const { keys } of this.#pages(dir, '')) {
      const names = keys.filter((key) => key.startsWith(this.#prefix) && !key.endsWith('/'))
      if (names.length > 0) yield names.map((key) => key.slice(this.#prefix.length))
    }
  }

  /** All pages of one listing are one operation. */
  async *#pages(dir: string, delimiter: string): AsyncIterable<ListPage> {
    const deadline = delimiter === '' ? Number.POSITIVE_INFINITY : this.#endpoint.deadline()
    let token: string | null = null
    do {
      const page: ListPage = await this.#page(dir, delimiter, token, deadline)
      yield page
      token = page.next
    } while (token !== null)
  }

  async #page(
    dir: string,
    delimiter: string,
    token: string | null,
    deadline: number,
    entriesMax = S3_PAGE_ENTRIES,
  ): Promise<ListPage> {
    const query = [
      token === null ? '' : `continuation-token=${encodePart(token)}&`,
      delimiter === '' ? '' : `delimiter=${encodePart(delimiter)}&`,
      `encoding-type=url&list-type=2&max-keys=${entriesMax}&prefix=${encodePart(this.#prefix + dir)}`,
    ].join('')
    const path = this.#bucketPath
    const { text } = await this.#endpoint.request({ method: 'GET', path, query, wantsText: true, deadline })
    return parseListPage(text)
  }

  removeFolder(): void {}

  describe(ref: ObjectRef): string {
    return this.base + ref.dir + ref.file
  }

  /** Connections belong to the endpoint, which other stores use too. */
  close(): void {}
}

function truncated(got: number, size: number): IoError {
  return new IoError('TRUNCATED', `ends after ${got} bytes, expected are ${size}`)
}

function checkRange({ status, bytes }: { status: number; bytes: number }, range: string | null): number {
  if (range !== null && status !== 206) {
    throw new IoError('STORE_REFUSED', `the storage ignored the range and sent all of the object (${status})`)
  }
  return bytes
}

/** Bytes of an object from `offset`; both `offset` and CHUNK_BYTES are multiples of what contents are made of. */
function bodyOf(content: Content, offset: number, length: number, buffer: Buffer): S3Stream {
  return {
    length,
    async *open() {
      for (let at = 0; at < length; at += CHUNK_BYTES) {
        const size = Math.min(CHUNK_BYTES, length - at)
        const chunk = content.slice(offset + at, size)
        // The next chunk is asked for when this one has left: a chunk is larger than what a socket holds back.
        if (!content.isAlone) chunk.copy(buffer)
        yield content.isAlone ? chunk : buffer.subarray(0, size)
      }
    },
  }
}

/** Hands a body on in chunks of whole pages, however it arrived. */
class ChunkCheck {
  readonly #buffer: Buffer
  readonly #verify: Verify
  #offset: number
  #filled = 0

  constructor(buffer: Buffer, offset: number, verify: Verify) {
    this.#buffer = buffer
    this.#offset = offset
    this.#verify = verify
  }

  add(data: Buffer): void {
    for (let at = 0; at < data.length; ) {
      const copied = data.copy(this.#buffer, this.#filled, at)
      at += copied
      this.#filled += copied
      if (this.#filled === this.#buffer.length) this.end()
    }
  }

  end(): void {
    if (this.#filled === 0) return
    this.#verify(this.#offset, this.#buffer.subarray(0, this.#filled))
    this.#offset += this.#filled
    this.#filled = 0
  }
}
