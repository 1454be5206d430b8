/** Data of the storage engine: the work of a stage, and what was measured. No behaviour here. */

export type OpName = 'get' | 'put' | 'stat' | 'list' | 'delete'

/** Object sizes in bytes. */
export type SizeSpec =
  | { readonly kind: 'fixed'; readonly bytes: number }
  | { readonly kind: 'uniform'; readonly min: number; readonly max: number }
  | {
      readonly kind: 'lognormal'
      readonly mean: number
      readonly stdDev: number
      readonly min: number
      readonly max: number
    }

/** What objects contain. Random data is incompressible and unique unless a factor above 1 asks otherwise. */
export interface DataSpec {
  readonly fill: 'random' | 'zero'
  readonly dedupFactor: number
  readonly compressFactor: number
}

/** How members share objects of a prepare (sai3-bench's `tree_creation_mode`). */
export type SharingMode = 'isolated' | 'coordinator' | 'concurrent'

/** Which of the objects a member's workload touches (sai3-bench's `path_selection`). */
export type PathSelection = 'random' | 'partitioned' | 'exclusive' | 'weighted'

/** One `ensure_objects` entry: `count` objects named `<baseUri>prepared-<8 digits>.dat` unless a tree is given. */
export interface ObjectSet {
  /** One base, or several when the set is spread over endpoints (round robin by object number). */
  readonly baseUris: readonly string[]
  readonly count: number
  readonly size: SizeSpec
  readonly data: DataSpec
  /** `key_prefix_shards`: objects are spread over this many prefix folders; 1 for none. */
  readonly prefixShards: number
  /** First part of the names; `prepared` when left out. A separate `deletable` set keeps deletes away from gets. */
  readonly namePrefix?: string
}

/** `directory_structure`: a tree of `width` folders a level, `depth` levels, `filesPerDir` files in each chosen folder. */
export interface TreeSpec {
  readonly baseUris: readonly string[]
  readonly width: number
  readonly depth: number
  readonly filesPerDir: number
  readonly distribution: 'bottom' | 'all'
  readonly dirMask: string
  readonly fileMask: string
  readonly size: SizeSpec
  readonly data: DataSpec
}

export interface WorkloadOp {
  readonly op: OpName
  readonly weight: number
  /** Absolute URIs with the path as in the plan; may end with a glob (`*`) or a folder (`/`). One per endpoint. */
  readonly uris: readonly string[]
  /** For put. */
  readonly size: SizeSpec | null
  readonly data: DataSpec
  /** Lanes of this op alone; null: shares the stage's lanes. */
  readonly concurrency: number | null
  /** Bytes read at a random aligned offset by a get; null: the whole object. */
  readonly rangeBytes: number | null
  /** Part size of a multipart upload (put to s3); null: single put up to the backend's limit. */
  readonly partBytes: number | null
  /** Put: names are spread over this many prefix folders; 1 or left out for none. */
  readonly prefixShards?: number
}

/** Open-loop pacing over all lanes of one agent; null ops means as fast as possible. */
export interface RateSpec {
  readonly opsPerSecond: number | null
  readonly arrivals: 'fixed' | 'uniform' | 'exponential'
}

/** What ends or slows down a workload on an agent, errors of its warm-up included. */
export interface ErrorLimitSpec {
  /** So many errors end the stage, which has failed; null: no number does. */
  readonly total: number | null
  /** At so many errors a second, lanes that meet one pause for `backoffMs`; null: they never do. */
  readonly perSecond: number | null
  /** What a rate of errors is counted over. */
  readonly windowMs: number
  readonly backoffMs: number
}

/** A workload does an operation again that failed. Pauses between attempts are part of its latency. */
export interface RetrySpec {
  /** Attempts after the first one. */
  readonly max: number
  readonly firstMs: number
  /** Each pause is so many times as long as the one before. */
  readonly factor: number
  readonly longestMs: number
  /** 0..1: the share of itself that a pause may be shorter or longer by. */
  readonly jitter: number
}

export interface ValidationWork {
  readonly type: 'validation'
  /** Every place the plan will touch, and whether it will be written. */
  readonly targets: readonly { readonly uri: string; readonly writes: boolean }[]
  /** Bytes that the whole plan will store at most, for the free-space check; 0 when unknown. */
  readonly bytesNeeded: number
  /** What the plan's custom stages run. */
  readonly commands: readonly string[]
}

