/** Whom a client follows, and whose decisions it takes: peers here only say what the test lets them say. */

import { expect, it } from 'vitest'
import type { Decision, Member, PlanStatus } from '../../src/barrier/mod.ts'
import type { NodeDocument } from '../../src/cli/client-protocol.ts'
import { type FollowEnd, followPlan } from '../../src/cli/follow.ts'
import type { ClientChannel, PeerInfo } from '../../src/mesh/mod.ts'
import { madeUpRun } from './samples.ts'

const work = { seconds: 1 }
const { decisions } = madeUpRun({
  agents: ['a', 'b', 'c'],
  stages: ['one', 'two', 'three'].map((name) => ({
    name,
    policy: 'best_effort',
    works: { a: work, b: work, c: work },
    leader: 'a',
    term: 1,
  })),
})

/** What a peer that follows the others says; `of`: one that goes on alone from a sequence on. */
function decided(sequence: number, of: string | null = null): NodeDocument {
  const decision = decisions[sequence]
  if (decision === undefined) throw new Error(`no decision ${sequence}`)
  const own = decision.members.filter(({ name }) => name === of)
  return {
    type: 'decision',
    decision: of === null ? decision : { ...decision, leader: of, members: own },
    unilateral: of !== null,
    waitedMs: 0,
  }
}

function without(name: string, sequence: number): NodeDocument {
  const document = decided(sequence)
  if (document.type !== 'decision') throw new Error('no decision')
  const members = document.decision.members.filter((member) => member.name !== name)
  return { ...document, decision: { ...document.decision, members } }
}

function finished(status: PlanStatus, unilateral: boolean): NodeDocument {
  return { type: 'finished', plan: { number: 1, uid: 'made-up' }, status, reason: '', unilateral }
}

type Step = NodeDocument | 'silence'

/**
 * What each peer says, all of it to whoever asks; then the stream ends. `away`: who cannot be reached until one that went on
 * alone is followed.
 */
async function follow(
  script: Readonly<Record<string, readonly Step[]>>,
  away: Set<string> = new Set(),
): Promise<{
  end: FollowEnd
  taken: string[]
  progress: number
}> {
  const taken: string[] = []
  let progress = 0
  const end = await followPlan({
    mesh: {
      peerId: 'client',
      peers: () => Object.keys(script).map((name) => ({ ...infoOf(name), connected: !away.has(name) })),
      onEvent: () => () => {},
      openClient: (peerId) => Promise.resolve(channelOf(peerId, script[peerId.replace('peer-', '')] ?? [])),
    },
    plan: { yaml: 'stages: made up', agents: null, submission: 'made-up-submission' },
    detach: false,
    abortPlan: new AbortController().signal,
    onDocument: (document) => {
      if (document.type === 'progress') progress += 1
      if (document.type !== 'decision') return
      taken.push(show(document.decision, document.unilateral))
      if (document.unilateral) away.clear()
    },
    onOverruled: (sequence) => taken.push(`back to ${sequence}`),
  })
  return { end, taken, progress }
}

function show({ sequence, leader }: Decision, unilateral: boolean): string {
  return `${sequence} ${unilateral ? 'alone' : 'by'} ${leader}`
}

function infoOf(name: string): PeerInfo {
  const peer: Member = { peer: `peer-${name}`, name, incarnation: '1' }
  return {
    ...peer,
    peerId: peer.peer,
    role: 'agent',
    version: '0.1.0',
    runtime: 'node',
    addrs: [],
    connected: true,
  }
}

function channelOf(peer: string, script: readonly Step[]): ClientChannel {
  async function* documents(): AsyncGenerator<unknown> {
    for (const step of script) {
      if (step === 'silence') await new Promise(() => {})
      else yield step
    }
  }
  return { peer, send: () => Promise.resolve(), documents: documents(), close: () => Promise.resolve() }
}

it('goes on with the others when the peer that it follows goes on alone', async () => {
  const { end, taken } = await follow({
    a: [decided(0), decided(1), decided(2, 'a'), decided(3, 'a'), finished('completed', true)],
    b: [decided(0), decided(1), without('a', 2), without('a', 3), finished('completed', false)],
  })
  expect(taken).toEqual(['0 by a', '1 by a', '2 by a', '3 by a'])
  expect(end).toMatchObject({ kind: 'finished', status: 'completed', unilateral: false })
})

