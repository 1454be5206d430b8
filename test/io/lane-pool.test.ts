/** Lanes come up with the engine, before any stage is armed, and none is left after its end, whenever that comes. */

import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { LanePool } from '../../src/io/lanes/pool.ts'
import { createEngine, resolveContainment } from '../../src/io/mod.ts'
import { context, execute, onCleanup, op, validation } from './helpers.ts'

const nothing = resolveContainment(['null://'], false)

const target = 'null://x/'

function workOf(concurrency: number) {
  return execute([op('put', target)], { concurrency })
}

/** Threads of this process; null where the system does not say. */
function threads(): number | null {
  try {
    return Number(/^Threads:\s*(\d+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1])
  } catch {
    return null
  }
}

it('the first stage is armed when the lanes of the most demanding one are up', async () => {
  const before = threads()
  const engine = createEngine(nothing, { works: [validation(target, false), workOf(1), workOf(6)] })
  onCleanup(() => engine.close())
  await engine.arm(validation(target, false), context())
  if (before !== null) expect(threads()).toBeGreaterThanOrEqual(before + 6)
})

it('an engine that is closed while it arms a stage starts no thread any more', async () => {
  const engine = createEngine(nothing, { works: [workOf(4)] })
  const refused = expect(engine.arm(workOf(4), context())).rejects.toMatchObject({ code: 'CLOSED' })
  await engine.close()
  await refused
})

it('a pool that is closed gives no threads, to whoever waits for them neither', async () => {
  const pool = new LanePool()
  const waiting = pool.take(3, false)
  const refused = expect(waiting).rejects.toMatchObject({ code: 'LANE_LOST' })
  await pool.close()
  await refused
  await expect(pool.take(1, false)).rejects.toMatchObject({ code: 'CLOSED' })
})
