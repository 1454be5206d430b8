/** What the rules about ends and exit codes notice. */

import { expect, it } from 'vitest'
import { alter, calmStory, event, finishedAt, kill, NAMES, peerOf, releasedAt, type Story } from '../fabricate.ts'
import { notices, rulesBroken } from '../stories.ts'

/** From barrier 5 on b says that it was alone. */
function goAlone(story: Story, waitedMs: number): void {
  const b = peerOf(story, 'b')
  for (const sequence of [5, 6]) {
    alter(b, { event: 'barrier.released', sequence }, { unilateral: true, members: ['b'], leader: 'b' })
  }
  alter(b, { event: 'run.finished' }, { unilateral: true })
  b.events = b.events.map((one) => {
    const later = one.time >= releasedAt(5) || (one.event === 'barrier.released' && one.sequence === 5)
    return later ? { ...one, time: one.time + waitedMs } : one
  })
}

/** a and b abort the plan and end, a so much later; c knows nothing of it, and neither does who handed the plan in. */
function abortWithoutC(story: Story, aEndsAfterMs: number): void {
  const time = releasedAt(3)
  const until = (name: string, at: number) => peerOf(story, name).events.filter((one) => one.time < at)
  for (const name of ['a', 'b']) {
    const abort = event(name, time, 'barrier.aborted', { sequence: 3, term: 1, leader: 'a', reason: 'c died' })
    const end = event(name, time, 'run.finished', { status: 'aborted', exit: 1, reason: 'c died', unilateral: false })
    const peer = peerOf(story, name)
    peer.events = [...until(name, time), abort, end]
    peer.end = { code: 1, signal: null, at: time + 50 + (name === 'a' ? aEndsAfterMs : 0) }
  }
  const lost = { status: 'quorum_lost', exit: 3, reason: 'alone', unilateral: false }
  const c = peerOf(story, 'c')
  c.events = [...until('c', finishedAt(3)), event('c', time + 5000, 'run.finished', lost)]
  c.end = { code: 3, signal: null, at: time + 5050 }
  for (const client of story.clients) client.end = { code: 3, signal: null, at: time + 5020 }
}

it('a submitter may follow one that found all others gone', () => {
  const story = calmStory('all_or_nothing')
  abortWithoutC(story, 0)
  expect(rulesBroken(story)).not.toContain('exit')
})

notices([
  {
    name: 'a submitter follows one that is alone while another is there that knows the end',
    rule: 'exit',
    story: () => calmStory('all_or_nothing'),
    break: (story) => abortWithoutC(story, 10_000),
  },
  {
    name: 'one goes on alone, though a majority is there',
    rule: 'reason',
    story: () => calmStory('best_effort'),
    break: (story) => {
      goAlone(story, story.options.barrierTimeoutMs)
      for (const name of NAMES) peerOf(story, name).end = { code: 0, signal: null, at: releasedAt(6) + 20_000 }
    },
  },
  {
    name: 'one goes on alone at once',
    rule: 'reason',
    story: () => calmStory('best_effort'),
    break: (story) => {
      goAlone(story, 0)
      for (const name of ['a', 'c']) kill(peerOf(story, name), finishedAt(5) - 10)
    },
  },
  {
    name: 'one goes on alone under majority',
    rule: 'reason',
    break: (story) => {
      goAlone(story, story.options.barrierTimeoutMs)
      for (const name of ['a', 'c']) kill(peerOf(story, name), finishedAt(5) - 10)
    },
  },
  { name: 'somebody hangs', rule: 'hang', break: (story) => story.hung.push('b') },
  {
    name: 'a process ends with another code than it said',
    rule: 'exit',
    break: (story) => {
      peerOf(story, 'b').end = { code: 1, signal: null, at: releasedAt(6) }
    },
  },
  {
    name: 'a process crashes',
    rule: 'exit',
    break: (story) => {
      peerOf(story, 'b').end = { code: null, signal: 'SIGSEGV', at: releasedAt(6) }
    },
  },
  {
    name: 'status and exit do not fit',
    rule: 'exit',
    break: (story) => alter(peerOf(story, 'b'), { event: 'run.finished' }, { exit: 3 }),
  },
  {
    name: 'a process complains',
    rule: 'exit',
    break: (story) => {
      peerOf(story, 'b').stderr = 'this is a defect'
    },
  },
  {
    name: 'the submitter of a completed plan ends with 1',
    rule: 'exit',
    break: (story) => {
      for (const client of story.clients) client.end = { code: 1, signal: null, at: releasedAt(6) }
    },
  },
  {
    name: 'an interrupted submitter does not wait for the end of the plan that it has begun',
    rule: 'exit',
    break: (story) => {
      for (const client of story.clients) {
        client.signals = [{ signal: 'SIGINT', at: finishedAt(2) }]
        client.end = { code: null, signal: 'SIGINT', at: finishedAt(2) }
      }
    },
  },
  {
    name: 'a peer ends without saying how its plan ended',
    rule: 'reason',
    break: (story) => alter(peerOf(story, 'b'), { event: 'run.finished' }, null),
  },
  {
    name: 'quorum_lost with a majority there',
    rule: 'reason',
    break: (story) => alter(peerOf(story, 'b'), { event: 'run.finished' }, { status: 'quorum_lost', exit: 3 }),
  },
  {
    name: 'an abort for no reason',
    rule: 'reason',
    story: () => calmStory('all_or_nothing'),
    break: (story) => {
      for (const name of NAMES) {
        const peer = peerOf(story, name)
        const time = releasedAt(3)
        const abort = event(name, time, 'barrier.aborted', { sequence: 3, term: 1, leader: 'a', reason: 'mood' })
        const end = event(name, time, 'run.finished', { status: 'aborted', exit: 1, reason: 'mood', unilateral: false })
        peer.events = [...peer.events.filter((one) => one.time < time), abort, end]
        peer.end = { code: 1, signal: null, at: time + 50 }
      }
    },
  },
  {
    name: 'completed before the last barrier',
    rule: 'reason',
    break: (story) => {
      const b = peerOf(story, 'b')
      b.events = b.events.filter((one) => one.sequence !== 6)
    },
  },
])
