/** What the rules about results and honesty notice. */

import { alter, calmStory, folderOf, peerOf } from '../fabricate.ts'
import { folderWithout, lossStory, notices } from '../stories.ts'

notices([
  {
    name: 'results of a stage that was released are not with one that was excluded later',
    rule: 'results',
    break: (story) => {
      const c = peerOf(story, 'c')
      alter(c, { event: 'run.finished' }, { status: 'excluded', exit: 5 })
      const [folder] = c.folders
      if (folder === undefined) throw new Error('c has a folder')
      const tables = new Map([...folder.tables].filter(([name]) => !name.startsWith('agents/a/02_')))
      c.folders = [{ ...folder, tables }]
    },
  },
  {
    name: 'results of a member that died afterwards are lost',
    rule: 'results',
    story: lossStory,
    break: (story) => {
      const folder = folderWithout('c', 2)
      peerOf(story, 'a').folders = [{ ...folder, summary: folderWithout('c', 3).summary }]
    },
  },
  {
    name: 'tables differ',
    rule: 'results',
    break: (story) => {
      const folder = folderOf('majority')
      peerOf(story, 'b').folders = [{ ...folder, tables: new Map([...folder.tables, ['04_s4_results.tsv', 'other']]) }]
    },
  },
  {
    name: 'a stage that lost somebody is called complete',
    rule: 'honesty',
    story: lossStory,
    break: (story) => {
      const folder = folderWithout('c', 3)
      const summary = JSON.parse(JSON.stringify(folder.summary))
      summary.stages[2].outcome = 'complete'
      peerOf(story, 'a').folders = [{ ...folder, summary }]
    },
  },
  {
    name: 'a stage with a late agent is called complete',
    rule: 'honesty',
    break: (story) => {
      const folder = folderOf('majority')
      const summary = JSON.parse(JSON.stringify(folder.summary))
      summary.stages[2].agents[1].late = true
      peerOf(story, 'a').folders = [{ ...folder, summary }]
    },
  },
  {
    name: 'a barrier that one peer released alone is not marked',
    rule: 'honesty',
    story: () => calmStory('best_effort'),
    break: (story) => {
      for (const sequence of [5, 6])
        alter(peerOf(story, 'b'), { event: 'barrier.released', sequence }, { unilateral: true })
    },
  },
])
