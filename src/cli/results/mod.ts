/** What a run leaves behind: the result folder, written as decisions come in, and read back. */

export { checkWritable, safeName } from './files.ts'
export { OBSERVATIONS_MAX, type Observation, observationOf, observationSchema } from './observed.ts'
export { openResults } from './open.ts'
export { type ResultFolder, readResults, readSummary } from './read.ts'
export { type PlanEnd, ResultsSoFar } from './so-far.ts'
export { type Figures, type RunSummary, type StageSummary, summarySchema } from './summary.ts'
export type * from './types.ts'
