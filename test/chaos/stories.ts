/** Stories to tell the rules: what was broken in them, and how a list of broken ones becomes tests. */

import { describe, expect, it } from 'vitest'
import { check } from './check.ts'
import { alter, calmStory, evidenceOf, finishedAt, folderOf, kill, peerOf, type Story } from './fabricate.ts'

export interface Case {
  readonly name: string
  readonly rule: string
  readonly story?: () => Story
  readonly break: (story: Story) => void
}

/** Each rule can fail: it notices what it is there for. */
export function notices(cases: readonly Case[]): void {
  describe('a rule notices when', () => {
    it.each(cases)('$name', ({ rule, story = () => calmStory('majority'), break: breakIt }) => {
      const broken = story()
      breakIt(broken)
      expect(rulesBroken(broken)).toContain(rule)
    })
  })
}

export function rulesBroken(story: Story): string[] {
  return [...new Set(check(evidenceOf(story)).map(({ rule }) => rule))].sort()
}

/** A plan of `majority` in which c was killed in stage 3, and the others went on. */
export function lossStory(): Story {
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

export function folderWithout(name: string, from: number): ReturnType<typeof folderOf> {
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
