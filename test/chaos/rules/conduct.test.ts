/** What the rules about progress, stability and events notice. */

import { alter, event, finishedAt, peerOf, releasedAt } from '../fabricate.ts'
import { notices } from '../stories.ts'

notices([
  {
    name: 'a barrier takes for ever though all are ready',
    rule: 'progress',
    break: (story) => {
      for (const { name } of story.peers) {
        const peer = peerOf(story, name)
        peer.events = peer.events.map((one) => (one.time >= releasedAt(6) ? { ...one, time: one.time + 30_000 } : one))
      }
    },
  },
  {
    name: 'a healthy leader is deposed',
    rule: 'stability',
    break: (story) => {
      const b = peerOf(story, 'b')
      const lost = event('b', finishedAt(3) - 100, 'leader.lost', {
        term: 1,
        leader: 'a',
        reason: 'c stands for election',
      })
      b.events = [...b.events, lost].sort((one, other) => one.time - other.time)
    },
  },
  {
    name: 'an event lacks a field',
    rule: 'event',
    break: (story) => alter(peerOf(story, 'b'), { event: 'stage.finished', sequence: 2 }, { bytes: undefined }),
  },
  {
    name: 'an event has a name of its own',
    rule: 'event',
    break: (story) => alter(peerOf(story, 'b'), { event: 'leader.elected' }, { event: 'leader.chosen' }),
  },
  {
    name: 'a defect is logged',
    rule: 'defect',
    break: (story) => {
      const b = peerOf(story, 'b')
      b.events = [...b.events, event('b', releasedAt(6), 'node.warning', { code: 'DEFECT', message: 'oh' })]
    },
  },
])
