/** Results for people. */

export { reportOf } from './data.ts'
export { type PageOptions, renderPage } from './page.ts'
export { renderTable } from './table.ts'
export type * from './types.ts'
export { reportPage, writeReport } from './write.ts'
