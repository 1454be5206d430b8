/** The storage part of a plan: targets, objects, workloads. */

import { isMap, isScalar } from 'yaml'
import type { DataSpec, ObjectSet, OpName, RateSpec, SizeSpec, TreeSpec, WorkloadOp } from '../../io/mod.ts'
import { asBoolean, positiveCount } from './barriers.ts'
import { parseCount, parseDuration, parseSize } from './quantities.ts'
import type { Fields, PlanSource } from './source.ts'

const opNames: readonly OpName[] = ['get', 'put', 'stat', 'list', 'delete']
const schemes = /^(file|direct|s3|null):\/\//

/** `target` of the plan, or of one agent, and its endpoints where there are several. */
export interface Place {
  readonly target: string | null
  readonly endpoints: readonly string[] | null
}

/** Objects to make, in terms of a place that is known only per agent. */
export interface ObjectsTemplate {
  readonly baseUri: string | null
  readonly spread: boolean
  readonly set: Omit<ObjectSet, 'baseUris'>
}

export interface PrepareTemplate {
  readonly objects: readonly ObjectsTemplate[]
  readonly tree: Omit<TreeSpec, 'baseUris'> | null
  readonly strategy: 'sequential' | 'parallel'
  readonly skipVerification: boolean
  readonly forceOverwrite: boolean
  readonly postDelayMs: number
  readonly cleanup: boolean
  readonly cleanupMode: 'strict' | 'tolerant' | 'best_effort'
}

export interface OpTemplate {
  readonly path: string
  readonly spread: boolean
  readonly op: Omit<WorkloadOp, 'uris'>
}

/** A URI with a known scheme, or where `relative` a path below the target. */
export function readUri(source: PlanSource, fields: Fields, key: string, relative = false): string | null {
  const field = fields.take(key)
  if (field === undefined) return null
  const value = isScalar(field.node) ? field.node.value : undefined
  if (typeof value !== 'string') {
    source.problem(field.node, `${field.path} must be a URI such as file:///tmp/paceline/x/`)
    return null
  }
  return relative && isRelative(value) ? value : checkUri(source, field.node, field.path, value)
}

export function isRelative(path: string): boolean {
  return !/^[a-z0-9]+:\/\//.test(path)
}

function checkUri(source: PlanSource, node: Fields['node'], path: string, value: string): string | null {
  if (schemes.test(value)) return value
  const known = /^(az|gs|https?):\/\//.test(value)
  const why = known ? 'this kind of storage is not supported yet' : 'not a URI'
  const message = `${path}: ${why}; supported are file://, direct://, s3:// and null://, not ${JSON.stringify(value)}`
  if (known) source.notice(node, `${message}: its validation stage will fail`)
  else source.problem(node, message)
  return known ? value : null
}

export function readEndpoints(source: PlanSource, fields: Fields | undefined): readonly string[] | null {
  if (fields === undefined) return null
  const endpoints = fields.items('endpoints').flatMap(({ node, path }) => {
    const value = isScalar(node) ? node.value : undefined
    return typeof value === 'string' ? (checkUri(source, node, path, value) ?? []) : []
  })
  fields.value('strategy', asStrategy, 'round_robin or least_connections', 'round_robin')
  fields.close()
  return endpoints.length === 0 ? null : endpoints
}

export function readStrategy(fields: Fields | undefined): 'round_robin' | 'least_connections' {
  return fields?.value('strategy', asStrategy, 'round_robin or least_connections', 'round_robin') ?? 'round_robin'
}

export function readPrepare(source: PlanSource, fields: Fields): PrepareTemplate {
  const prefixShards = Math.max(1, fields.value('key_prefix_shards', parseCount, 'a whole number', 1))
  const objects = fields.maps('ensure_objects').map((entry) => readObjects(source, entry, prefixShards))
  const treeFields = fields.map('directory_structure')
  const tree = treeFields === undefined ? null : readTree(treeFields, treeFiles(source, fields, objects[0]))
  const cleanupMode = fields.value('cleanup_mode', asCleanupMode, 'strict, tolerant or best_effort', 'tolerant')
  fields.unsupported({
    cleanup_only: 'stages say what is done; a plan that only cleans up has only a cleanup stage',
    enabled: 'a prepare stage is always done',
  })
  return {
    objects,
    tree,
    strategy: fields.value('prepare_strategy', asPrepareStrategy, 'sequential or parallel', 'sequential'),
    skipVerification: fields.value('skip_verification', asBoolean, 'true or false', false),
    forceOverwrite: fields.value('force_overwrite', asBoolean, 'true or false', false),
    postDelayMs: fields.value('post_prepare_delay', parseDuration, 'a duration such as 2s', 0),
    cleanup: fields.value('cleanup', asBoolean, 'true or false', false),
    cleanupMode,
  }
}

