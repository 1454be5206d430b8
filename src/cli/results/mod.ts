/** What a run leaves behind: the result folder, written as decisions come in, and read back. */

export { agentFolder, checkWritable, makeFolder, safeName, writeWhole } from './files.ts'
export type { Latency } from './latency-log.ts'
export { OBSERVATIONS_MAX, type Observation, observationOf, observationSchema } from './observed.ts'
export { openResults } from './open.ts'
export type { PerfRow } from './perf-log.ts'
export { type ResultFolder, readResults, readSummary } from './read.ts'
export { rebuildResults, rewindResults } from './rebuild.ts'
export { type DecisionLine, PlanRecord } from './record.ts'
export { type PlanEnd, ResultsSoFar } from './so-far.ts'
export { startSpreadOf } from './start-spread.ts'
export { type Figures, type RunSummary, type StageSummary, summarySchema } from './summary.ts'
export type * from './types.ts'