export interface PrepareWork {
  readonly type: 'prepare'
  readonly objects: readonly ObjectSet[]
  readonly trees: readonly TreeSpec[]
  readonly sharing: SharingMode
  readonly concurrency: number
  /** Objects that are already there are kept; checked unless skipped. */
  readonly skipVerification: boolean
  readonly forceOverwrite: boolean
  readonly strategy: 'sequential' | 'parallel'
  /** Pause after the work, ms; not part of its figures. */
  readonly postDelayMs: number
}

export interface ExecuteWork {
  readonly type: 'execute' | 'hybrid'
  readonly ops: readonly WorkloadOp[]
  readonly concurrency: number
  /** Null only for hybrid without a duration. */
  readonly durationMs: number | null
  /** Ops of all lanes of this agent after which a hybrid stage ends; null: no limit. */
  readonly opsMax: number | null
  readonly warmupMs: number
  readonly rate: RateSpec
  readonly pathSelection: PathSelection
  /** Share of ops that leave the own partition, for `partitioned` and `weighted`; 0.3 when left out. */
  readonly partitionOverlap?: number
  /** What the plan's prepare stages name, so that globs over them need no listing. */
  readonly prepared: readonly ObjectSet[]
  readonly trees: readonly TreeSpec[]
  readonly sharing: SharingMode
  readonly endpointStrategy: 'round_robin' | 'least_connections'
  /** Gets and stats also choose from what their lane has put meanwhile, where their pattern covers it. */
  readonly dynamicPutPool?: boolean
  /** Compare what gets return with what was written. */
  readonly verify: boolean
  readonly opTimeoutMs: number
  /** Null or left out: errors are counted, and change nothing. */
  readonly errorLimits?: ErrorLimitSpec | null
  /** Null or left out: an operation that failed is an error. */
  readonly retries?: RetrySpec | null
  readonly perfLogIntervalMs: number
}

export interface CleanupWork {
  readonly type: 'cleanup'
  /** Deletes what these name, and what this run's put ops wrote (`putUris`); nothing else. */
  readonly objects: readonly ObjectSet[]
  readonly trees: readonly TreeSpec[]
  readonly putUris: readonly string[]
  readonly sharing: SharingMode
  readonly concurrency: number
  readonly mode: 'strict' | 'tolerant' | 'best_effort'
}

export interface CustomWork {
  readonly type: 'custom'
  readonly command: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly timeoutMs: number | null
}

export type StageWork = ValidationWork | PrepareWork | ExecuteWork | CleanupWork | CustomWork

/** Who does the work, and as which share of it. */
export interface StageContext {
  readonly run: string
  readonly plan: number
  readonly stage: string
  readonly sequence: number
  /** This agent's name and its position among `agents` (the members of this stage, same order on every member). */
  readonly agent: string
  readonly agentIndex: number
  readonly agents: readonly string[]
  /** Same on all members, so that all choose the same objects and contents. */
  readonly seed: number
}

/** One op in one size bucket on one agent (or merged over agents). Latencies in nanoseconds. */
export interface OpStats {
  readonly op: OpName
  /** Label as sai3-bench prints it: "zero", "1B-8KiB", "8KiB-64KiB", ... */
  readonly bucket: string
  readonly bucketIndex: number
  readonly count: number
  readonly bytes: number
  readonly errors: number
  /** Sum of all latencies, ns, for an exact mean. */
  readonly totalNs: number
  /** HDR histogram (V2, compressed, base64) of nanoseconds. */
  readonly histogram: string
}

/** Operations of one kind in one interval. */
export interface GroupSample {
  readonly ops: number
  readonly bytes: number
  readonly meanNs: number
  readonly p50Ns: number
  readonly p90Ns: number
  readonly p99Ns: number
}

/** One row a second (or `perfLogIntervalMs`); operations of the warm-up are in it. */
export interface PerfSample {
  /** Seconds since the stage's clock started, end of the interval. */
  readonly second: number
  readonly ops: number
  readonly bytes: number
  readonly errors: number
  readonly p50Ns: number
  readonly p99Ns: number
  readonly get: GroupSample
  readonly put: GroupSample
  /** Stat, list, delete. */
  readonly meta: GroupSample
  /** Whether some of it was done before the measurement began. */
  readonly warm: boolean
  /** Shares of the machine's time meanwhile, 0..1; null where it cannot be read. */
  readonly cpu: { readonly user: number; readonly system: number; readonly iowait: number } | null
}