export function readWorkload(source: PlanSource, items: readonly Fields[]): OpTemplate[] {
  return items.map((fields) => readOp(source, fields))
}

function readOp(source: PlanSource, fields: Fields): OpTemplate {
  const op = fields.value('op', asOp, `one of ${opNames.join(', ')}`, 'get')
  const path = fields.value('path', asText, 'a path or URI', '')
  const size = readSize(source, fields)
  if (op === 'put' && size === null)
    source.problem(fields.node, `${fields.path}: a put needs a size (object_size or size_spec)`)
  const template: OpTemplate = {
    path,
    spread: fields.value('use_multi_endpoint', asBoolean, 'true or false', false),
    op: {
      op,
      weight: fields.value('weight', parseCount, 'a whole number', 1),
      size: op === 'put' ? size : null,
      data: readData(source, fields),
      concurrency: fields.value('concurrency', positiveCount, 'a whole number above 0', null),
      rangeBytes: fields.value('range_size', positiveSize, 'a size above 0', null),
      partBytes: fields.value('part_size', positiveSize, 'a size above 0', null),
    },
  }
  fields.close()
  return template
}

function readObjects(source: PlanSource, fields: Fields, prefixShards: number): ObjectsTemplate {
  const template: ObjectsTemplate = {
    baseUri: readUri(source, fields, 'base_uri', true),
    spread: fields.value('use_multi_endpoint', asBoolean, 'true or false', false),
    set: {
      count: fields.value('count', parseCount, 'a whole number', 0),
      size: readSize(source, fields) ?? { kind: 'fixed', bytes: 1024 * 1024 },
      data: readData(source, fields),
      prefixShards,
    },
  }
  if (!fields.has('count')) source.problem(fields.node, `${fields.path}: count is missing`)
  fields.close()
  return template
}

/** Size and content of a tree's files: of the prepare section itself, else as those of the first objects. */
function treeFiles(source: PlanSource, fields: Fields, first: ObjectsTemplate | undefined): TreeFiles {
  const size = readSize(source, fields, ['file_size']) ?? first?.set.size ?? { kind: 'fixed', bytes: 1024 }
  const own = ['fill', 'dedup_factor', 'compress_factor'].some((key) => fields.has(key))
  return { size, data: own || first === undefined ? readData(source, fields) : first.set.data }
}

type TreeFiles = Pick<TreeSpec, 'size' | 'data'>

function readTree(fields: Fields, files: TreeFiles): Omit<TreeSpec, 'baseUris'> {
  const tree = {
    width: fields.value('width', positiveCount, 'a whole number above 0', 1),
    depth: fields.value('depth', positiveCount, 'a whole number above 0', 1),
    filesPerDir: fields.value('files_per_dir', parseCount, 'a whole number', 0),
    distribution: fields.value('distribution', asDistribution, 'bottom or all', 'bottom' as const),
    dirMask: fields.value('dir_mask', asText, 'a text such as d%d_w%d.dir', 'd%d_w%d.dir'),
    fileMask: fields.value('file_mask', asText, 'a text such as file_%08d.dat', 'file_%08d.dat'),
    ...files,
  }
  fields.close()
  return tree
}

const sizeKeys = ['object_size', 'size', 'size_spec', 'size_distribution']

/** `object_size`, `size`, `size_spec`, `size_distribution`, or `min_size` and `max_size`; null where none is given. */
function readSize(source: PlanSource, fields: Fields, keys: readonly string[] = sizeKeys): SizeSpec | null {
  for (const key of keys) {
    const field = fields.take(key)
    if (field === undefined) continue
    if (isMap(field.node)) {
      const inner = fields.map(key)
      return inner === undefined ? null : readDistribution(source, inner)
    }
    const bytes = fields.value(key, parseSize, 'a size such as 4KiB', null)
    return bytes === null ? null : { kind: 'fixed', bytes }
  }
  const min = fields.value('min_size', parseSize, 'a size such as 4KiB', null)
  const max = fields.value('max_size', parseSize, 'a size such as 4KiB', null)
  if (min === null && max === null) return null
  const [low, high] = [min ?? max ?? 0, max ?? min ?? 0]
  if (low > high) source.problem(fields.node, `${fields.path}: min_size is larger than max_size`)
  return low === high ? { kind: 'fixed', bytes: low } : { kind: 'uniform', min: low, max: high }
}

