/** What the rules about the order of stages and barriers notice. */

import { alter, peerOf } from '../fabricate.ts'
import { notices } from '../stories.ts'

notices([
  {
    name: 'a stage is started before its barrier was released to that peer',
    rule: 'order',
    break: (story) => {
      const b = peerOf(story, 'b')
      const release = b.events.find((one) => one.event === 'barrier.released' && one.sequence === 3)
      b.events = b.events.filter((one) => one !== release)
      const at = b.events.findIndex((one) => one.event === 'stage.started' && one.sequence === 4)
      if (release !== undefined) b.events = [...b.events.slice(0, at + 1), release, ...b.events.slice(at + 1)]
    },
  },
  {
    name: 'a stage is run twice',
    rule: 'order',
    break: (story) => {
      const b = peerOf(story, 'b')
      b.events = b.events.flatMap((one) => (one.event.startsWith('stage.') && one.sequence === 2 ? [one, one] : [one]))
    },
  },
  {
    name: 'an excluded peer goes on',
    rule: 'order',
    break: (story) => alter(peerOf(story, 'b'), { event: 'barrier.released', sequence: 3 }, { members: ['a', 'c'] }),
  },
])
