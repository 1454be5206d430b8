import { expect, it } from 'vitest'
import { countOf, objectSet, onFiles, op, operations, prepare, runStage } from './helpers.ts'

it('gets choose from what their lane has put where the plan asks for it, and what they read is right', async () => {
  const { base, engine } = onFiles()
  const set = objectSet(base, { count: 2, size: { kind: 'fixed', bytes: 100 } })
  await runStage(engine, prepare([set]))
  const ops = [op('get', `${base}*`), op('put', base, { size: { kind: 'fixed', bytes: 20_000 } })]
  for (const dynamicPutPool of [false, true]) {
    const work = operations(ops, 200, { prepared: [set], verify: true, dynamicPutPool })
    const ran = await runStage(engine, work)
    expect(ran).toMatchObject({ status: 'ok', errorSamples: [] })
    const { count, bytes } = countOf(ran, 'get')
    expect([count > 20, bytes > 100 * count]).toEqual([true, dynamicPutPool])
  }
})
