/** About how much memory an agent needs for a stage. Pure; the shares were measured, and are rounded up. */

import type { StageWork } from '../../io/mod.ts'

const MIB = 1024 * 1024

/** A node that takes part in a mesh, without a stage. */
const idleBytes = 110 * MIB
/** A lane of a file workload is a thread. */
const threadBytes = 16 * MIB
/** S3 lanes share threads, about two of which are busy on most hosts, and leave answers that are not collected yet. */
const sharedThreadsBytes = 128 * MIB
/** Each S3 lane has a buffer and its figures. */
const sharedLaneBytes = 3 * MIB
/** As many lanes as the engine starts for files. */
const fileLanesMax = 512

export function memoryOf(work: StageWork): number {
  if (work.type === 'validation' || work.type === 'custom') return idleBytes
  const lanes = lanesOf(work)
  const isShared = urisOf(work).some((uri) => uri.startsWith('s3:'))
  const perLane = isShared ? sharedThreadsBytes + lanes * sharedLaneBytes : Math.min(lanes, fileLanesMax) * threadBytes
  return idleBytes + perLane
}

type LaneWork = Exclude<StageWork, { type: 'validation' | 'custom' }>

function lanesOf(work: LaneWork): number {
  if (!('ops' in work)) return work.concurrency
  const own = work.ops.reduce((sum, { concurrency }) => sum + (concurrency ?? 0), 0)
  return own + (work.ops.some(({ concurrency }) => concurrency === null) ? work.concurrency : 0)
}

function urisOf(work: LaneWork): readonly string[] {
  if ('ops' in work) return work.ops.flatMap(({ uris }) => uris)
  return [...work.objects, ...work.trees].flatMap(({ baseUris }) => baseUris)
}
