/**
 * Golden stories of the protocol, scenarios/*.txt: each is played again and must read the same. After a change that is
 * meant to change them: UPDATE_SCENARIOS=1, and commit only what you can explain, line by line.
 */

import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import type { RejectReason } from '../../src/barrier/mod.ts'
import { play } from './script.ts'

const folder = path.join(import.meta.dirname ?? 'test/barrier', 'scenarios')
const files = readdirSync(folder).filter((name) => name.endsWith('.txt'))

const reasons: Readonly<Record<RejectReason, true>> = {
  stale_term: true,
  stale_plan: true,
  stale_sequence: true,
  stale_digest: true,
  stale_incarnation: true,
  stranger: true,
  not_member: true,
  not_leader: true,
  duplicate: true,
  no_plan: true,
  conflict: true,
  malformed: true,
}

it.each(files)('%s', (name) => {
  const file = path.join(folder, name)
  const text = readFileSync(file, 'utf8')
  const played = play(text)
  if (process.env.UPDATE_SCENARIOS === '1') writeFileSync(file, played)
  else expect(played).toBe(text)
})

it('every reason for a refusal occurs in one of them', () => {
  const told = files.map((name) => readFileSync(path.join(folder, name), 'utf8')).join('\n')
  expect(Object.keys(reasons).filter((reason) => !told.includes(`  rejected ${reason}: `))).toEqual([])
})

it('a leader deposed before its start was accepted is free again, and its submission answered, within a second', () => {
  const text = readFileSync(path.join(folder, '15-two-starts.txt'), 'utf8')
  const [setting = ''] = text.split('\nuntil ')
  expect(play(`${setting}\nwait 1000\n`)).toMatch(/ {2}a {2}submit_outcome p1 busy/)
})

it('a submission that the leader never answers is refused in the name of that leader', () => {
  const story =
    'quiet\npeers a b\nuntil leader_elected 1/a\nwait 1000\nhold submit b > a\nloud\nhide heartbeat ping pong submit\n'
  expect(play(`${story}submit b p1 stages=1 policy=majority agents=2\nwait 32000\n`)).toMatch(
    / {2}b {2}submit_outcome p1 refused: a leads, and gave no answer in time/,
  )
})

it('a submission whose start is proposed is answered by what becomes of that start, however late', () => {
  const story =
    'quiet\npeers a b c\nuntil leader_elected 1/a\nwait 1000\nhold accept b > a\nloud\nhide heartbeat ping pong submit\n'
  // The leader falls silent shortly before it would give the start up; its successor gets the last acceptance.
  const told = play(`${story}submit c p1 stages=1 agents=3\nwait 29500\npause a\nwait 5000\n`)
  expect(told).toMatch(/ {2}c {2}plan_started plan1/)
  expect(told.match(/ {2}c {2}submit_outcome p1 .*/g)).toEqual(['  c  submit_outcome p1 accepted as plan1'])
})
