import { expect, it } from 'vitest'
import { compareRuns, renderComparison } from '../../src/cli/report/mod.ts'
import { ResultsSoFar } from '../../src/cli/results/mod.ts'
import { madeUpRun } from './samples.ts'

function summaryOf(seconds: number, stage: string) {
  const latenciesNs = Array.from({ length: 1000 }, () => 1000)
  const works = { alpha: { seconds, latenciesNs } }
  const stages = ['read', stage].map((name) => ({ name, leader: 'alpha', term: 1, works }))
  const { start, decisions } = madeUpRun({ agents: ['alpha'], stages })
  const results = new ResultsSoFar('made-up', start)
  for (const decision of decisions) results.add(decision, false, 0)
  return results.summary({ status: 'completed', reason: '', unilateral: false })
}

it('sets two runs side by side, and says where they are not alike', () => {
  const comparison = compareRuns(summaryOf(2, 'mixed'), summaryOf(4, 'other'))
  const rows = comparison.rows.filter(({ measure }) => measure === 'ops/s')
  expect(rows).toEqual([{ stage: 'read', op: 'get', measure: 'ops/s', base: 500, other: 250, ratio: 0.5 }])
  expect(comparison.rows.find(({ measure }) => measure === 'errors')?.ratio).toBeNull()
  expect(comparison.warnings.join('\n')).toMatch(/mixed is only in[\s\S]*other is only in/)
  expect(renderComparison(comparison)).toMatch(/read +get +ops\/s +500\.0 +250\.0 +0\.500/)
})
