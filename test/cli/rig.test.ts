/** What a proposed plan needs is brought up before it begins, leaves no trace when it does not, and fails only its stage. */

import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, expect, it } from 'vitest'
import type { Member, StartDecision } from '../../src/barrier/mod.ts'
import { parsePlan, toPlanSpec } from '../../src/cli/plan/mod.ts'
import { Rig } from '../../src/cli/rig.ts'
import { resolveContainment } from '../../src/io/mod.ts'

const members: readonly Member[] = ['a', 'b'].map((name) => ({ peer: `peer-${name}`, name, incarnation: '1' }))
const folder = mkdtempSync(path.join(tmpdir(), 'paceline-rig-'))
const target = `file://${folder}/data/`
const yaml = `
target: ${target}
concurrency: 2
op_log: true
distributed: { stages: [{ name: fill, order: 1, type: prepare, ensure_objects: [{ base_uri: ${target}, count: 4, size: 1KiB }] }] }
`

afterEach(() => rmSync(folder, { recursive: true, force: true }))

function rigOf(text: string): Rig {
  const start: StartDecision = {
    kind: 'start',
    plan: { number: 1, uid: '1' },
    sequence: 0,
    ballot: { term: 1, peer: 'peer-a' },
    leader: 'a',
    spec: { ...toPlanSpec(parsePlan(yaml, 'the plan'), 's'), yaml: text },
    members,
    startAt: 0,
    armMs: 10_000,
  }
  const containment = resolveContainment([target], false)
  return new Rig({ self: { peer: 'peer-a', name: 'a' }, runId: 'r', containment, endpoint: null, start })
}

const options = { startAt: 0, signal: new AbortController().signal }

it('gets ready without touching the storage, and runs the stage with the members that there are then', async () => {
  const rig = rigOf(yaml)
  await rig.ready()
  expect(existsSync(`${folder}/data`)).toBe(false)
  void rig.logOperations(() => Promise.resolve(null))
  const alone = await rig.arm(1, members.slice(0, 1))
  const result = await alone.run(options)
  await rig.close()
  expect(result).toMatchObject({ status: 'ok', warnings: [], objects: { created: 4 } })
  expect(readdirSync(`${folder}/data`)).toHaveLength(4)
})

it('is let go of when the plan does not begin, and may be made again for another start', async () => {
  for (const whenReady of [true, false]) {
    const rig = rigOf(yaml)
    if (whenReady) await rig.ready()
    await rig.close()
    await rig.ready()
  }
  expect(existsSync(`${folder}/data`)).toBe(false)
})

it('of a plan that cannot be read is ready at once: the reason is told by the stage', async () => {
  const rig = rigOf('nothing: of use')
  await rig.ready()
  await expect(rig.arm(1, members)).rejects.toThrow('nothing')
  await rig.close()
})
