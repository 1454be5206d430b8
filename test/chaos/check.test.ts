/** The chaos rules can fail: each one notices what it is there for, in made-up rounds, and nothing where all is well. */

import { describe, expect, it } from 'vitest'
import { check } from './check.ts'
import {
  alter,
  calmStory,
  event,
  evidenceOf,
  finishedAt,
  firstLines,
  folderOf,
  kill,
  NAMES,
  peerOf,
  releasedAt,
  type Story,
} from './fabricate.ts'
import { policies } from './plan.ts'

function rulesBroken(story: Story): string[] {
  return [...new Set(check(evidenceOf(story)).map(({ rule }) => rule))].sort()
}

/** A plan of `majority` in which c was killed in stage 3, and the others went on. */
function lossStory(): Story {
  const story = calmStory('majority')
  const left = ['a', 'b']
  const excluded = [{ name: 'c', reason: 'dead' }]
  kill(peerOf(story, 'c'), finishedAt(3) - 500)
  for (const name of left) {
    const peer = peerOf(story, name)
    for (const sequence of [3, 4, 5, 6]) {
      alter(peer, { event: 'barrier.released', sequence }, { members: left, excluded: sequence === 3 ? excluded : [] })
    }
  }
  const lost = folderWithout('c', 3)
  for (const name of left) peerOf(story, name).folders = [lost]
  for (const client of story.clients) client.folder = lost
  return story
}

function folderWithout(name: string, from: number): ReturnType<typeof folderOf> {
  const folder = folderOf('majority')
  const tables = new Map(
    [...folder.tables].filter(([file]) => {
      const sequence = Number(/\/0(\d)_/.exec(file)?.[1] ?? 0)
      return !(file.startsWith(`agents/${name}/`) && sequence >= from)
    }),
  )
  const { stages } = JSON.parse(JSON.stringify(folder.summary))
  for (const stage of stages) {
    if (stage.sequence < from) continue
    stage.counted = stage.counted.filter((one: string) => one !== name)
    stage.agents = stage.agents.filter((one: { name: string }) => one.name !== name)
    if (stage.sequence > from) continue
    stage.excluded = [{ name }]
    stage.outcome = 'degraded'
  }
  return { ...folder, tables, summary: { status: 'completed', unilateral: false, stages } }
}

describe('all is well', () => {
  it.each(policies)('%s: complete', (policy) => {
    expect(check(evidenceOf(calmStory(policy)))).toEqual([])
  })

  it('majority: one killed, the others went on without it', () => {
    expect(check(evidenceOf(lossStory()))).toEqual([])
  })

  it('best_effort: the submitter followed a peer that went on alone, whose results are its own', () => {
    const story = calmStory('best_effort')
    const folder = folderOf('best_effort')
    const { stages } = JSON.parse(JSON.stringify(folder.summary))
    const summary = { status: 'completed', unilateral: true, stages }
    const tables = new Map([...folder.tables, ['04_s4_results.tsv', 'of one alone']])
    for (const client of story.clients) client.folder = { ...folder, tables, summary }
    expect(check(evidenceOf(story))).toEqual([])
  })

  it('a machine that is busy in many short stretches is not judged for time', () => {
    const story = calmStory('majority')
    for (const { name } of story.peers) {
      const peer = peerOf(story, name)
      peer.events = peer.events.map((one) => (one.time >= releasedAt(6) ? { ...one, time: one.time + 30_000 } : one))
    }
    expect(rulesBroken(story)).toContain('progress')
    const since = [0, 1000, 2000, 3000].map((ms) => finishedAt(6) + ms)
    peerOf(story, 'b').troubles = since.map((at) => ({ kind: 'starved', since: at, until: at + 600 }))
    expect(check(evidenceOf(story))).toEqual([])
  })

  it('best_effort: a stage ended in time, but its member was not ready before the release', () => {
    const story = calmStory('best_effort')
    const folder = folderOf('best_effort')
    const { stages } = JSON.parse(JSON.stringify(folder.summary))
    stages[2].outcome = 'degraded'
    stages[2].counted = ['a', 'b']
    const tables = new Map([...folder.tables].filter(([file]) => !file.startsWith('agents/c/03_')))
    const without = { ...folder, tables, summary: { status: 'completed', unilateral: false, stages } }
    const later = (ms: unknown) => (typeof ms === 'number' && ms >= releasedAt(3) ? ms + 5000 : ms)
    for (const peer of story.peers) {
      peer.folders = [without]
      peer.end = { code: 0, signal: null, at: releasedAt(6) + 5100 }
      peer.events = peer.events.map((one) => ({ ...one, time: Number(later(one.time)), ownAt: later(one.ownAt) }))
    }
    for (const client of story.clients) client.folder = without
    const c = peerOf(story, 'c')
    alter(c, { event: 'stage.finished', sequence: 3 }, { time: releasedAt(3) + 4600 })
    alter(c, { event: 'barrier.waiting', sequence: 3 }, { time: releasedAt(3) + 4900 })
    expect(check(evidenceOf(story))).toEqual([])
    alter(c, { event: 'barrier.waiting', sequence: 3 }, { time: releasedAt(3) + 4600 })
    expect(rulesBroken(story)).toEqual(['results'])
  })

  it('a submitter is interrupted before it is there: no plan of its own is begun', () => {
    const story = calmStory('majority')
    const at = finishedAt(1)
    const signals: Story['clients'][number]['signals'] = [{ signal: 'SIGINT', at }]
    const end = { code: null, signal: 'SIGINT', at } as const
    const [client] = story.clients
    if (client === undefined) throw new Error('a story has a submitter')
    story.clients.push({ ...client, id: 'm2', hash: '0'.repeat(64), signals, end, folder: null })
    expect(check(evidenceOf(story))).toEqual([])
  })

  it('a leader hands over, and one that follows hears first of the next one, who stands', () => {
    const story = calmStory('majority')
    const lostBy = (name: string, time: number, reason: string) => {
      const peer = peerOf(story, name)
      const lost = event(name, time, 'leader.lost', { term: 1, leader: 'a', reason })
      peer.events = [...peer.events, lost].sort((one, other) => one.time - other.time)
    }
    lostBy('a', finishedAt(3) - 100, 'excluded from the plan')
    lostBy('b', finishedAt(3) - 90, 'c stands for election')
    expect(check(evidenceOf(story))).toEqual([])
  })
})

interface Case {
  readonly name: string
  readonly rule: string
  readonly story?: () => Story
  readonly break: (story: Story) => void
}

const cases: readonly Case[] = [
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
]

describe('a rule notices when', () => {
  it.each(cases)('$name', ({ rule, story = () => calmStory('majority'), break: breakIt }) => {
    const broken = story()
    breakIt(broken)
    expect(rulesBroken(broken)).toContain(rule)
  })
})
