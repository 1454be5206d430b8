/**
 * Plans and results from code: check a plan before it is handed in, read what a run left behind.
 *
 * ```ts
 * const plan = parsePlan(text, 'plan.yaml')
 * console.log(renderTable(await readSummary('results/my-run-1-20260101T000000Z')))
 * ```
 */

export * from './plan/mod.ts'
export * from './report/mod.ts'
export * from './results/mod.ts'
