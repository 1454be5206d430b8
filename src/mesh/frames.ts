/** Length-prefixed frames (4 bytes, big endian) of JSON text. */

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true })

export const headerBytes = 4

export function encodeFrame(document: unknown): Uint8Array {
  const text = JSON.stringify(document)
  // UTF-8 needs at most three bytes a UTF-16 unit; results are ASCII, so try the tight fit first.
  let frame = new Uint8Array(headerBytes + text.length)
  const written = encoder.encodeInto(text, frame.subarray(headerBytes))
  if (written.read < text.length) {
    const body = encoder.encode(text)
    frame = new Uint8Array(headerBytes + body.length)
    frame.set(body, headerBytes)
  }
  new DataView(frame.buffer).setUint32(0, frame.length - headerBytes)
  return frame
}

/** Throws SyntaxError or TypeError when the body is no JSON text. */
export function decodeBody(body: Uint8Array): unknown {
  return JSON.parse(decoder.decode(body))
}

/** The first buffer of a frame that comes in pieces. */
const bufferBytesMin = 64 * 1024

/** Cuts a byte stream into frame bodies. Holds at most one frame, and little more than what has come of it. */
export class FrameReader {
  /** Of a frame's body. */
  bytesMax: number
  #header = new Uint8Array(headerBytes)
  #headerLength = 0
  /** Undefined until the header is complete. */
  #length: number | undefined
  #body = new Uint8Array(0)
  #bodyLength = 0

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax
  }

  /** Bytes that the unfinished frame still lacks, as far as is known; 0 between two frames. */
  get missing(): number {
    if (this.#length === undefined) return this.#headerLength === 0 ? 0 : headerBytes - this.#headerLength
    return this.#length - this.#bodyLength
  }

  /** Bytes of the unfinished frame. */
  get held(): number {
    return this.#bodyLength
  }

  /** Bodies completed by `chunk`. Throws RangeError for a frame larger than allowed: the stream is then of no use. */
  *push(chunk: Uint8Array): Generator<Uint8Array> {
    let at = 0
    while (at < chunk.length || this.#length === 0) {
      if (this.#length === undefined) {
        at += this.#takeHeader(chunk.subarray(at))
        continue
      }
      const part = chunk.subarray(at, at + this.#length - this.#bodyLength)
      at += part.length
      if (part.length === this.#length) yield this.#finish(part)
      else {
        this.#append(part, this.#length)
        if (this.#bodyLength === this.#length) yield this.#finish(this.#body.subarray(0, this.#length))
      }
    }
  }

  #takeHeader(bytes: Uint8Array): number {
    const part = bytes.subarray(0, headerBytes - this.#headerLength)
    this.#header.set(part, this.#headerLength)
    this.#headerLength += part.length
    if (this.#headerLength < headerBytes) return part.length
    const length = new DataView(this.#header.buffer).getUint32(0)
    if (length > this.bytesMax) throw new RangeError(`a frame of ${length} bytes, at most ${this.bytesMax} are allowed`)
    this.#length = length
    return part.length
  }

  /** The announced length is only a promise: memory is taken as the bytes come. */
  #append(part: Uint8Array, length: number): void {
    const needed = this.#bodyLength + part.length
    if (needed > this.#body.length) {
      const larger = new Uint8Array(Math.min(length, Math.max(bufferBytesMin, 2 * needed)))
      larger.set(this.#body.subarray(0, this.#bodyLength))
      this.#body = larger
    }
    this.#body.set(part, this.#bodyLength)
    this.#bodyLength = needed
  }

  #finish(body: Uint8Array): Uint8Array {
    this.#headerLength = 0
    this.#length = undefined
    this.#body = new Uint8Array(0)
    this.#bodyLength = 0
    return body
  }
}
