/** A peer whose core finds itself in a state that it cannot be in: it says so and ends, and nobody waits for it. */

import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, it } from 'vitest'
import { Cluster, launcher } from './cluster.ts'

it('a peer whose core broke an invariant ends with an error, the others lead on', async () => {
  await using cluster = await Cluster.create()
  const core = path.resolve(path.dirname(launcher), '../src/barrier/core.ts')
  const broken = path.join(cluster.folder, 'broken.mjs')
  await writeFile(
    broken,
    `import { BarrierCore } from '${core}'
const { step } = BarrierCore.prototype
BarrierCore.prototype.step = function (input, ...rest) {
  if (input.type === 'ready') throw new Error('broken on purpose')
  return step.call(this, input, ...rest)
}
`,
  )
  cluster.start('a', { env: { NODE_OPTIONS: `--import=${broken}` } })
  for (const name of ['b', 'c']) cluster.start(name)
  await cluster.met()
  const plan = `
target: null:///x/
duration: 1s
workload: [{ op: put, path: 'a/', size: 4KiB }]
distributed: { barrier_sync: { type: majority } }
`
  const submit = await cluster.submit(plan, ['--agents', '3'])
  expect(await cluster.ended('a')).toEqual({ code: 1, signal: null })
  expect(cluster.of('node.warning', 'a')).toMatchObject([{ code: 'DEFECT', message: 'broken on purpose' }])
  expect(cluster.of('node.leaving', 'a')).toMatchObject([{ reason: 'a defect' }])
  expect((await submit.ended).code).toBe(0)
  expect((await cluster.decisions('b'))[1]?.excluded).toEqual([{ name: 'a', reason: 'dead' }])
})