it('takes nothing of a peer that the others had excluded before it went on alone', async () => {
  const { end, taken } = await follow({
    b: [decided(0), without('a', 1), finished('excluded', false)],
    a: [decided(0), decided(1, 'a'), decided(2, 'a'), decided(3, 'a'), finished('completed', true)],
    c: [decided(0), without('a', 1), without('a', 2), without('a', 3), finished('completed', false)],
  })
  expect(taken).toEqual(['0 by a', '1 by a', '2 by a', '3 by a'])
  expect(end).toMatchObject({ status: 'completed', unilateral: false })
})

it('follows one peer to its end when all that are left go on alone, and nobody else from then on', async () => {
  const { end, taken } = await follow({
    a: [decided(0), decided(1), decided(2, 'a'), decided(3, 'a'), finished('completed', true)],
    b: [decided(0), decided(1), decided(2, 'b'), decided(3, 'b'), finished('completed', true)],
  })
  expect(taken).toEqual(['0 by a', '1 by a', '2 alone a', '3 alone a'])
  expect(end).toMatchObject({ status: 'completed', unilateral: true })
})

it('ends where the peer that went on alone stops', async () => {
  const { end, taken } = await follow({
    a: [decided(0), decided(1, 'a'), finished('quorum_lost', true)],
    b: [decided(0), finished('quorum_lost', false)],
  })
  expect(taken).toEqual(['0 by a', '1 alone a'])
  expect(end).toMatchObject({ status: 'quorum_lost', unilateral: true })
})

it('says so where nobody is left who knows how the plan ended for others', async () => {
  const cutOff = { a: [decided(0), decided(1), finished('quorum_lost', false)] }
  const { end } = await follow({ ...cutOff, b: [] }, new Set(['b']))
  expect(end).toMatchObject({ status: 'quorum_lost' })
  expect(end).toHaveProperty('reason', '; nobody is left who knows how the plan ended for b, c')
  const ends = { b: [finished('quorum_lost', false)], c: [finished('excluded', false)] } as const
  expect((await follow({ ...cutOff, ...ends })).end).toHaveProperty('reason', '')
})

it('comes back to a peer that went on alone when those that are left know nothing of the plan', async () => {
  const { end, taken } = await follow({
    a: [decided(0), decided(1), decided(2, 'a'), decided(3, 'a'), finished('completed', true)],
    w: [{ type: 'no_plan' }],
  })
  expect(taken).toEqual(['0 by a', '1 by a', '2 alone a', '3 alone a'])
  expect(end).toMatchObject({ status: 'completed', unilateral: true })
})

it('leaves a peer that went on alone for those who went on together, as soon as one of them can be reached', async () => {
  const away = new Set(['b', 'c'])
  const { end, taken } = await follow(
    {
      a: [decided(0), decided(1), decided(2, 'a'), 'silence'],
      // Still waits for the others.
      b: [decided(0), decided(1), 'silence'],
      c: [decided(0), decided(1), without('a', 2), without('a', 3), finished('completed', false)],
    },
    away,
  )
  expect(taken).toEqual(['0 by a', '1 by a', '2 alone a', 'back to 1', '2 by a', '3 by a'])
  expect(end).toMatchObject({ status: 'completed', unilateral: false })
})

it('stays with one that went on alone while those who come within reach have nothing to say', async () => {
  const away = new Set(['b'])
  const { end, taken } = await follow(
    {
      a: [decided(0), decided(1, 'a'), decided(2, 'a'), decided(3, 'a'), finished('completed', true)],
      b: [decided(0), decided(1, 'b'), 'silence'],
    },
    away,
  )
  expect(taken).toEqual(['0 by a', '1 alone a', '2 alone a', '3 alone a'])
  expect(end).toMatchObject({ status: 'completed', unilateral: true })
})

it('holds few of the passing words of a peer that it may come back to, and all that count', async () => {
  const figures = { seconds: 1, ops: 1, bytes: 1, errors: 0, opsPerSecond: 1, bytesPerSecond: 1, p99Ns: 1, done: null }
  const passing: NodeDocument = { type: 'progress', peer: 'peer-a', sequence: 2, progress: figures }
  const own = [decided(2, 'a'), ...Array.from({ length: 1000 }, () => passing), decided(3, 'a')]
  const { end, taken, progress } = await follow({
    a: [decided(0), decided(1), ...own, finished('completed', true)],
    w: [{ type: 'no_plan' }],
  })
  expect(taken).toEqual(['0 by a', '1 by a', '2 alone a', '3 alone a'])
  expect(end).toMatchObject({ status: 'completed', unilateral: true })
  expect(progress).toBeGreaterThan(0)
  expect(progress).toBeLessThan(100)
})
