/** The kinds of values that plans are written in, as zod types: what may be written, and what it means. */

import { z } from 'zod'
import { plainName } from '../names.ts'
import { parseCount, parseDuration, parseNumber, parseSize } from './quantities.ts'

const DAY_MS = 86_400_000

/** An exbibyte is more than any plan stores, and still an exact number. */
const sizeBytesMax = 2 ** 52
const durationMsMax = 366 * DAY_MS
const textCharsMax = 1024
/** Of a number with its unit: reading it takes time that grows with the square of its length. */
const quantityCharsMax = 64
const argumentCharsMax = 65_536

/**
 * A key that is read but means nothing here. `consequence` says what will not happen; validation repeats it, unless the
 * value asks for what happens anyway.
 */
export function ignored(consequence: string, anyway?: boolean) {
  const meta = { ignored: consequence, deprecated: true, description: `Not used: ${consequence}` }
  return z
    .unknown()
    .optional()
    .meta(anyway === undefined ? meta : { ...meta, anyway })
}

/** Says what was found where something else was needed. */
export function notThis(expected: string, input: unknown): string {
  return input === undefined ? 'is missing' : `must be ${expected}, not ${shown(input)}`
}

/** What a mapping names as its `type`; undefined for anything else. */
export function typeIn(input: unknown): unknown {
  return typeof input === 'object' && input !== null && 'type' in input ? input.type : undefined
}

function shown(input: unknown): string {
  if (Array.isArray(input)) return 'a list'
  if (typeof input === 'object' && input !== null) return 'a mapping'
  if (typeof input === 'string') return JSON.stringify(input.length > 60 ? `${input.slice(0, 57)}...` : input)
  return String(input)
}

/** A number or a text that `read` understands. */
function quantity<T>(expected: string, read: (value: string | number) => T | undefined) {
  return z
    .union([z.number(), z.string()], { error: ({ input }) => notThis(expected, input) })
    .transform((value, context): T => {
      const result = String(value).length > quantityCharsMax ? undefined : read(value)
      if (result !== undefined) return result
      context.issues.push({ code: 'custom', message: notThis(expected, value), input: value })
      return z.NEVER
    })
}

/** Bytes. */
export function size(min = 0) {
  const lowest = min === 0 ? '' : min === 1 ? ' above 0' : ` of ${min} bytes or more`
  return quantity(`a size${lowest} such as 4KiB`, (value) => within(parseSize(value), min, sizeBytesMax))
}

/** Milliseconds; plain numbers are written in seconds. */
export function duration({ min = 0, max = durationMsMax }: { min?: number; max?: number } = {}) {
  const lowest = min === 0 ? '' : min === 1 ? ' above 0' : ` of ${min} ms or more`
  const highest = max === durationMsMax ? '' : ` and at most ${max / 1000}s`
  return quantity(`a duration${lowest} such as 30s or 5m${highest}`, (value) => within(parseDuration(value), min, max))
}

/** A whole number. */
export function count(min: number, max: number) {
  return quantity(`a whole number from ${min} to ${max}`, (value) => within(parseCount(value), min, max))
}

/** A number with a fraction. */
export function amount(min: number, max: number) {
  return quantity(`a number from ${min} to ${max}`, (value) => within(parseNumber(value), min, max))
}

/** Operations a second; null for no limit. */
export function rate() {
  return quantity('a number of operations a second, or max', (value): number | null | undefined => {
    if (typeof value === 'string' && value.trim().toLowerCase() === 'max') return null
    const perSecond = within(parseCount(value), 0, 1_000_000_000)
    return perSecond === 0 ? null : perSecond
  })
}

/** Text; a number or a boolean is taken as it is written. */
export function text(expected = 'a text', max = textCharsMax) {
  const wrong = (input: unknown) => notThis(`${expected} of at most ${max} characters`, input)
  return z
    .union([z.string(), z.number(), z.boolean()], { error: ({ input }) => wrong(input) })
    .transform((value, context) => {
      const written = String(value)
      if (written.length <= max && !hasControls(written)) return written
      context.issues.push({ code: 'custom', message: wrong(value), input: value })
      return z.NEVER
    })
}

/** Text of a command: lines and tabs are its own business. */
export function argument() {
  const wrong = (input: unknown) => notThis(`a text of at most ${argumentCharsMax} characters without NUL`, input)
  return z
    .union([z.string(), z.number(), z.boolean()], { error: ({ input }) => wrong(input) })
    .transform(String)
    .refine((value) => value.length <= argumentCharsMax && !value.includes('\0'), {
      error: ({ input }) => wrong(input),
    })
}

/** A name of a person's choosing: shown in lines of text, and made into file names. */
export function name() {
  return text('a name', 100).refine((value) => /^(?!\.)[^/\\]*[^/\\\s][^/\\]*$/.test(value), {
    error: ({ input }) => notThis('a name without slashes and without a dot at its front', input),
  })
}

/** What `paceline node --name` takes. */
export function peerName() {
  const expected = `the --name of a peer, ${plainName.words}`
  return z
    .string({ error: ({ input }) => notThis(expected, input) })
    .regex(plainName.pattern, { error: ({ input }) => notThis(expected, input) })
}

export function flag() {
  return z.boolean({ error: ({ input }) => notThis('true or false', input) })
}

export function oneOf<const T extends readonly string[]>(values: T) {
  return z.enum(values, { error: ({ input }) => notThis(`one of ${values.join(', ')}`, input) })
}

/** Where objects are; whether its kind of storage is known is checked with its place in the plan. */
export function uri() {
  return text('a URI such as file:///tmp/paceline/x/').meta({ storage: 'absolute' })
}

/** A URI, or a path below the target. */
export function path() {
  return text('a path below the target, or a URI').meta({ storage: 'relative' })
}

function within(value: number | undefined, min: number, max: number): number | undefined {
  return value !== undefined && value >= min && value <= max ? value : undefined
}

function hasControls(value: string): boolean {
  for (let at = 0; at < value.length; at++) {
    const code = value.charCodeAt(at)
    if (code < 32 || code === 127) return true
  }
  return false
}
