/** Where all is well the chaos rules say nothing: made-up rounds, some of which look odd and are right. */

import { describe, expect, it } from 'vitest'
import { check } from './check.ts'
import {
  alter,
  calmStory,
  event,
  evidenceOf,
  finishedAt,
  folderOf,
  peerOf,
  releasedAt,
  type Story,
} from './fabricate.ts'
import { policies } from './plan.ts'
import { lossStory, rulesBroken } from './stories.ts'

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
