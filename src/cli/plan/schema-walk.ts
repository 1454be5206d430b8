/** Looks things up in zod schemas: which keys are known at a place, and what is said about them. Pure. */

import { z } from 'zod'

type Schema = z.core.$ZodType
export type Path = readonly PropertyKey[]

/** A schema and what it is wrapped in: optional, default, transformation; outermost first. */
function layers(schema: Schema): Schema[] {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodPrefault) {
    return [schema, ...layers(schema._zod.def.innerType)]
  }
  return schema instanceof z.ZodPipe ? [schema, ...layers(schema._zod.def.in)] : [schema]
}

function bare(schema: Schema): Schema {
  return layers(schema).at(-1) ?? schema
}

/** What `meta` says, on whichever layer it was said. */
function metaOf(schema: Schema): z.core.GlobalMeta {
  return Object.assign(
    {},
    ...layers(schema)
      .toReversed()
      .map((layer) => z.globalRegistry.get(layer)),
  )
}

function alternatives(schema: Schema): readonly Schema[] {
  const inner = bare(schema)
  return inner instanceof z.ZodUnion ? inner._zod.def.options.flatMap(alternatives) : [inner]
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function shapeOf(schema: Schema): Readonly<Record<string, Schema>> | undefined {
  return schema instanceof z.ZodObject ? schema._zod.def.shape : undefined
}

function keyOf(shape: Readonly<Record<string, Schema>>, key: PropertyKey | undefined): Schema | undefined {
  return typeof key === 'string' && Object.hasOwn(shape, key) ? shape[key] : undefined
}

const namedKind = 1000

/** How well a value fits: does it name this kind, and how many of its keys are known; -1 when it is of another kind. */
function fitness(schema: Schema, value: unknown): number {
  const shape = shapeOf(schema)
  if (shape === undefined) return Array.isArray(value) === schema instanceof z.ZodArray && !isRecord(value) ? 0 : -1
  if (!isRecord(value)) return -1
  const known = Object.keys(value).filter((key) => keyOf(shape, key) !== undefined)
  const named = known.some((key) => {
    const type = bare(keyOf(shape, key) ?? schema)
    return type instanceof z.ZodLiteral && z.safeParse(type, value[key]).success
  })
  return known.length + (named ? namedKind : 0)
}

/** Which alternative of a union somebody meant who wrote this value; -1 for none. */
export function meantOption(schema: Schema, value: unknown): number {
  const inner = bare(schema)
  if (!(inner instanceof z.ZodUnion)) return -1
  const fits = inner._zod.def.options.map((option) =>
    Math.max(...alternatives(option).map((one) => fitness(one, value))),
  )
  const best = Math.max(...fits)
  return best < 0 ? -1 : fits.indexOf(best)
}

/** The schema that somebody meant who wrote this value, without unions around it. */
function meant(schema: Schema, value: unknown): Schema {
  const all = alternatives(schema)
  const fits = all.map((one) => fitness(one, value))
  return all[fits.indexOf(Math.max(...fits))] ?? bare(schema)
}

export interface KnownKey {
  readonly path: Path
  readonly value: unknown
  readonly meta: z.core.GlobalMeta
}

/** Every key and list item of a value that the schema knows, with what `meta` says about it. */
export function knownKeysOf(schema: Schema, value: unknown, path: Path = []): KnownKey[] {
  if (value === undefined) return []
  const meta = metaOf(schema)
  const inner = meant(schema, value)
  const shape = shapeOf(inner)
  const below: KnownKey[] = []
  if (inner instanceof z.ZodArray && Array.isArray(value)) {
    for (const [at, item] of value.entries()) below.push(...knownKeysOf(inner._zod.def.element, item, [...path, at]))
  }
  for (const [key, entry] of shape !== undefined && isRecord(value) ? Object.entries(value) : []) {
    const known = shape === undefined ? undefined : keyOf(shape, key)
    if (known !== undefined) below.push(...knownKeysOf(known, entry, [...path, key]))
  }
  return [{ path, value, meta }, ...below]
}

/** The schema and the value at a place. */
export function schemaAt(schema: Schema, value: unknown, path: Path): { schema: Schema; value: unknown } | undefined {
  const [next, ...rest] = path
  if (next === undefined) return { schema, value }
  const inner = meant(schema, value)
  const shape = shapeOf(inner)
  const below =
    inner instanceof z.ZodArray ? inner._zod.def.element : shape === undefined ? undefined : keyOf(shape, next)
  if (below === undefined) return undefined
  const within = Array.isArray(value) ? value[Number(next)] : isRecord(value) ? value[String(next)] : undefined
  return schemaAt(below, within, rest)
}

/** Names of the keys that may stand in the mapping that somebody meant who wrote this value; `used` ones do something. */
export function keysFor(schema: Schema, value: unknown): { readonly all: string[]; readonly used: string[] } {
  const shape = shapeOf(meant(schema, value)) ?? {}
  const all = Object.keys(shape)
  const used = Object.entries(shape).filter(([, entry]) => metaOf(entry).ignored === undefined)
  return { all, used: used.map(([key]) => key) }
}
