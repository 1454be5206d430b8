/** Results for people. */

export { type Comparison, compareRuns, renderComparison } from './compare.ts'
export { reportOf } from './data.ts'
export type * from './now.ts'
export { type PageOptions, renderPage } from './page.ts'
export { renderTable } from './table.ts'
export type * from './types.ts'
export { reportPage, writeComparison, writeReport } from './write.ts'