/** How figures were taken, and how busy the engine was with it. */
export interface Measuring {
  /** Under rate control from the intended start: what waits for a slow operation before it is not hidden. */
  readonly latencyFrom: 'start' | 'intended_start'
  /** What one look at the clock takes, ns: part of every latency. 0 when nothing was measured. */
  readonly clockReadNs: number
  readonly lanes: number
  /** Share of the lanes' time in operations, 0..1; the rest is the engine's own. */
  readonly busyShare: number
  /** Operations of the lanes that did the fewest and the most. */
  readonly laneOpsMin: number
  readonly laneOpsMax: number
  /** Worst delay of an operation behind its intended start, ms; 0 without rate control. */
  readonly lagMs: number
  /** Operations that took longer than allowed; each is among the errors. */
  readonly timedOut: number
  /** Time that this agent stood still for (paused, or without CPU), ms. */
  readonly stalledMs: number
  /** What all lanes had done when the first of them ended: later figures contain lanes without work. */
  readonly firstDone: { readonly ops: number; readonly bytes: number }
}

export interface StageResult {
  readonly status: 'ok' | 'failed'
  /** Why it failed, for people; empty when ok. */
  readonly reason: string
  readonly code: string
  /** Own clock, ms (fractional), when the stage's work began and ended; waiting at barriers is outside. */
  readonly startedAt: number
  readonly endedAt: number
  /** Measured seconds (warm-up apart). */
  readonly seconds: number
  readonly stats: readonly OpStats[]
  readonly warmup: { readonly ops: number; readonly bytes: number; readonly errors: number }
  readonly perf: readonly PerfSample[]
  /** Objects made, deleted, found; lanes that ended first and last, seconds. */
  readonly objects: {
    readonly created: number
    readonly existed: number
    readonly deleted: number
    readonly missing: number
  }
  /**
   * Requests to a remote storage that were repeated, as its clients do, and operations that the plan wants to be; each
   * operation counts once all the same.
   */
  readonly repeated: number
  readonly firstLaneDoneSeconds: number
  readonly lastLaneDoneSeconds: number
  readonly measuring: Measuring
  /** Share of the machine and of this process in use meanwhile, 0..1 of all cores; null where it cannot be read. */
  readonly cpu: { readonly host: number | null; readonly process: number | null }
  /** First few error messages with their counts. */
  readonly errorSamples: readonly { readonly message: string; readonly count: number }[]
  /** Figures that must not be read as a plain success ("engine was saturated", "cancelled", ...). */
  readonly warnings: readonly string[]
  /** What held the figures back other than the storage: they are complete, but may show this machine. */
  readonly limits: readonly string[]
  /** Last 64 KiB of a custom command's output; empty otherwise. */
  readonly output: string
  readonly exitCode: number | null
}

/** What an agent reports while it works, at most every 200 ms. */
export interface StageProgress {
  readonly seconds: number
  readonly ops: number
  readonly bytes: number
  readonly errors: number
  /** Over the last interval. */
  readonly opsPerSecond: number
  readonly bytesPerSecond: number
  readonly p99Ns: number
  /** 0..1 of the stage, null when unknown. */
  readonly done: number | null
}

/** What this node's operator allows. */
export interface Containment {
  /** URI prefixes, already resolved. */
  readonly allow: readonly string[]
  readonly allowExec: boolean
  /** `allow` is narrowed to where this plan's objects were when it first used them. */
  readonly ownOnly?: boolean
}

export interface RunOptions {
  /** Own clock in ms, see `clock.ts`; in the past: at once. */
  readonly startAt: number
  readonly signal: AbortSignal
  readonly onStarted?: (at: number) => void
  readonly onProgress?: (progress: StageProgress) => void
}

/** A stage that is ready to start: lanes are up, nothing was touched yet. */
export interface ArmedStage {
  /**
   * Starts at `startAt` and runs to its end. Never rejects for a failing stage: that is a result with status `failed`,
   * with what was measured until then. An aborted signal ends it within a second with status `failed` and code
   * `CANCELLED`.
   */
  run(options: RunOptions): Promise<StageResult>
}

/** Lanes live as long as the engine: one engine a plan. */
export interface Engine {
  arm(work: StageWork, context: StageContext): Promise<ArmedStage>
  close(): Promise<void>
}
