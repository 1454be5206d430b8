/** What tracing is given, and what it gives. */

import type { Log } from '../log.ts'

export interface TracingOptions {
  readonly env: NodeJS.ProcessEnv
  readonly runId: string
  readonly peer: string
  /** For what goes wrong with the export, which changes nothing else. */
  readonly log: Log
}

export interface Tracing {
  /** Like the log that it was made with; spans are made of what passes. */
  readonly log: Log
  /** Sends what there is, and gives up soon. */
  close(): Promise<void>
}
