/** The leader is gone, and the plan goes on as its policy says. */

import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { Cluster } from './cluster.ts'
import { HELD, heldPlan, hold, letGo, untilWaiting } from './plans.ts'

const FIVE = ['a', 'b', 'c', 'd', 'e']

async function untilFinished(cluster: Cluster, names: readonly string[]): Promise<void> {
  await cluster.until('all have finished', () => names.every((name) => cluster.of('run.finished', name).length > 0))
}

function finished(cluster: Cluster, name: string): { status: unknown; exit: unknown } {
  const event = cluster.of('run.finished', name).at(-1)
  return { status: event?.status, exit: event?.exit }
}

describe('SIGKILL for the leader while all others wait', () => {
  it('majority: the four go on, the dead one is excluded, its finished stages count', async () => {
    await using cluster = await Cluster.of(FIVE, { args: ['--once'] })
    const leader = cluster.leader()
    const left = FIVE.filter((name) => name !== leader)
    await hold(cluster, leader)
    const submit = await cluster.submit(heldPlan(cluster, { policy: 'majority' }), ['--agents', '5'])
    await untilWaiting(cluster, left, HELD)
    await cluster.kill(leader)
    await untilFinished(cluster, left)

    for (const name of left) {
      expect(finished(cluster, name)).toEqual({ status: 'completed', exit: 0 })
      expect(await cluster.ended(name)).toEqual({ code: 0, signal: null })
    }
    expect(await submit.ended).toEqual({ code: 0, signal: null })
    const decisions = await cluster.decisions(left[0])
    for (const name of [...left, undefined]) expect(await cluster.decisions(name)).toEqual(decisions)
    expect(decisions.map(({ sequence, kind }) => [sequence, kind])).toEqual([
      [0, 'start'],
      ...[1, 2, 3, 4, 5].map((sequence) => [sequence, 'release']),
    ])
    expect(decisions[HELD]?.excluded).toEqual([{ name: leader, reason: expect.any(String) }])
    expect(decisions[HELD]?.members).toHaveLength(4)
    // What the dead one did before is in everybody's results.
    for (const name of left) {
      expect(await readdir(path.join(await cluster.results(name), 'agents', leader))).toContain('02_fill_results.tsv')
    }
  })

  it('majority: two more die afterwards, and the last two complete', async () => {
    await using cluster = await Cluster.of(FIVE, { args: ['--once'] })
    const first = cluster.leader()
    const left = FIVE.filter((name) => name !== first)
    await hold(cluster, first)
    await cluster.submit(twiceHeld(cluster), ['--agents', '5'])
    await untilWaiting(cluster, left, HELD)
    await hold(cluster, ...left.map((name) => `second-${name}`))
    await cluster.kill(first)
    await cluster.until('the four are in the second stage', () =>
      left.every((name) => cluster.of('stage.started', name).some(({ sequence }) => sequence === HELD + 1)),
    )
    for (const name of left.slice(0, 1)) await cluster.kill(name)
    const three = left.slice(1)
    await letGo(cluster, ...three.map((name) => `second-${name}`))
    await cluster.until('the second is excluded', () =>
      three.every((name) => cluster.of('barrier.released', name).some(({ sequence }) => sequence === HELD + 1)),
    )
    await cluster.kill(three[0] ?? '')
    const two = three.slice(1)
    await untilFinished(cluster, two)
    for (const name of two) expect(await cluster.ended(name)).toEqual({ code: 0, signal: null })
    expect(await cluster.decisions(two[0])).toEqual(await cluster.decisions(two[1]))
  })

  it('majority: one of two, which comes back as another: the quorum is lost, and the submitter hears of it', async () => {
    const names = ['a', 'b']
    await using cluster = await Cluster.of(names)
    const leader = cluster.leader()
    const [left = ''] = names.filter((name) => name !== leader)
    await hold(cluster, leader)
    const settings = ['agent_barrier_timeout: 3s']
    const submit = await cluster.submit(heldPlan(cluster, { policy: 'majority', settings }), ['--agents', '2'])
    await untilWaiting(cluster, [left], HELD)
    await cluster.kill(leader)
    cluster.start(leader)
    await untilFinished(cluster, [left])
    expect(finished(cluster, left)).toEqual({ status: 'quorum_lost', exit: 3 })
    expect((await submit.ended).code).toBe(3)
  })

  it('all_or_nothing: everybody aborts within 10 s and names the dead one', async () => {
    await using cluster = await Cluster.of(FIVE, { args: ['--once'] })
    const leader = cluster.leader()
    const left = FIVE.filter((name) => name !== leader)
    await hold(cluster, leader)
    const submit = await cluster.submit(heldPlan(cluster, { policy: 'all_or_nothing' }), ['--agents', '5'])
    await untilWaiting(cluster, left, HELD)
    const killed = performance.now()
    await cluster.kill(leader)
    await untilFinished(cluster, left)
    expect(performance.now() - killed).toBeLessThan(10_000)
    for (const name of left) {
      expect(await cluster.ended(name)).toEqual({ code: 1, signal: null })
      expect(cluster.of('barrier.aborted', name).at(-1)?.reason).toContain(leader)
    }
    expect((await submit.ended).code).toBe(1)
    expect(submit.stdout).toContain(leader)
  })

  it('best_effort: two of three die, the last one finishes alone and says so', async () => {
    const names = ['a', 'b', 'c']
    await using cluster = await Cluster.of(names, { args: ['--once'] })
    const leader = cluster.leader()
    const [second = '', last = ''] = names.filter((name) => name !== leader)
    await hold(cluster, leader, second)
    const settings = ['agent_barrier_timeout: 3s']
    const submit = await cluster.submit(heldPlan(cluster, { policy: 'best_effort', settings }), ['--agents', '3'])
    await untilWaiting(cluster, [last], HELD)
    await cluster.kill(leader)
    await cluster.kill(second)
    await untilFinished(cluster, [last])
    const end = cluster.of('run.finished', last).at(-1)
    expect(end).toMatchObject({ status: 'completed', exit: 0, unilateral: true })
    expect(await cluster.ended(last)).toEqual({ code: 0, signal: null })
    expect(cluster.of('barrier.released', last).filter(({ unilateral }) => unilateral)).not.toEqual([])
    expect((await submit.ended).code).toBe(0)
    expect(submit.stdout).toContain('alone')
  })
})

/** As heldPlan, with a second stage in which peers can be held. */
function twiceHeld(cluster: Cluster): string {
  const script = `while [ -e ${cluster.folder}/hold-second-$PACELINE_PEER ]; do sleep 0.02; done`
  return heldPlan(cluster, { policy: 'majority' })
    .replace('order: 5', 'order: 6')
    .replace('order: 4', 'order: 5')
    .replace(
      '    - name: read',
      `    - { name: again, order: 4, type: custom, command: sh, args: ['-c', '${script}'] }\n    - name: read`,
    )
}
