/** Results for people. */

export { renderTable } from './table.ts'
