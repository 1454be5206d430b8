/** Object sizes: drawn from a specification, and sorted into the buckets that results are kept by. Pure. */

import { hashNumbers, mix32 } from './random.ts'
import type { SizeSpec } from './types.ts'

export const BUCKET_LABELS = [
  'zero',
  '1B-8KiB',
  '8KiB-64KiB',
  '64KiB-512KiB',
  '512KiB-4MiB',
  '4MiB-32MiB',
  '32MiB-256MiB',
  '256MiB-2GiB',
  '>2GiB',
] as const

export const BUCKETS = BUCKET_LABELS.length

/** 0 for no bytes; else 1 + the number of eightfold steps from 8 KiB that are smaller: upper bounds belong to the bucket. */
export function bucketOf(bytes: number): number {
  if (bytes === 0) return 0
  let bucket = 1
  for (let bound = 8192; bytes > bound && bucket < BUCKETS - 1; bound *= 8) bucket++
  return bucket
}

const TWO_POW_32 = 4294967296

/** Size of object `number`: the same on every agent for the same `seed`. */
export function sizeOf(spec: SizeSpec, seed: number, number: number): number {
  if (spec.kind === 'fixed') return spec.bytes
  const first = hashNumbers(seed, number)
  return drawSize(spec, first / TWO_POW_32, mix32(first ^ 0x5bf03635) / TWO_POW_32)
}

/** `u` and `v`: independent, 0 <= x < 1. */
export function drawSize(spec: SizeSpec, u: number, v: number): number {
  if (spec.kind === 'fixed') return spec.bytes
  if (spec.kind === 'uniform') return spec.min + Math.floor(u * (spec.max - spec.min + 1))
  // `mean` and `stdDev` are those of the sizes, not of their logarithms.
  const variance = Math.log(1 + (spec.stdDev / spec.mean) ** 2)
  const normal = Math.sqrt(-2 * Math.log(1 - u)) * Math.cos(2 * Math.PI * v)
  const size = Math.exp(Math.log(spec.mean) - variance / 2 + normal * Math.sqrt(variance))
  return Math.round(Math.min(spec.max, Math.max(spec.min, size)))
}

export function smallestOf(spec: SizeSpec): number {
  return spec.kind === 'fixed' ? spec.bytes : spec.min
}

export function largestOf(spec: SizeSpec): number {
  return spec.kind === 'fixed' ? spec.bytes : spec.max
}
