/**
 * What a message between two peers costs. Libraries are made cheaper from outside (src/mesh/{packets,encryption}.ts), and
 * left as they are where their inside looks different: a new version must not bring the cost back unnoticed.
 */

import crypto from 'node:crypto'
import { Socket } from 'node:net'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { barrierPlan } from './barriers.ts'
import { led, met, type TestPeer, World } from './helpers.ts'

afterEach(() => {
  vi.restoreAllMocks()
  vi.unstubAllGlobals()
})

/** Errors of a kind, of which each that is made is told of. */
function counted(kind: RangeErrorConstructor, onMade: () => void): RangeErrorConstructor {
  const make = (target: RangeErrorConstructor, values: unknown[]): RangeError => {
    onMade()
    return Reflect.construct(target, values)
  }
  return new Proxy(kind, { apply: (target, _, values) => make(target, values), construct: make })
}

/** Longer than what noise encrypts by itself, several frames of yamux and noise long. */
const payload = 'result '.repeat(12_000)

async function goThrough(peers: readonly TestPeer[], stages: number): Promise<void> {
  for (const { mesh } of peers) {
    mesh.onEvent((event) => {
      if (event.type === 'run_stage') mesh.ready(event.plan, event.sequence, 'ok', payload)
    })
  }
  peers[0]?.mesh.submit(
    barrierPlan(
      peers.map(({ name }) => name),
      stages,
    ),
  )
  await Promise.all(peers.map((peer) => peer.until('the plan is over', () => peer.of('plan_finished').length > 0)))
}

describe('a message', () => {
  test('is written at once, encrypted with keys that are prepared once, and read without errors', async () => {
    await using world = await World.create()
    const peers = [await world.peer('a'), await world.peer('b')]
    await met(peers)
    await led(peers)
    const write = vi.spyOn(Socket.prototype, 'write')
    const fromBytes = vi.spyOn(crypto, 'createCipheriv')
    const errors = vi.fn()
    vi.stubGlobal('RangeError', counted(RangeError, errors))

    await goThrough(peers, 3)

    for (const peer of peers) {
      expect(peer.of('plan_finished')[0]?.status).toBe('completed')
      const reports = peer.of('decided').flatMap(({ decision }) => ('reports' in decision ? decision.reports : []))
      expect(reports.map((report) => report.payload)).toEqual(Array.from({ length: 6 }, () => payload))
    }
    const sizes = write.mock.calls.map(([data]) => data.length)
    expect(Math.max(...sizes)).toBeGreaterThan(60_000)
    // Two bytes of length, a yamux header and a tag: less is only a part of a message.
    expect(Math.min(...sizes)).toBeGreaterThanOrEqual(2 + 12 + 16)
    expect(fromBytes).not.toHaveBeenCalled()
    expect(errors).not.toHaveBeenCalled()
  })
})
