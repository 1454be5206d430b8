/** What the engine and its lane threads tell each other. Plain data. */

import type { S3Settings } from '../stores/s3/settings.ts'
import type { CleanupWork, Containment, ExecuteWork, PrepareWork, StageContext } from '../types.ts'

/** Work that lanes do; validation and commands need none. */
export type LaneWork = PrepareWork | ExecuteWork | CleanupWork

/** Objects of one collection that a pattern matched: all, or those listed. */
export interface SourcePart {
  readonly collection: number
  readonly numbers: Uint32Array | null
}

/** Where an op of a workload takes its objects from; decided by the engine, the same for all lanes. */
export type Source =
  | {
      readonly kind: 'collections'
      readonly parts: readonly SourcePart[]
      /** The stage both reads and deletes these: see `rangeFor`. */
      readonly mixed: boolean
      /** Objects have the sizes that the plan says: no put replaces them. */
      readonly sized: boolean
    }
  | { readonly kind: 'listing'; readonly listing: number }
  | { readonly kind: 'fresh' }
  | { readonly kind: 'folders' }

/** Names that a listing found, in shared memory: UTF-8 texts one after another, `<base>/<path>` by offsets. */
export interface Listing {
  readonly bases: readonly string[]
  readonly count: number
  readonly text: SharedArrayBuffer
  /** `count + 1` offsets into `text`. */
  readonly offsets: SharedArrayBuffer
  /** Index into `bases` of each name. */
  readonly baseOf: SharedArrayBuffer
}

export interface LaneSeat {
  /** Position among the lanes of the stage. */
  readonly index: number
  /** Positions of the ops that this lane does; ignored by other stages. */
  readonly ops: readonly number[]
  readonly board: SharedArrayBuffer
}

/** What the log of operations shares with a thread. */
export interface OpLogLink {
  /** BigInt64 [0]: rows of all lanes, over all stages of the plan. */
  readonly counter: SharedArrayBuffer
  /** Int32 [0]: chunks of rows that this thread has sent and that are not written yet. */
  readonly pending: SharedArrayBuffer
}

export interface Job {
  readonly kind: 'job'
  readonly id: number
  readonly work: LaneWork
  readonly context: StageContext
  readonly containment: Containment
  /** Lanes of the whole stage. */
  readonly lanes: number
  /** Threads of the whole stage: a lane is on the one that its index modulo these says. */
  readonly threads: number
  /** Lanes of this thread: one for files, many for stores that need no thread an operation. */
  readonly seats: readonly LaneSeat[]
  readonly slots: number
  /** Stores answer with promises: the thread must not be blocked. */
  readonly isAsync: boolean
  /** Null where nothing is on S3. */
  readonly s3: S3Settings | null
  /** CONTROL positions, Int32. */
  readonly control: SharedArrayBuffer
  /**
   * Float64. [0]: when to start, engine's clock, ms. [1 + lane]: engine's clock minus that of the lane's thread, ms.
   */
  readonly clock: SharedArrayBuffer
  /** Int32 counters that lanes share out work by: [0] of a prepare or cleanup, [op] of a workload. */
  readonly cursors: SharedArrayBuffer
  readonly sources: readonly Source[]
  readonly listings: readonly Listing[]
  /** Objects of a collection (by its id) that earlier stages consumed on this agent. */
  readonly consumed: Readonly<Record<string, number>>
  /** Open files that a lane may keep, a power of two. */
  readonly handles: number
  /** Null where operations are not logged. */
  readonly opLog: OpLogLink | null
  /** Engine's clock when this was sent, ms. */
  readonly sentAt: number
}

export type ToThread =
  | Job
  | { readonly kind: 'ping'; readonly sentAt: number }
  | { readonly kind: 'stop'; readonly id: number }

export interface ErrorCount {
  readonly key: string
  readonly message: string
  readonly count: number
}

/** `at`: the thread's clock when it was sent, ms; with `sentAt` both bound the difference of the clocks. */
export type FromThread =
  | { readonly kind: 'pong'; readonly at: number; readonly sentAt: number }
  | { readonly kind: 'ready'; readonly id: number; readonly at: number; readonly receivedAt: number }
  | { readonly kind: 'error'; readonly id: number; readonly lane: number; readonly error: ErrorCount }
  | { readonly kind: 'rows'; readonly id: number; readonly text: string }
  | {
      readonly kind: 'done'
      readonly id: number
      /** Totals of this thread; the counts replace those that were sent before. */
      readonly errors: readonly ErrorCount[]
      readonly warnings: readonly string[]
      /** What held this thread's lanes back other than the storage. */
      readonly limits: readonly string[]
      /** Set when the stage must fail; the code of an IoError or of the system. */
      readonly failure: { readonly code: string; readonly message: string } | null
    }
