/**
 * What a report shows, whoever shows it: a page made from a result folder, or one that follows a run. Data only, so that
 * the page's own code can be checked against it. Times are seconds after `origin`, on one clock, unless named otherwise.
 */

export interface ReportData {
  readonly format: 1
  /** Version of the program that made it. */
  readonly madeBy: string
  readonly run: string
  readonly plan: number
  readonly hash: string
  readonly status: 'running' | 'completed' | 'aborted' | 'quorum_lost' | 'excluded'
  readonly reason: string
  readonly unilateral: boolean
  /** `clean` only when every figure contains the whole work of every agent. */
  readonly verdict: 'running' | 'clean' | 'degraded' | 'failed'
  /** When the first stage was to start: UTC, ms, in the clock of the first leader. */
  readonly origin: number
  /** Until the last thing that is known to have happened. */
  readonly seconds: number
  readonly agents: readonly ReportAgent[]
  /** Stages that were decided, in order. */
  readonly stages: readonly ReportStage[]
  /** Names of all stages of the plan, in order; empty where the plan cannot be read. */
  readonly planned: readonly string[]
  /** The stage that runs now, which a page that follows a run adds; null in a result folder. */
  readonly open: OpenStage | null
  readonly leaders: readonly LeaderPeriod[]
  /** In the order of time. */
  readonly events: readonly ReportEvent[]
  readonly series: readonly StageSeries[]
  readonly curves: readonly LatencyCurve[]
  /** As submitted. */
  readonly yaml: string
  /** What a reader must know before believing a figure; most important first. */
  readonly warnings: readonly string[]
  /** How figures were made: clocks, resolution, bounds. */
  readonly notes: readonly string[]
}

/** `stopped`: at work when the plan was aborted; `unknown`: nothing was heard of its last stage. */
export type Fate = 'took_part' | 'lost' | 'excluded' | 'failed' | 'stopped' | 'unknown'

export interface ReportAgent {
  readonly name: string
  readonly fate: Fate
  /** What became of it, as a sentence; empty for one that took part to the end. */
  readonly fateText: string
  /** Sequences of the stages whose results it delivered. */
  readonly delivered: readonly number[]
  readonly machine: Machine | null
  readonly spans: readonly Span[]
  readonly marks: readonly Mark[]
}

export interface Machine {
  readonly version: string
  readonly runtime: string
  readonly host: string
  readonly system: string
  readonly cores: number
  readonly cpu: string | null
  readonly memoryBytes: number | null
}

/**
 * One stretch of an agent's lane. `work`, `failed` and `partial` (it was stopped): its stage; `wait`: at the barrier after it;
 * `silent`: nothing is known of what it did; `open`: it is at work now.
 */
export interface Span {
  readonly kind: 'work' | 'failed' | 'partial' | 'wait' | 'silent' | 'open'
  readonly sequence: number
  readonly from: number
  readonly to: number
  readonly text: string
}

export interface Mark {
  readonly kind: 'lost' | 'excluded' | 'failed' | 'late'
  readonly at: number
  readonly text: string
}

export interface ReportStage {
  readonly sequence: number
  readonly name: string
  readonly type: string
  readonly policy: 'all_or_nothing' | 'majority' | 'best_effort'
  readonly outcome: 'complete' | 'degraded' | 'failed' | 'aborted'
  readonly unilateral: boolean
  readonly leader: string
  readonly term: number
  readonly members: readonly string[]
  /** Whose whole work the figures contain, and whose as far as it came. */
  readonly counted: readonly string[]
  readonly partial: readonly string[]
  readonly missing: readonly string[]
  readonly excluded: readonly { readonly name: string; readonly reason: string }[]
  readonly notes: readonly string[]
  /** From the agreed start to the release of its barrier. */
  readonly from: number
  readonly to: number
  /** Between the first and the last member's start, late ones apart, ms; null for fewer than two. */
  readonly startSpreadMs: number | null
  /** From the first ready to the proposal of the release, ms. */
  readonly waitedMs: number
  /** Of the slowest agent: what rates are reckoned with. */
  readonly seconds: number
  readonly ops: readonly OpFigures[]
  readonly agents: readonly AgentFigures[]
}

export interface OpFigures {
  readonly op: string
  readonly count: number
  readonly bytes: number
  readonly errors: number
  readonly opsPerSecond: number
  readonly mibPerSecond: number
  readonly meanUs: number
  readonly minUs: number
  readonly p50Us: number
  readonly p90Us: number
  readonly p95Us: number
  readonly p99Us: number
  readonly p999Us: number
  readonly maxUs: number
}

export interface AgentFigures {
  readonly name: string
  readonly status: 'ok' | 'failed'
  readonly reason: string
  readonly late: boolean
  readonly partial: boolean
  readonly from: number
  readonly to: number
  readonly seconds: number
  readonly ops: readonly OpFigures[]
  readonly warnings: readonly string[]
  readonly errors: readonly { readonly message: string; readonly count: number }[]
  readonly exitCode: number | null
  readonly cpu: { readonly host: number | null; readonly process: number | null }
}

export interface OpenStage {
  readonly sequence: number
  readonly name: string
  readonly type: string
  readonly from: number
  readonly expectedSeconds: number | null
  readonly agents: readonly OpenAgent[]
}

export interface OpenAgent {
  readonly name: string
  readonly state: 'working' | 'ready' | 'failed' | 'dead' | 'excluded'
  /** Null before its first report of this stage. */
  readonly progress: {
    readonly ops: number
    readonly errors: number
    readonly opsPerSecond: number
    readonly mibPerSecond: number
    readonly p99Us: number
    /** 0..1; null while nobody knows. */
    readonly done: number | null
  } | null
}

export interface LeaderPeriod {
  readonly name: string
  readonly term: number
  readonly from: number
  /** Null: to the end. */
  readonly to: number | null
  /** First sequence that it decided; null where it decided none. */
  readonly fromSequence: number | null
  /** Whether the beginning was seen; else it is that of its first decision. */
  readonly seen: boolean
  /** Why it ended; empty where that is not known. */
  readonly lostReason: string
}

export interface ReportEvent {
  readonly at: number
  readonly weight: 'plain' | 'warning' | 'bad'
  readonly text: string
}

/** Throughput and latency of a stage in intervals of equal length; the last one may be shorter. */
export interface StageSeries {
  readonly sequence: number
  readonly from: number
  readonly to: number
  readonly step: number
  readonly agents: readonly AgentSeries[]
}

/** A value an interval; percentiles are the highest of those that overlap it, null for none. */
export interface AgentSeries {
  readonly name: string
  readonly opsPerSecond: readonly number[]
  readonly mibPerSecond: readonly number[]
  readonly errors: readonly number[]
  readonly p50Us: readonly (number | null)[]
  readonly p99Us: readonly (number | null)[]
}

/** Latencies by percentile: `us[i]` is not exceeded by a share of 1 - 10^(-i / CURVE_STEPS); the last one is the highest. */
export interface LatencyCurve {
  readonly sequence: number
  readonly op: string
  /** Null: all agents together. */
  readonly agent: string | null
  readonly count: number
  readonly us: readonly number[]
}

/** Points of a curve for each further nine of its percentiles. */
export const CURVE_STEPS = 10
