/** What a work takes: places, lanes, threads, room for figures. Pure. */

import os from 'node:os'
import { parsePattern } from './glob.ts'
import { OPS } from './lanes/board.ts'
import type { LaneWork } from './lanes/jobs.ts'
import { ASYNC_LANES_MIN, ASYNC_THREADS_MAX, LANES_MAX } from './limits.ts'
import { isOnS3 } from './s3.ts'
import { BUCKETS, bucketOf, largestOf, smallestOf } from './sizes.ts'
import type { ExecuteWork, StageWork } from './types.ts'

function isLaneWork(work: StageWork): work is LaneWork {
  return work.type !== 'validation' && work.type !== 'custom'
}

/** S3 needs no thread an operation: its lanes share few. */
export function isAsync(work: LaneWork): boolean {
  return urisOf(work).some(isOnS3)
}

/** Lanes that need a thread each. */
export function ownThreads(work: StageWork): number {
  return isLaneWork(work) && !isAsync(work) ? Math.min(LANES_MAX, laneGroups(work).length) : 0
}

export function isWorkload(work: LaneWork): work is ExecuteWork {
  return work.type === 'execute' || work.type === 'hybrid'
}

/** A thread an event loop: more of them than half the cores would only take each other's time. */
export function asyncThreads(lanes: number): number {
  const threads = Math.min(ASYNC_THREADS_MAX, Math.max(1, Math.floor(os.availableParallelism() / 2)))
  return Math.max(1, Math.min(threads, Math.floor(lanes / ASYNC_LANES_MIN)))
}

/** Every folder that the work may touch. */
export function urisOf(work: LaneWork): string[] {
  if (isWorkload(work)) return work.ops.flatMap(({ uris }) => uris.map((uri) => parsePattern(uri).folder))
  const sets = work.objects.flatMap(({ baseUris }) => baseUris)
  const trees = work.trees.flatMap(({ baseUris }) => baseUris)
  const puts = work.type === 'cleanup' ? work.putUris.map((uri) => parsePattern(uri).folder) : []
  return [...sets, ...trees, ...puts]
}

/** The ops of each lane: lanes that share ops first, then those of ops with lanes of their own. */
export function laneGroups(work: LaneWork): number[][] {
  if (!isWorkload(work)) return Array.from({ length: Math.max(1, work.concurrency) }, () => [])
  const shared: number[] = []
  const own: number[][] = []
  for (const [position, { concurrency }] of work.ops.entries()) {
    if (concurrency === null) shared.push(position)
    else for (let i = 0; i < concurrency; i++) own.push([position])
  }
  if (shared.length === 0) return own
  return [...Array.from({ length: Math.max(1, work.concurrency) }, () => shared), ...own]
}

/** Kinds of figures that a lane may get: each op with the size buckets that it can meet. */
export function slotsFor(work: LaneWork): number {
  if (work.type === 'prepare') return 1 + BUCKETS
  if (work.type === 'cleanup') return OPS.length
  let slots = 0
  for (const op of new Set(work.ops.map(({ op }) => op))) {
    if (op === 'get') slots += BUCKETS
    else if (op === 'put') slots += bucketsOfPuts(work)
    else slots += 1
  }
  return slots
}

/** Bytes of the largest object that it may put. */
export function largestPut(work: LaneWork): number {
  if (work.type === 'cleanup') return 0
  const sizes = isWorkload(work)
    ? work.ops.map(({ size }) => size)
    : [...work.objects, ...work.trees].map(({ size }) => size)
  return sizes.reduce((largest, size) => (size === null ? largest : Math.max(largest, largestOf(size))), 0)
}

function bucketsOfPuts(work: ExecuteWork): number {
  const buckets = new Set([0])
  for (const { op, size } of work.ops) {
    if (op !== 'put' || size === null) continue
    for (let bucket = bucketOf(smallestOf(size)); bucket <= bucketOf(largestOf(size)); bucket++) buckets.add(bucket)
  }
  return buckets.size
}

/** A power of two; all lanes together stay far below the usual limit of open files. */
export function handlesPerLane(lanes: number): number {
  const fair = 2 ** Math.floor(Math.log2(8192 / lanes))
  return Math.min(256, Math.max(8, fair))
}
