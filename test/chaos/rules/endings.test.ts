/** What the rules about ends and exit codes notice. */

import { alter, calmStory, event, finishedAt, NAMES, peerOf, releasedAt } from '../fabricate.ts'
import { notices } from '../stories.ts'

notices([
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
