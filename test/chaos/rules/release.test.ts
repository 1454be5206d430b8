/** What the rules about releases: policy, names, acceptance, exclusions, early starts notice. */

import { alter, calmStory, event, finishedAt, kill, NAMES, peerOf, releasedAt } from '../fabricate.ts'
import { lossStory, notices } from '../stories.ts'

notices([
  {
    name: 'a stage is started before anybody was released',
    rule: 'early start',
    break: (story) => {
      const early = releasedAt(3) - 30
      alter(peerOf(story, 'b'), { event: 'stage.started', sequence: 4 }, { ownAt: early, time: early })
    },
  },
  {
    name: 'all_or_nothing is released before everybody is ready',
    rule: 'policy',
    story: () => calmStory('all_or_nothing'),
    break: (story) => {
      for (const what of ['stage.finished', 'barrier.waiting']) {
        alter(peerOf(story, 'c'), { event: what, sequence: 4 }, { time: releasedAt(4) + 100 })
      }
    },
  },
  {
    name: 'all_or_nothing is released with a failed stage',
    rule: 'policy',
    story: () => calmStory('all_or_nothing'),
    break: (story) => alter(peerOf(story, 'c'), { event: 'stage.finished', sequence: 4 }, { status: 'failed' }),
  },
  {
    name: 'majority goes on with one that is not ready',
    rule: 'policy',
    break: (story) => alter(peerOf(story, 'c'), { event: 'stage.finished', sequence: 4 }, { status: 'failed' }),
  },
  {
    name: 'majority is released by a minority',
    rule: 'policy',
    story: lossStory,
    break: (story) => {
      for (const name of ['a', 'b']) {
        alter(
          peerOf(story, name),
          { event: 'barrier.released', sequence: 5 },
          { members: ['a'], excluded: [{ name: 'b', reason: 'failed' }] },
        )
      }
    },
  },
  {
    name: 'best_effort does not wait for one that works',
    rule: 'policy',
    story: () => calmStory('best_effort'),
    break: (story) => {
      for (const what of ['stage.finished', 'barrier.waiting']) {
        alter(peerOf(story, 'c'), { event: what, sequence: 4 }, { time: releasedAt(4) + 100 })
      }
    },
  },
  {
    name: 'members appear from nowhere',
    rule: 'names',
    break: (story) => {
      for (const name of NAMES) {
        alter(peerOf(story, name), { event: 'barrier.released', sequence: 4 }, { members: [...NAMES, 'd'] })
      }
    },
  },
  {
    name: 'somebody vanishes without a word',
    rule: 'names',
    story: lossStory,
    break: (story) => {
      for (const name of ['a', 'b'])
        alter(peerOf(story, name), { event: 'barrier.released', sequence: 3 }, { excluded: [] })
    },
  },
  {
    name: 'released while a majority was dead',
    rule: 'acceptance',
    break: (story) => {
      for (const name of ['b', 'c']) kill(peerOf(story, name), finishedAt(4) - 1)
      for (const name of ['b', 'c']) {
        const peer = peerOf(story, name)
        for (const what of ['stage.finished', 'barrier.waiting']) {
          peer.events = [
            ...peer.events,
            event(name, finishedAt(4) - 2, what, {
              sequence: 4,
              stage: 's4',
              status: 'ok',
              ops: 1,
              bytes: 1,
              errors: 0,
              seconds: 1,
            }),
          ]
        }
      }
    },
  },
  {
    name: 'released by one that was cut off from all others',
    rule: 'acceptance',
    break: (story) => {
      const [since, until] = [finishedAt(4) - 100, releasedAt(4) + 100]
      for (const to of ['b', 'c']) story.cuts.push({ from: 'a', to, since, until })
      story.cuts.push({ from: 'b', to: 'c', since, until })
    },
  },
  {
    name: 'one to which nothing happened is excluded as dead',
    rule: 'exclusion',
    story: lossStory,
    break: (story) => {
      const c = peerOf(story, 'c')
      c.troubles = []
      c.end = { code: 5, signal: null, at: releasedAt(6) }
    },
  },
  {
    name: 'a straggler is not given its grace',
    rule: 'exclusion',
    story: lossStory,
    break: (story) => {
      for (const name of ['a', 'b']) {
        alter(
          peerOf(story, name),
          { event: 'barrier.released', sequence: 3 },
          { excluded: [{ name: 'c', reason: 'straggler' }] },
        )
      }
    },
  },
])
