/** A peer of the mesh whose plan is nothing but barriers. */

import { createHash } from 'node:crypto'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { PlanRef } from '../../src/barrier/mod.ts'
import { waitUntil } from '../../src/io/clock.ts'
import { createMesh } from '../../src/mesh/mod.ts'
import type { Round } from './main.ts'
import { cpuMs, group, index, members, now, report, rounds, work } from './member.ts'

/** As large as the compressed result of a small stage. */
const payload = createHash('sha512').update(group).digest('base64').repeat(12)

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

const rows: Round[] = []
let arrivedAt = 0

async function stage(plan: PlanRef, sequence: number, startAt: number): Promise<void> {
  const releasedAt = now()
  await waitUntil(startAt)
  const startedAt = now()
  if (sequence > 1) rows.push({ arrivedAt, releasedAt, startedAt, cpuMs: cpuMs() })
  await work()
  arrivedAt = now()
  mesh.ready(plan, sequence, 'ok', payload)
}

const finished = new Promise<void>((resolve) => {
  mesh.onEvent((event) => {
    if (event.type === 'run_stage') void stage(event.plan, event.sequence, event.startAt)
    if (event.type === 'plan_finished') resolve()
    if (event.type === 'fault') throw event.error
  })
})

if (index === 0) {
  const barrier = {
    policy: 'all_or_nothing',
    heartbeatIntervalMs: 1000,
    missedThreshold: 3,
    queryTimeoutMs: 1000,
    queryRetries: 2,
    barrierTimeoutMs: 60_000,
    stragglerGraceMs: 10_000,
  } as const
  const stages = Array.from({ length: rounds + 1 }, (_, round) => {
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

await finished
await mesh.close()
await report(rows)
