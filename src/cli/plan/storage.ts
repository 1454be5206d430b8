/** The storage part of a plan: objects and workloads, in terms of a place that each agent has its own. */

import type { DataSpec, ObjectSet, OpName, SizeSpec, TreeSpec, WorkloadOp } from '../../io/mod.ts'
import { treeFiles } from './amounts.ts'
import { isRelative } from './check.ts'
import {
  opsOfKey,
  type WrittenObjects,
  type WrittenOp,
  type WrittenPrepare,
  type WrittenSizes,
} from './schema-storage.ts'
import type { Path } from './schema-walk.ts'
import type { PlanSource } from './source.ts'

/** Where an agent's paths begin, and its endpoints where there are several. */
export interface Place {
  readonly target: string | null
  readonly endpoints: readonly string[] | null
}

export interface ObjectsTemplate {
  readonly baseUri: string | null
  readonly spread: boolean
  readonly set: Omit<ObjectSet, 'baseUris'>
}

export interface PrepareTemplate {
  readonly objects: readonly ObjectsTemplate[]
  readonly tree: (Omit<TreeSpec, 'baseUris'> & Pick<ObjectsTemplate, 'baseUri' | 'spread'>) | null
  readonly strategy: 'sequential' | 'parallel'
  readonly skipVerification: boolean
  readonly forceOverwrite: boolean
  readonly postDelayMs: number
  readonly prefixShards: number
  readonly cleanup: boolean
  readonly cleanupOnly: boolean
  readonly cleanupMode: 'strict' | 'tolerant' | 'best_effort'
}

export interface OpTemplate {
  readonly path: string
  readonly spread: boolean
  readonly op: Omit<WorkloadOp, 'uris'>
}

const sizeDefault: SizeSpec = { kind: 'fixed', bytes: 1024 * 1024 }

export function readPrepare(source: PlanSource, written: WrittenPrepare, path: Path): PrepareTemplate {
  const prefixShards = Math.max(1, written.key_prefix_shards)
  const objects = written.ensure_objects.map((entry, at) =>
    readObjects(source, entry, [...path, 'ensure_objects', at], prefixShards),
  )
  const tree = readTree(source, written, objects, path)
  return {
    objects: tree === null ? objects : [],
    tree,
    strategy: written.prepare_strategy,
    skipVerification: written.skip_verification,
    forceOverwrite: written.force_overwrite,
    postDelayMs: written.post_prepare_delay,
    prefixShards,
    cleanup: written.cleanup || written.cleanup_only,
    cleanupOnly: written.cleanup_only,
    cleanupMode: written.cleanup_mode,
  }
}

/** Objects of a plan with a tree are the files of that tree, as in sai3-bench. */
function readTree(
  source: PlanSource,
  written: WrittenPrepare,
  objects: readonly ObjectsTemplate[],
  path: Path,
): PrepareTemplate['tree'] {
  const { directory_structure: spec, file_size, fill, dedup_factor, compress_factor } = written
  if (spec === undefined) return null
  const [first] = objects
  const files = treeFiles({ ...spec, filesPerDir: spec.files_per_dir })
  if (!Number.isSafeInteger(files))
    source.problem([...path, 'directory_structure'], 'names more files than can be counted')
  for (const [at, { set }] of objects.entries()) {
    if (set.count === 0 || set.count === files) continue
    const key = [...path, 'ensure_objects', at, 'count']
    source.problem(key, `must be 0 or ${files}, the files of directory_structure, not ${set.count}`)
  }
  if (objects.length > 1) {
    source.notice([...path, 'ensure_objects', 1], 'a directory_structure is made below the first base_uri only')
  }
  return {
    width: spec.width,
    depth: spec.depth,
    filesPerDir: spec.files_per_dir,
    distribution: spec.distribution,
    dirMask: spec.dir_mask,
    fileMask: spec.file_mask,
    size: file_size ?? first?.set.size ?? sizeDefault,
    data: {
      fill: fill ?? first?.set.data.fill ?? 'random',
      dedupFactor: dedup_factor ?? first?.set.data.dedupFactor ?? 1,
      compressFactor: compress_factor ?? first?.set.data.compressFactor ?? 1,
    },
    baseUri: first?.baseUri ?? null,
    spread: first?.spread ?? true,
  }
}

function readObjects(source: PlanSource, written: WrittenObjects, path: Path, prefixShards: number): ObjectsTemplate {
  return {
    baseUri: written.base_uri ?? null,
    spread: written.use_multi_endpoint,
    set: {
      count: written.count,
      size: sizeOf(source, written, path) ?? sizeDefault,
      data: dataOf(written),
      prefixShards,
    },
  }
}

