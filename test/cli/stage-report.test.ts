/** What all agents say of a long stage is small enough to be passed on in a moment. */

import { expect, it } from 'vitest'
import { barrierLimits } from '../../src/barrier/mod.ts'
import { decodeReport, encodeReport, toldReport } from '../../src/cli/stage-report.ts'
import type { PerfSample } from '../../src/io/mod.ts'
import { samplesMax } from '../../src/io/samples.ts'
import { Prng } from '../sim/prng.ts'
import { madeUpRun } from './samples.ts'

const latencies = Array.from({ length: 4000 }, (_, index) => 1000 + index * 250)
const works = { a: { seconds: 3600, latenciesNs: latencies } }
const { decisions } = madeUpRun({ agents: ['a'], stages: [{ name: 'read', leader: 'a', term: 1, works }] })

/** Gets and puts, none like another. */
function samples(count: number): PerfSample[] {
  const random = new Prng(7)
  const nothing = { ops: 0, bytes: 0, meanNs: 0, p50Ns: 0, p90Ns: 0, p99Ns: 0 }
  const group = () => {
    const ops = random.int(20_000, 30_000)
    const [p50Ns, p90Ns, p99Ns] = [random.int(100, 130) * 128, random.int(100, 130) * 256, random.int(100, 130) * 1024]
    return { ops, bytes: ops * 4096, meanNs: random.int(30_000, 40_000), p50Ns, p90Ns, p99Ns }
  }
  return Array.from({ length: count }, (_, index) => {
    const [get, put] = [group(), group()]
    const cpu = { user: random.int(0, 9999) / 10_000, system: random.int(0, 9999) / 10_000, iowait: 0 }
    const { p50Ns, p99Ns } = get
    const [ops, bytes] = [get.ops + put.ops, get.bytes + put.bytes]
    const second = index + 1 + random.int(0, 99) / 10_000
    return { second, ops, bytes, errors: 0, p50Ns, p99Ns, get, put, meta: nothing, warm: false, cpu }
  })
}

it.each([11, 64, 300])('that of %i agents about an hour takes no more than five megabytes', (agents) => {
  const decision = decisions[1]
  if (decision?.kind !== 'release') throw new Error('a release')
  const report = decodeReport(decision.reports[0]?.payload ?? '')
  const text = encodeReport({ ...report, result: { ...report.result, perf: samples(samplesMax(agents)) } })
  expect(agents * text.length).toBeLessThan(5_000_000)
})

it('one that others would refuse is told as a failure that names the sizes, and kept whole', () => {
  const decision = decisions[1]
  if (decision?.kind !== 'release') throw new Error('a release')
  const report = decodeReport(decision.reports[0]?.payload ?? '')
  const text = encodeReport(report)
  expect(toldReport(report, text.length)).toEqual({ result: report.result, payload: text, whole: null })
  const told = toldReport(report, text.length - 1)
  expect(told.whole).toBe(text)
  expect(told.result).toMatchObject({ status: 'failed', code: 'RESULT_TOO_LARGE' })
  expect(told.result.reason).toContain(`${text.length} characters`)
  expect(told.result.reason).toContain(`${text.length - 1} at most`)
  expect(decodeReport(told.payload).result).toEqual(told.result)
})

it('nobody says more than others take', () => {
  const decision = decisions[1]
  if (decision?.kind !== 'release') throw new Error('a release')
  const report = decodeReport(decision.reports[0]?.payload ?? '')
  const random = new Prng(3)
  const output = Array.from({ length: barrierLimits.payloadCharsMax }, () =>
    String.fromCharCode(random.int(32, 126)),
  ).join('')
  const { payload } = toldReport({ ...report, result: { ...report.result, output } })
  expect(payload.length).toBeLessThanOrEqual(barrierLimits.payloadCharsMax)
})
