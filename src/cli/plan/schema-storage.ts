/** Keys of plans about storage: objects to make, and the workload on them. */

import { z } from 'zod'
import type { SizeSpec } from '../../io/mod.ts'
import { count, duration, flag, ignored, notThis, oneOf, path, rate, size, text, typeIn, uri } from './schema-values.ts'

/** The most objects that a plan may name: their numbers stay exact, also multiplied by a stride. */
export const objectsMax = 1_000_000_000_000
const factorMax = 1_000_000
const weightMax = 1_000_000_000
/** As many lanes as an agent can have at all; the engine may use fewer, and says so. */
export const lanesMax = 65_536
/** More than any list of addresses that was written by hand. */
const endpointsMax = 256
const entriesMax = 1000

const bytes = { fixed: (value: number): SizeSpec => ({ kind: 'fixed', bytes: value }) }

const uniformRange = { min: size(), max: size() }
const lognormalRange = {
  mean: size(1).describe('Mean size.'),
  std_dev: size().prefault(0).describe('Standard deviation of sizes.'),
  min: size().prefault(1).describe('Smaller sizes are made this large.'),
  max: size().prefault('1 PiB').describe('Larger sizes are made this small.'),
}

interface Range {
  readonly min: number
  readonly max: number
}

function ordered<T extends Range>(range: T, context: z.core.$RefinementCtx): T {
  if (range.min <= range.max) return range
  context.addIssue({ code: 'custom', message: 'min is larger than max' })
  return z.NEVER
}

const uniform = z
  .strictObject({ type: z.literal('uniform'), ...uniformRange })
  .transform((range, context): SizeSpec => ({ kind: 'uniform', ...bounds(ordered(range, context)) }))
const lognormal = z
  .strictObject({ type: z.literal('lognormal'), ...lognormalRange })
  .transform((range, context): SizeSpec => lognormalSpec(ordered(range, context)))
const constant = z
  .strictObject({ type: z.literal(['fixed', 'constant']), size: size() })
  .transform((spec): SizeSpec => bytes.fixed(spec.size))

function bounds({ min, max }: Range): Range {
  return { min, max }
}

function lognormalSpec(range: Range & { mean: number; std_dev: number }): SizeSpec {
  return { kind: 'lognormal', mean: range.mean, stdDev: range.std_dev, ...bounds(range) }
}

const wrongType = ({ input }: { readonly input?: unknown }): string =>
  notThis('uniform, lognormal or fixed', typeIn(input))

const sizeDistribution = z.union(
  [
    size().transform(bytes.fixed),
    z.discriminatedUnion('type', [uniform, lognormal, constant], { error: wrongType }),
    z.strictObject({ fixed: size() }).transform((spec): SizeSpec => bytes.fixed(spec.fixed)),
    z
      .strictObject({ uniform: z.strictObject(uniformRange) })
      .transform((spec, context): SizeSpec => ({ kind: 'uniform', ...bounds(ordered(spec.uniform, context)) })),
    z
      .strictObject({ lognormal: z.strictObject(lognormalRange) })
      .transform((spec, context): SizeSpec => lognormalSpec(ordered(spec.lognormal, context))),
  ],
  { error: ({ input }) => notThis('a size such as 4KiB, or a mapping with type uniform, lognormal or fixed', input) },
)

const fileSize = z.union([
  sizeDistribution,
  z
    .strictObject({ dist: z.literal('uniform'), ...uniformRange })
    .transform((range, context): SizeSpec => ({ kind: 'uniform', ...bounds(ordered(range, context)) })),
])

/** Sizes, in any of the spellings. The most specific one counts; `sizeOf` says so where there are several. */
const sizes = {
  size_spec: sizeDistribution.optional().describe('Size of each object: fixed, uniform or lognormal.'),
  size_distribution: sizeDistribution.optional().describe('The same as size_spec.'),
  object_size: size().optional().describe('One size for all objects.'),
  size: size().optional().describe('The same as object_size.'),
  min_size: size().optional().describe('Sizes are spread evenly from here.'),
  max_size: size().optional().describe('Sizes are spread evenly up to here.'),
}

const fill = oneOf(['random', 'prand', 'zero']).transform((kind) => (kind === 'zero' ? 'zero' : 'random'))
const factor = count(1, factorMax)

const content = {
  fill: fill
    .prefault('random')
    .describe('What objects contain: random bytes that no storage can compress, or zeros. prand is random.'),
  dedup_factor: factor.prefault(1).describe('One of so many blocks is unique.'),
  compress_factor: factor.prefault(1).describe('How far objects can be compressed, as N to 1.'),
}

const objects = z.strictObject({
  base_uri: path()
    .optional()
    .describe('Folder in which objects are made; below the target, or else the target itself.'),
  count: count(0, objectsMax).describe(
    'Objects that must be there; with a directory_structure 0, or all of its files.',
  ),
  ...sizes,
  ...content,
  use_multi_endpoint: flag().prefault(false).describe('Objects are spread over the endpoints of multi_endpoint.'),
})

/** Part of a file name: what it is filled with must not lead out of its folder. */
function mask(numbers: number) {
  const expected = `a file name with ${numbers === 1 ? 'a number' : 'two numbers'} such as %d or %08d in it`
  return text(expected, 200).refine(
    (value) => !value.includes('/') && (value.match(/%0?\d{0,2}d/g) ?? []).length >= numbers,
    { error: ({ input }) => notThis(`${expected} and no slash`, input) },
  )
}

