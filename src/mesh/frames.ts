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

/** Cuts a byte stream into frame bodies. Holds at most one frame of `bytesMax` bytes. */
export class FrameReader {
  readonly #bytesMax: number
  #chunks: Uint8Array[] = []
  #held = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** Bodies completed by `chunk`. Throws RangeError for a frame larger than allowed: the stream is then of no use. */
  push(chunk: Uint8Array): Uint8Array[] {
    this.#chunks.push(chunk)
    this.#held += chunk.length
    const bodies: Uint8Array[] = []
    for (let length = this.#nextLength(); length !== undefined; length = this.#nextLength()) {
      if (this.#held < headerBytes + length) break
      bodies.push(this.#take(headerBytes + length).subarray(headerBytes))
    }
    return bodies
  }

  #nextLength(): number | undefined {
    if (this.#held < headerBytes) return undefined
    const header = this.#peekHeader()
    const length = new DataView(header.buffer, header.byteOffset, headerBytes).getUint32(0)
    if (length > this.#bytesMax)
      throw new RangeError(`a frame of ${length} bytes, at most ${this.#bytesMax} are allowed`)
    return length
  }

  #peekHeader(): Uint8Array {
    const first = this.#chunks[0]
    if (first !== undefined && first.length >= headerBytes) return first
    this.#join()
    return this.#chunks[0] ?? new Uint8Array(headerBytes)
  }

  #take(length: number): Uint8Array {
    const first = this.#chunks[0]
    if (first === undefined || first.length < length) this.#join()
    const all = this.#chunks[0] ?? new Uint8Array(0)
    this.#held -= length
    if (all.length === length) this.#chunks.shift()
    else this.#chunks[0] = all.subarray(length)
    return all.subarray(0, length)
  }

  #join(): void {
    if (this.#chunks.length < 2) return
    const joined = new Uint8Array(this.#held)
    let at = 0
    for (const chunk of this.#chunks) {
      joined.set(chunk, at)
      at += chunk.length
    }
    this.#chunks = [joined]
  }
}
