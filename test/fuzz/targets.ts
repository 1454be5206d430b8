/** Every decoder of what comes from outside: it refuses by its own means, and what it takes it says again the same. */

import { isDeepStrictEqual } from 'node:util'
import { parseNodeDocument, parseRequest } from '../../src/cli/client-protocol.ts'
import { agentProgressSchema } from '../../src/cli/feed.ts'
import { PlanError, parsePlan } from '../../src/cli/plan/mod.ts'
import { decodeResult, encodeResult, IoError } from '../../src/io/mod.ts'
import { decodeBody, encodeFrame, FrameReader, headerBytes } from '../../src/mesh/frames.ts'
import { MeshError } from '../../src/mesh/mod.ts'
import { parseEntry } from '../../src/mesh/rendezvous.ts'
import { normalizeSecret } from '../../src/mesh/secret.ts'
import { type Checked, checkGossip, checkHello, checkIntroduction, checkMessage } from '../../src/mesh/wire.ts'
import type { Prng } from '../sim/prng.ts'
import { mutateBytes, mutateDocument, mutateText } from './mutate.ts'
import * as samples from './samples.ts'

export interface Target {
  readonly name: string
  /** Makes one input and tries it. Throws when the decoder does what it must not. */
  attempt(prng: Prng): void
  /** The input of the last attempt, for people. */
  last(): string
}

/** No decoder may take more of a processor, whatever it is given, ms. */
const SLOW_MS = 2000

function target<T>(name: string, make: (prng: Prng) => T, take: (input: T) => void): Target {
  let last: T | undefined
  return {
    name,
    attempt(prng) {
      const input = make(prng)
      last = input
      const before = process.cpuUsage()
      take(input)
      const { user, system } = process.cpuUsage(before)
      const took = (user + system) / 1000
      if (took > SLOW_MS) throw new Error(`took ${Math.round(took)} ms`)
    },
    last: () =>
      last instanceof Uint8Array ? `base64 ${Buffer.from(last).toString('base64')}` : String(JSON.stringify(last)),
  }
}

function mustBe(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(what)
}

/** Documents that come in frames. */
function framed(name: string, list: readonly unknown[], check: (document: unknown) => Checked<unknown> | null): Target {
  return target(
    name,
    (prng) => frameBody(list, prng),
    (body) => {
      let document: unknown
      try {
        document = decodeBody(body)
      } catch (error) {
        mustBe(error instanceof SyntaxError || error instanceof TypeError, `decodeBody threw ${error}`)
        return
      }
      const checked = check(document)
      if (checked === null) return
      if (!checked.ok) {
        mustBe(checked.fault.length > 0 && checked.fault.length <= 300, 'a refusal says why, in few words')
        return
      }
      const again = check(decodeBody(encodeFrame(checked.value).subarray(headerBytes)))
      mustBe(again?.ok === true, 'what was taken is taken again')
      mustBe(JSON.stringify(again.value) === JSON.stringify(checked.value), 'what was taken is said again the same')
    },
  )
}

function frameBody(list: readonly unknown[], prng: Prng): Uint8Array {
  if (prng.chance(0.6)) return encodeFrame(mutateDocument(list, prng)).subarray(headerBytes)
  return mutateBytes(
    list.map((one) => encodeFrame(one).subarray(headerBytes)),
    prng,
  )
}

const orNull = <T>(value: T | null): Checked<T> | null => (value === null ? null : { ok: true, value })

const frames = target(
  'frames',
  (prng) => {
    const bodies = Array.from({ length: prng.int(1, 4) }, () => encodeFrame(prng.pick(samples.messages)))
    return { bytes: mutateBytes([Buffer.concat(bodies)], prng), cuts: prng.fork() }
  },
  ({ bytes, cuts }) => {
    const whole = readFrames([bytes])
    const parts: Uint8Array[] = []
    for (let at = 0; at < bytes.length; ) {
      const end = at + cuts.int(1, 300)
      parts.push(bytes.subarray(at, end))
      at = end
    }
    mustBe(isDeepStrictEqual(whole, readFrames(parts)), 'frames do not depend on how the bytes were cut')
  },
)

const FRAME_MAX = 64 * 1024

function readFrames(parts: readonly Uint8Array[]): unknown[] {
  const reader = new FrameReader(FRAME_MAX)
  const bodies: unknown[] = []
  try {
    for (const part of parts) for (const body of reader.push(part)) bodies.push(Buffer.from(body).toString('hex'))
  } catch (error) {
    mustBe(error instanceof RangeError, `FrameReader threw ${error}`)
    bodies.push('refused')
  }
  mustBe(reader.held <= FRAME_MAX, 'no more is held than a frame')
  return bodies
}

const results = target(
  'results',
  (prng) => {
    if (prng.chance(0.4)) return mutateText(samples.resultTexts, prng)
    return samples.deflated(mutateDocument(samples.results, prng))
  },
  (text) => {
    try {
      const result = decodeResult(text)
      const again = decodeResult(encodeResult(result))
      mustBe(JSON.stringify(again) === JSON.stringify(result), 'a result is said again the same')
    } catch (error) {
      mustBe(error instanceof IoError, `decodeResult threw ${error}`)
    }
  },
)

const plans = target(
  'plans',
  (prng) => mutateText(samples.plans, prng),
  (text) => {
    try {
      parsePlan(text, 'the plan')
    } catch (error) {
      mustBe(error instanceof PlanError, `parsePlan threw ${error instanceof Error ? error.stack : error}`)
    }
  },
)

const rendezvous = target(
  'rendezvous',
  (prng) =>
    prng.chance(0.5)
      ? mutateText(samples.entries, prng)
      : (JSON.stringify(mutateDocument(samples.entryDocuments, prng)) ?? ''),
  (text) => {
    const entry = parseEntry(text)
    if (entry === undefined) return
    mustBe(isDeepStrictEqual(parseEntry(JSON.stringify(entry)), entry), 'an entry is said again the same')
  },
)

const secrets = target(
  'secrets',
  (prng) => mutateBytes(samples.secrets, prng),
  (bytes) => {
    try {
      const key = normalizeSecret(bytes)
      mustBe(isDeepStrictEqual(normalizeSecret(key), key), 'a key stays the same key')
    } catch (error) {
      mustBe(error instanceof MeshError, `normalizeSecret threw ${error}`)
    }
  },
)

export const targets: readonly Target[] = [
  framed('messages', samples.messages, checkMessage),
  framed('hellos', samples.hellos, checkHello),
  framed('introductions', samples.introductions, checkIntroduction),
  framed('gossip', samples.gossip, checkGossip),
  framed('requests', samples.requests, (document) => orNull(parseRequest(document))),
  framed('answers', samples.answers, (document) => orNull(parseNodeDocument(document))),
  framed('progress', samples.progress, (document) => orNull(agentProgressSchema.safeParse(document).data ?? null)),
  frames,
  results,
  plans,
  rendezvous,
  secrets,
]
