/**
 * A plan from start to end, for any runtime: prints one line of JSON.
 * Arguments: a base URI that it may fill; for files also the URI of a link that leads out of what is allowed.
 */

import process from 'node:process'
import { createEngine, decodeResult, encodeResult, now, resolveContainment, type StageWork } from '../../src/io/mod.ts'
import { cleanup, context, execute, objectSet, op, prepare, validation } from './works.ts'

const [base, link] = process.argv.slice(2)
if (base === undefined) throw new Error('Usage: smoke.ts BASE-URI [LINK-URI]')

const allowed = link === undefined ? base : base.slice(0, base.lastIndexOf('/', base.length - 2))
const engine = createEngine(resolveContainment([allowed], false))
const set = objectSet(base, { count: 50, size: { kind: 'fixed', bytes: 5000 } })
const seen: Record<string, unknown> = {}
let sequence = 0

async function run(name: string, work: StageWork): Promise<void> {
  sequence++
  const stage = await engine.arm(work, context({ run: 'smoke', stage: name, sequence }))
  const result = await stage.run({ startAt: now() + 5, signal: AbortSignal.timeout(20_000) })
  const wire = decodeResult(encodeResult(result))
  const errors = wire.errorSamples.map(({ message }) => message)
  const done = wire.stats.filter(({ count }) => count > 0).map((stats) => stats.op)
  seen[name] = { status: wire.status, code: wire.code, reason: wire.reason, errors, done: [...new Set(done)] }
}

const work = { prepared: [set], verify: true }
await run('validation', validation(base, true, 1000))
await run('prepare', prepare([set]))
const size = { kind: 'fixed', bytes: 9000 } as const
const ops = [op('get', `${base}*`), op('put', base, { size }), op('stat', base), op('list', base)]
await run('mixed', execute(ops, work))
await run('ranged', execute([op('get', `${base}prepared-*`, { rangeBytes: 4096 })], work))
await run('listed', execute([op('get', `${base}obj_*`)], { verify: true }))
if (link !== undefined) {
  const direct = base.replace('file:', 'direct:')
  const directSet = { ...set, baseUris: [direct] }
  await run('direct', execute([op('get', `${direct}prepared-*`)], { ...work, prepared: [directSet] }))
  await run('escape', prepare([{ ...set, baseUris: [link] }]))
}
await run('cleanup', cleanup([set], { putUris: [base], mode: 'strict' }))
await engine.close()
process.stdout.write(`${JSON.stringify(seen)}\n`)
