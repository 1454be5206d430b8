/** What the rules about agreement and decisions.jsonl notice. */

import { alter, event, firstLines, folderOf, peerOf } from '../fabricate.ts'
import { notices } from '../stories.ts'

notices([
  {
    name: 'two peers act on different releases of one barrier',
    rule: 'agreement',
    break: (story) => alter(peerOf(story, 'b'), { event: 'barrier.released', sequence: 4 }, { term: 2, leader: 'b' }),
  },
  {
    name: 'one releases, another one aborts',
    rule: 'agreement',
    break: (story) => {
      const b = peerOf(story, 'b')
      const abort = { sequence: 4, term: 1, leader: 'a', reason: 'why' }
      b.events = b.events.map((one) =>
        one.event === 'barrier.released' && one.sequence === 4 ? event('b', one.time, 'barrier.aborted', abort) : one,
      )
    },
  },
  {
    name: 'decisions.jsonl differ by a byte',
    rule: 'decisions.jsonl',
    break: (story) => {
      const b = peerOf(story, 'b')
      b.folders = b.folders.map((folder) => ({
        ...folder,
        decisions: folder.decisions.replace('"sequence":4', '"sequence": 4'),
      }))
    },
  },
  {
    name: "the submitter's decisions.jsonl differ",
    rule: 'decisions.jsonl',
    break: (story) => {
      const folder = folderOf('majority')
      const decisions = folder.decisions.replace(/("sequence":5.*"leader":)"a"/, '$1"b"')
      for (const client of story.clients) client.folder = { ...folder, decisions }
    },
  },
  {
    name: 'the submitter mixes what one peer decided alone with what the others decided',
    rule: 'decisions.jsonl',
    break: (story) => {
      const folder = folderOf('majority')
      const decisions = folder.decisions.replace(/("sequence":5.*"leader":)"a"/, '$1"b","unilateral":true')
      for (const client of story.clients) client.folder = { ...folder, decisions }
    },
  },
  {
    name: 'a decision was not written down',
    rule: 'decisions.jsonl',
    break: (story) => {
      const b = peerOf(story, 'b')
      b.folders = b.folders.map((folder) => ({ ...folder, decisions: firstLines(folder.decisions, 6) }))
    },
  },
])