function readDistribution(source: PlanSource, fields: Fields): SizeSpec {
  const key = fields.has('dist') && !fields.has('type') ? 'dist' : 'type'
  const kind = fields.value(key, asSizeKind, 'uniform, lognormal or fixed', 'uniform' as const)
  const size = (key: string, fallback: number): number => fields.value(key, parseSize, 'a size such as 4KiB', fallback)
  const min = size('min', kind === 'uniform' ? 0 : 1)
  const max = size('max', kind === 'uniform' ? min : Number.MAX_SAFE_INTEGER)
  const mean = size('mean', min)
  const stdDev = size('std_dev', 0)
  const bytes = size(fields.has('bytes') ? 'bytes' : 'size', min)
  fields.close()
  if (min > max) source.problem(fields.node, `${fields.path}: min is larger than max`)
  if (kind === 'fixed') return { kind, bytes }
  if (kind === 'uniform') return { kind, min, max }
  if (mean <= 0) source.problem(fields.node, `${fields.path}: a lognormal size needs a mean above 0`)
  return { kind, mean, stdDev, min, max: Math.min(max, 1024 ** 5) }
}

function readData(_source: PlanSource, fields: Fields): DataSpec {
  return {
    fill: fields.value('fill', asFill, 'random, prand or zero', 'random' as const),
    dedupFactor: fields.value('dedup_factor', positiveCount, 'a whole number above 0', 1),
    compressFactor: fields.value('compress_factor', positiveCount, 'a whole number above 0', 1),
  }
}

export function readRate(fields: Fields | undefined): RateSpec {
  if (fields === undefined) return { opsPerSecond: null, arrivals: 'fixed' }
  const rate: RateSpec = {
    opsPerSecond: fields.value('iops', asRate, 'a number of ops a second, or max', null),
    arrivals: fields.value('distribution', asArrivals, 'exponential, uniform or deterministic', 'exponential' as const),
  }
  fields.close()
  return rate
}

export function expandObjects(templates: readonly ObjectsTemplate[], place: Place): ObjectSet[] {
  const some = templates.filter(({ set }) => set.count > 0)
  return some.map(({ baseUri, spread, set }) => ({ ...set, baseUris: basesOf(baseUri, spread, place) }))
}

/** A tree is made where the first objects are. */
export function expandTree(prepare: PrepareTemplate | null, place: Place): TreeSpec | null {
  if (prepare === null || prepare.tree === null) return null
  const first = prepare.objects[0]
  const spread = first?.spread ?? place.endpoints !== null
  return { ...prepare.tree, baseUris: basesOf(first?.baseUri ?? null, spread, place) }
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

export function asText(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined
}

function positiveSize(value: unknown): number | undefined {
  const bytes = parseSize(value)
  return bytes !== undefined && bytes > 0 ? bytes : undefined
}

function asOp(value: unknown): OpName | undefined {
  return opNames.find((name) => name === String(value).toLowerCase())
}

function asFill(value: unknown): DataSpec['fill'] | undefined {
  return value === 'zero' ? 'zero' : value === 'random' || value === 'prand' ? 'random' : undefined
}

function asSizeKind(value: unknown): SizeSpec['kind'] | undefined {
  if (value === 'constant') return 'fixed'
  return value === 'uniform' || value === 'lognormal' || value === 'fixed' ? value : undefined
}

function asDistribution(value: unknown): TreeSpec['distribution'] | undefined {
  return value === 'bottom' || value === 'all' ? value : undefined
}

function asStrategy(value: unknown): 'round_robin' | 'least_connections' | undefined {
  return value === 'round_robin' || value === 'least_connections' ? value : undefined
}

function asPrepareStrategy(value: unknown): PrepareTemplate['strategy'] | undefined {
  return value === 'sequential' || value === 'parallel' ? value : undefined
}

function asCleanupMode(value: unknown): PrepareTemplate['cleanupMode'] | undefined {
  if (value === 'besteffort') return 'best_effort'
  return value === 'strict' || value === 'tolerant' || value === 'best_effort' ? value : undefined
}

function asArrivals(value: unknown): RateSpec['arrivals'] | undefined {
  if (value === 'deterministic' || value === 'fixed') return 'fixed'
  return value === 'uniform' || value === 'exponential' ? value : undefined
}

/** Null for "max". */
function asRate(value: unknown): number | null | undefined {
  if (value === 'max') return null
  const rate = parseCount(value)
  return rate !== undefined && rate > 0 ? rate : rate === 0 ? null : undefined
}
