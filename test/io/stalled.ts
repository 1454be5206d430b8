/** One stage of four seconds, for a test that stops this process meanwhile. Prints "started", then the result. */

import process from 'node:process'
import { createEngine, now, resolveContainment } from '../../src/io/mod.ts'
import { context, execute, op } from './works.ts'

const [folder = ''] = process.argv.slice(2)
const engine = createEngine(resolveContainment([`file://${folder}`], false))
const stage = await engine.arm(execute([op('put', 'null://x/')], { durationMs: 4000 }), context())
const result = await stage.run({
  startAt: now(),
  signal: new AbortController().signal,
  onStarted: () => process.stdout.write('started\n'),
})
await engine.close()
process.stdout.write(`${JSON.stringify(result)}\n`)
