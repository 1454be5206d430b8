/** Valid samples made a little wrong, or very wrong: as documents, as bytes, as text. */

import type { Prng } from '../sim/prng.ts'

const numbers = [0, -0, -1, 0.5, 1, 2 ** 31, 2 ** 48 + 1, 2 ** 53, -(2 ** 53), 1e308, 5e-324, 1_700_000_000_000.25]
const texts = [
  '',
  ' ',
  '__proto__',
  'constructor',
  'null',
  '\0',
  '\ud800',
  '😀',
  '../..',
  'é',
  '1e999',
  'a'.repeat(5000),
]
const texture = [
  '{',
  '}',
  '[',
  ']',
  '"',
  ':',
  ',',
  '\\',
  '\\u0000',
  '1e999',
  '-',
  '&a ',
  '*a',
  '- ',
  '\n',
  '\t',
  '#',
  '|',
  '!!',
]

type Json = unknown

/** Of a text that is said again and again. */
const LONG_CHARS = 2 * 1024 * 1024
/** Of a whole document, at most: longer ones than frames are refused before anybody decodes them. */
const DOCUMENT_CHARS = 10 * 1024 * 1024

/** Any value that JSON can say. */
function anyValue(prng: Prng, others: readonly Json[], depth = 0): Json {
  const kind = prng.int(0, depth > 3 ? 4 : 7)
  if (kind === 0) return prng.pick(numbers)
  if (kind === 1) return prng.pick(texts)
  if (kind === 2) return prng.pick([true, false, null])
  if (kind === 3) return prng.int(-1000, 1_000_000)
  if (kind === 4) return prng.pick(others)
  if (kind === 5) return Array.from({ length: prng.int(0, 4) }, () => anyValue(prng, others, depth + 1))
  const entries = Array.from({ length: prng.int(0, 4) }, () => [prng.pick(texts), anyValue(prng, others, depth + 1)])
  return Object.fromEntries(entries)
}

/** The same document with one thing in it changed. */
function changeOne(document: Json, prng: Prng, others: readonly Json[]): Json {
  const isBranch = typeof document === 'object' && document !== null
  if (typeof document === 'string' && document !== '' && prng.chance(0.02)) {
    return document.repeat(1 + LONG_CHARS / document.length)
  }
  if (!isBranch || prng.chance(0.15)) return anyValue(prng, others)
  if (Array.isArray(document)) return changeList(document, prng, others)
  const entries = Object.entries(document)
  const at = prng.int(0, Math.max(0, entries.length - 1))
  const entry = entries[at]
  if (entry === undefined || prng.chance(0.05)) return { ...document, [prng.pick(texts)]: anyValue(prng, others) }
  if (prng.chance(0.05)) return Object.fromEntries(entries.filter((_, index) => index !== at))
  const changed = changeOne(entry[1], prng, others)
  return Object.fromEntries(entries.map(([key, value], index) => [key, index === at ? changed : value]))
}

function changeList(list: readonly Json[], prng: Prng, others: readonly Json[]): Json {
  const at = prng.int(0, Math.max(0, list.length - 1))
  if (list.length === 0 || prng.chance(0.1)) return [...list, anyValue(prng, others)]
  if (prng.chance(0.1)) return list.filter((_, index) => index !== at)
  if (prng.chance(0.05)) return Array.from({ length: prng.int(2, 5000) }, () => list[at])
  return list.map((item, index) => (index === at ? changeOne(item, prng, others) : item))
}

export function mutateDocument(samples: readonly Json[], prng: Prng): Json {
  while (true) {
    let document = prng.pick(samples)
    for (let rounds = prng.int(1, 3); rounds > 0; rounds -= 1) document = changeOne(document, prng, samples)
    if (charsLeft(document, DOCUMENT_CHARS) >= 0) return document
  }
}

/** Of so many characters, once a document is written out; below zero when they are too few. */
function charsLeft(document: Json, chars: number): number {
  if (typeof document !== 'object' || document === null) return chars - (JSON.stringify(document) ?? '').length - 1
  let left = chars
  for (const [key, value] of Object.entries(document)) {
    left = charsLeft(value, Array.isArray(document) ? left : left - key.length - 3)
    if (left < 0) break
  }
  return left - 2
}

export function mutateBytes(samples: readonly Uint8Array[], prng: Prng): Uint8Array {
  let bytes = Buffer.from(prng.pick(samples))
  for (let rounds = prng.int(1, 4); rounds > 0; rounds -= 1) {
    const at = prng.int(0, bytes.length)
    const end = Math.min(bytes.length, at + prng.int(0, 40))
    const kind = prng.int(0, 4)
    if (kind === 0 && bytes.length > 0) bytes.writeUInt8(prng.int(0, 255), Math.min(at, bytes.length - 1))
    else if (kind === 1) bytes = bytes.subarray(0, at)
    else if (kind === 2) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(end)])
    else if (kind === 3) bytes = Buffer.concat([bytes.subarray(0, at), randomBytes(prng), bytes.subarray(at)])
    else {
      const other = prng.pick(samples)
      const from = prng.int(0, other.length)
      const part = other.subarray(from, from + prng.int(0, 200))
      bytes = Buffer.concat([bytes.subarray(0, at), part, bytes.subarray(end)])
    }
  }
  return bytes
}

export function mutateText(samples: readonly string[], prng: Prng): string {
  let text = prng.pick(samples)
  for (let rounds = prng.int(1, 4); rounds > 0; rounds -= 1) {
    const at = prng.int(0, text.length)
    const end = Math.min(text.length, at + prng.int(0, 30))
    const kind = prng.int(0, 3)
    if (kind === 0) text = text.slice(0, at) + prng.pick([...texture, ...texts]) + text.slice(at)
    else if (kind === 1) text = text.slice(0, at) + text.slice(end)
    else if (kind === 2) text = text.slice(0, at) + prng.pick(texture).repeat(prng.int(1, 2000)) + text.slice(end)
    else text = text.slice(0, end) + text.slice(at)
  }
  return text
}

function randomBytes(prng: Prng): Buffer {
  return Buffer.from(Array.from({ length: prng.int(1, 20) }, () => prng.int(0, 255)))
}