export function readWorkload(
  source: PlanSource,
  written: readonly WrittenOp[],
  path: Path,
  prefixShards: number,
): OpTemplate[] {
  return written.flatMap((op, at) => readOp(source, op, [...path, at], prefixShards))
}

function readOp(source: PlanSource, written: WrittenOp, path: Path, prefixShards: number): OpTemplate[] {
  const { op } = written
  if (op === 'mkdir' || op === 'rmdir') {
    source.notice([...path, 'op'], `${op} is not done: folders come and go with their objects`)
    return []
  }
  for (const [key, ops] of Object.entries(opsOfKey)) {
    if (ops.includes(op) || !source.has([...path, key])) continue
    source.notice([...path, key], `only a ${ops.join(' or ')} uses it, not a ${op}`)
  }
  const size = op === 'put' ? sizeOf(source, written, path) : null
  if (op === 'put' && size === null) source.problem(path, 'needs a size (object_size or size_spec): it is a put')
  return [
    {
      path: written.path,
      spread: written.use_multi_endpoint,
      op: {
        op: op satisfies OpName,
        weight: written.weight,
        size,
        data: dataOf(written),
        concurrency: written.concurrency ?? null,
        rangeBytes: written.range_size ?? null,
        partBytes: written.part_size ?? null,
        prefixShards: op === 'put' ? prefixShards : 1,
      },
    },
  ]
}

function dataOf({
  fill,
  dedup_factor,
  compress_factor,
}: Pick<WrittenOp, 'fill' | 'dedup_factor' | 'compress_factor'>): DataSpec {
  return { fill, dedupFactor: dedup_factor, compressFactor: compress_factor }
}

/** The size, in whichever spelling; null where there is none. */
function sizeOf(source: PlanSource, written: WrittenSizes, path: Path): SizeSpec | null {
  const spellings = (['size_spec', 'size_distribution', 'object_size', 'size', 'min_size', 'max_size'] as const).filter(
    (key) => written[key] !== undefined,
  )
  const [used] = spellings
  if (used === undefined) return null
  const isRange = used === 'min_size' || used === 'max_size'
  if (!isRange) for (const key of spellings.slice(1)) source.notice([...path, key], `not used: ${used} is`)
  const exact = written.size_spec ?? written.size_distribution
  if (exact !== undefined) return exact
  const bytes = written.object_size ?? written.size
  if (bytes !== undefined) return { kind: 'fixed', bytes }
  const min = written.min_size ?? written.max_size ?? 0
  const max = written.max_size ?? min
  if (min > max) source.problem([...path, 'min_size'], `is larger than max_size (${min} and ${max} bytes)`)
  return min === max ? { kind: 'fixed', bytes: min } : { kind: 'uniform', min, max }
}

export function expandObjects(templates: readonly ObjectsTemplate[], place: Place): ObjectSet[] {
  const some = templates.filter(({ set }) => set.count > 0)
  return some.map(({ baseUri, spread, set }) => ({ ...set, baseUris: basesOf(baseUri, spread, place) }))
}

export function expandTree(template: PrepareTemplate['tree'], place: Place): TreeSpec[] {
  if (template === null) return []
  const { baseUri, spread, ...tree } = template
  return [{ ...tree, baseUris: basesOf(baseUri, spread, place) }]
}

export function expandOps(templates: readonly OpTemplate[], place: Place): WorkloadOp[] {
  return templates.map(({ path, spread, op }) => {
    if (!isRelative(path)) return { ...op, uris: [path] }
    const bases = basesOf(null, spread || place.target === null, place)
    return { ...op, uris: bases.map((base) => `${base}${path.replace(/^\/+/, '')}`) }
  })
}

/** Folders in which objects are; `baseUri` may be a path below the place. */
function basesOf(baseUri: string | null, spread: boolean, place: Place): string[] {
  const several = place.endpoints ?? []
  if (baseUri !== null && !isRelative(baseUri)) {
    return (spread && several.length > 0 ? several : [baseUri]).map(asFolder)
  }
  const below = asFolder(baseUri ?? '').replace(/^\/+/, '')
  const everywhere = (spread && several.length > 0) || place.target === null
  const bases = everywhere ? several : [place.target]
  return (bases.length === 0 ? [nowhere] : bases).map((base) => `${asFolder(base)}${below}`)
}

/** Where the objects of a plan without a target are: no backend takes it, so that its first stage fails and says why. */
const nowhere = 'no-target-in-the-plan://'

function asFolder(uri: string): string {
  return uri === '' || uri.endsWith('/') ? uri : `${uri}/`
}
