/**
 * A plan in a folder whose owner does not want it, for a process that is not root: prints one line of JSON.
 * Arguments: URI of a folder with a readable `data/`, whose second object may not be read.
 */

import process from 'node:process'
import { createEngine, now, resolveContainment, type StageWork } from '../../src/io/mod.ts'
import { cleanup, context, objectSet, op, operations, prepare, validation } from './works.ts'

const [root] = process.argv.slice(2)
if (root === undefined) throw new Error('Usage: forbidden.ts FOLDER-URI')
const base = `${root}data/`
const engine = createEngine(resolveContainment([root], false))
const set = objectSet(base, { count: 2 })

async function run(work: StageWork): Promise<unknown> {
  const stage = await engine.arm(work, context())
  const { status, code, reason, errorSamples, stats } = await stage.run({
    startAt: now(),
    signal: AbortSignal.timeout(20_000),
  })
  const sum = (figure: 'count' | 'bytes' | 'errors'): number => stats.reduce((all, one) => all + one[figure], 0)
  const text = [reason, ...errorSamples.map(({ message }) => message)].join('\n')
  return { status, code, text, count: sum('count'), bytes: sum('bytes'), errors: sum('errors') }
}

const seen = {
  validation: await run(validation(base, true)),
  prepare: await run(prepare([objectSet(base, { count: 2, namePrefix: 'new' })])),
  gets: await run(operations([op('get', `${base}prepared-*`)], 100, { prepared: [set] })),
  cleanup: await run(cleanup([set], { mode: 'strict' })),
}
await engine.close()
process.stdout.write(`${JSON.stringify(seen)}\n`)
