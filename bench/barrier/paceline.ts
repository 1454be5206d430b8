/** A peer of the mesh whose plan is nothing but barriers. */

import { createHash } from 'node:crypto'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Output } from '../../src/barrier/mod.ts'
import { now as ownNow } from '../../src/io/clock.ts'
import { createMesh } from '../../src/mesh/mod.ts'
import { barrierSpec } from '../../test/barrier/plans.ts'
import { now } from './clock.ts'
import { goThrough, group, index, members, type Released, roundsMax } from './member.ts'
import { openStarter } from './starter.ts'

/** As large as the compressed result of a small stage, and as incompressible. */
const payload = createHash('sha512').update(group).digest('base64').repeat(12)

/** Usually it takes a microsecond. */
const LOOK_MS_MAX = 0.02

const mesh = await createMesh({
  runId: `bench-${group}`,
  name: `m${index}`,
  listen: [],
  join: [],
  secret: null,
  insecure: false,
  mdns: false,
  rendezvousDir: path.join(tmpdir(), `paceline-bench-${group}`),
  role: 'agent',
  version: '0.0.0',
})

type Stage = Extract<Output, { type: 'run_stage' }>
let stage: Stage | undefined
let enter = (_: Stage): void => undefined
const first = new Promise<Stage>((resolve) => {
  enter = resolve
})

mesh.onEvent((event) => {
  if (event.type === 'run_stage') enter(event)
  else if (event.type === 'fault') throw event.error
  else if (event.type === 'plan_finished') throw new Error(`the plan ended too early: ${event.status} ${event.reason}`)
})

const startWork = await openStarter()
if (index === 0) submit()
stage = await first

goThrough(async () => {
  const entered = new Promise<Released>((resolve) => {
    enter = async (next) => {
      const releasedAt = now()
      stage = next
      resolve({ releasedAt, startedAt: await startWork(next.startAt + clockDifference()) })
    }
  })
  if (stage !== undefined) mesh.ready(stage.plan, stage.sequence, 'ok', payload)
  return await entered
})

/** The host's clock minus the peer's. A pause between two looks would be taken for a difference. */
function clockDifference(): number {
  for (;;) {
    const [before, own, after] = [now(), ownNow(), now()]
    if (after - before < LOOK_MS_MAX) return (before + after) / 2 - own
  }
}

function submit(): void {
  const barrier = barrierSpec('all_or_nothing')
  const stages = Array.from({ length: roundsMax + 1 }, (_, round) => {
    return { barrierName: `stage-${round + 1}-round`, name: 'round', optional: false, barrier }
  })
  mesh.submit({
    submission: group,
    hash: group,
    yaml: '',
    stages,
    wanted: { kind: 'count', count: members },
    agentReadyTimeoutMs: 60_000,
  })
}