const tree = z.strictObject({
  width: count(1, 1_000_000).describe('Folders in each folder.'),
  depth: count(1, 32).describe('Levels of folders.'),
  files_per_dir: count(0, 100_000_000).prefault(0).describe('Files in each folder that has files.'),
  distribution: oneOf(['bottom', 'all'])
    .prefault('bottom')
    .describe('Folders with files: those of the lowest level, or all.'),
  dir_mask: mask(2)
    .prefault('sai3bench.d%d_w%d.dir')
    .describe('Names of folders: level, and number within the folder.'),
  file_mask: mask(1).prefault('file_%08d.dat').describe('Names of files: their number.'),
})

/** What a prepare makes: the section `prepare`, or a prepare stage of its own. */
export const prepareKeys = {
  ensure_objects: z.array(objects).max(entriesMax).prefault([]).describe('Sets of objects that must be there.'),
  directory_structure: tree
    .optional()
    .describe('A tree of folders below the first base_uri; its files have the sizes and the content of that entry.'),
  prepare_strategy: oneOf(['sequential', 'parallel'])
    .prefault('sequential')
    .describe('One entry after the other, or objects of all entries mixed.'),
  skip_verification: flag()
    .prefault(false)
    .describe('Nothing is looked at or made: objects are taken to be there (unless force_overwrite makes them).'),
  force_overwrite: flag().prefault(false).describe('Every object is written, whether it is there or not.'),
  post_prepare_delay: duration()
    .prefault(0)
    .describe('Pause after objects were made, for storage that shows them late.'),
  key_prefix_shards: count(0, 65_536)
    .prefault(0)
    .describe('Spreads prepared and put objects over so many prefixes 00/, 01/, ...; 0: none.'),
  cleanup: flag().prefault(false).describe('A file without stages gets a cleanup stage.'),
  cleanup_only: flag()
    .prefault(false)
    .describe('A file without stages gets only validation and cleanup: what an interrupted run left is deleted.'),
  cleanup_mode: oneOf(['strict', 'tolerant', 'best_effort', 'besteffort'])
    .transform((mode) => (mode === 'besteffort' ? 'best_effort' : mode))
    .prefault('tolerant')
    .describe('What fails a cleanup: any error, any but missing objects, none.'),
  enabled: ignored('a prepare stage is always done', true),
}

export const prepareSection = z.strictObject({
  ...prepareKeys,
  file_size: fileSize.optional().describe('Older spelling: size of the files of a directory_structure.'),
  fill: fill.optional().describe('Older spelling: content of the files of a directory_structure.'),
  dedup_factor: factor.optional().describe('Older spelling: the same for their dedup_factor.'),
  compress_factor: factor.optional().describe('Older spelling: the same for their compress_factor.'),
})

/** Keys of an op that only some ops use; the others say that they do not. */
export const opsOfKey: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries([...Object.keys(sizes), ...Object.keys(content), 'part_size'].map((key) => [key, ['put']])),
  range_size: ['get'],
  recursive: ['rmdir'],
}

export const workload = z
  .array(
    z.strictObject({
      op: oneOf(['get', 'put', 'stat', 'list', 'delete', 'mkdir', 'rmdir']).describe(
        'What is done. mkdir and rmdir are not done: folders come and go with their objects.',
      ),
      path: path()
        .prefault('')
        .describe('Objects of a get, stat or delete, with * and ? in names; folder of a put or list.'),
      weight: count(0, weightMax).prefault(1).describe('How often, in proportion to the weights of the other ops.'),
      concurrency: count(1, lanesMax).optional().describe('Lanes of this op alone.'),
      ...sizes,
      ...content,
      range_size: size(1)
        .optional()
        .describe('Bytes that a get reads, at a random multiple of this; left out, the whole object.'),
      part_size: size(1).optional().describe('Bytes of each part of a multipart upload (s3).'),
      recursive: flag().prefault(false).describe('Of an rmdir, which is not done.'),
      use_multi_endpoint: flag().prefault(false).describe('The op takes turns at the endpoints of multi_endpoint.'),
    }),
  )
  .max(entriesMax)

export const multiEndpoint = z.strictObject({
  strategy: oneOf(['round_robin', 'least_connections'])
    .prefault('round_robin')
    .describe(
      'How endpoints are chosen: they take turns; least_connections (S3 only): the one with the least under way.',
    ),
  endpoints: z
    .array(uri())
    .min(1)
    .max(endpointsMax)
    .describe('URIs at which the same objects are seen: mount points, or addresses of one S3 server.'),
})

export const ioRate = z.strictObject({
  iops: rate().prefault('max').describe('Operations a second of each agent, over all its lanes; 0 and max: no limit.'),
  distribution: oneOf(['exponential', 'uniform', 'deterministic', 'fixed'])
    .transform((kind) => (kind === 'exponential' ? kind : 'fixed'))
    .prefault('exponential')
    .describe('Pauses between operations: as of independent clients, or (the others) all the same.'),
})

export type WrittenObjects = z.output<typeof objects>
export type WrittenPrepare = z.output<z.ZodObject<typeof prepareKeys>> & Partial<z.output<typeof prepareSection>>
export type WrittenOp = z.output<typeof workload>[number]
export type WrittenSizes = Partial<Pick<WrittenOp, keyof typeof sizes>>
