/** A round in which nothing went wrong, made up: tests change one thing and see whether a rule notices. */

import type { LoggedEvent } from '../e2e/cluster.ts'
import type { Client, Evidence, Peer, ResultFolder } from './evidence.ts'
import { type PlanOptions, STAGES } from './plan.ts'

type Fields = Readonly<Record<string, unknown>>
export type Mutable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer U)[] ? U[] : T[K] }

export const NAMES = ['a', 'b', 'c'] as const
const HASH = 'f'.repeat(64)
/** When the plan is accepted; each stage takes a second, each barrier 60 ms. */
const START = 1_000_000
const STAGE_MS = 1000

/** When the stage of a sequence ends, and its barrier is released. */
export const finishedAt = (sequence: number) => START + sequence * STAGE_MS
export const releasedAt = (sequence: number) => finishedAt(sequence) + 60

export interface Story {
  readonly options: PlanOptions
  peers: Mutable<Peer>[]
  clients: Mutable<Client>[]
  cuts: Evidence['cuts'][number][]
  aborts: number[]
  hung: string[]
}

export function evidenceOf(story: Story): Evidence {
  return { ...story, disturbed: false, acts: [] }
}

/** Three peers that run once, a submitter, six stages, all complete. */
export function calmStory(policy: PlanOptions['policy']): Story {
  const options: PlanOptions = { policy, barrierTimeoutMs: 5000, stragglerGraceMs: 1000, heartbeatMs: 1000 }
  const endAt = releasedAt(STAGES) + 50
  const client: Mutable<Client> = {
    id: 'm1',
    hash: HASH,
    startedAt: START - 500,
    end: { code: 0, signal: null, at: endAt },
    signals: [],
    stdout: '',
    stderr: '',
    folder: folderOf(policy),
    mustComplete: false,
  }
  const peers = NAMES.map((name, at): Mutable<Peer> => {
    return {
      id: name,
      name,
      runtime: 'node',
      once: true,
      startedAt: START - 2000,
      events: eventsOf(name, at, policy),
      end: { code: 0, signal: null, at: endAt },
      stderr: '',
      troubles: [],
      folders: [folderOf(policy)],
    }
  })
  return { options, peers, clients: [client], cuts: [], aborts: [], hung: [] }
}

export function peerOf(story: Story, name: string): Mutable<Peer> {
  const peer = story.peers.find((one) => one.name === name)
  if (peer === undefined) throw new Error(`There is no ${name}`)
  return peer
}

/** Changes the fields of events, or drops them. */
export function alter(
  peer: Mutable<Peer>,
  which: { readonly event: string; readonly sequence?: number },
  change: Fields | null,
): void {
  let count = 0
  peer.events = peer.events.flatMap((one) => {
    const meant = one.event === which.event && (which.sequence === undefined || one.sequence === which.sequence)
    if (!meant) return [one]
    count += 1
    return change === null ? [] : [{ ...one, ...change }]
  })
  if (count === 0) throw new Error(`${peer.id} has no ${which.event} of ${which.sequence}`)
}

/** Cuts a process's events, files and life off at a moment. */
export function kill(peer: Mutable<Peer>, at: number): void {
  peer.events = peer.events.filter(({ time }) => time < at)
  peer.troubles = [{ kind: 'killed', since: at, until: Number.POSITIVE_INFINITY }]
  peer.end = { code: null, signal: 'SIGKILL', at }
  const lines = peer.events.filter(({ event }) => event === 'barrier.released').length
  peer.folders = peer.folders.map((folder) => ({ ...folder, decisions: firstLines(folder.decisions, lines) }))
}

export function firstLines(text: string, count: number): string {
  return text
    .split('\n')
    .slice(0, count)
    .map((line) => `${line}\n`)
    .join('')
}

export function event(peer: string, time: number, name: string, fields: Fields): LoggedEvent {
  return { event: name, run: 'run', peer, time, at: time, ownAt: fields.at, pid: 1, plan: 1, ...fields }
}

function eventsOf(name: string, at: number, policy: PlanOptions['policy']): LoggedEvent[] {
  const say = (time: number, what: string, fields: Fields) => event(name, time, what, fields)
  const released = (sequence: number, time: number) =>
    say(time, 'barrier.released', {
      sequence,
      term: 1,
      leader: 'a',
      policy: sequence === 0 ? 'all_or_nothing' : policy,
      members: [...NAMES],
      excluded: [],
      startAt: time + 5,
      waitedMs: 5,
      unilateral: false,
    })
  const stages = Array.from({ length: STAGES }, (_, index) => stageName(index + 1))
  const events = [
    say(START - 1000, 'node.listening', { addrs: ['/ip4/127.0.0.1/tcp/1'] }),
    say(START - 900, 'leader.elected', { term: 1, leader: 'a' }),
    say(START, 'plan.accepted', { hash: HASH, agents: [...NAMES], stages }),
    released(0, START),
  ]
  for (let sequence = 1; sequence <= STAGES; sequence += 1) {
    const stage = stageName(sequence)
    const from = (sequence === 1 ? START : releasedAt(sequence - 1)) + 5
    const to = finishedAt(sequence) + at
    const figures = { status: 'ok', ops: 1, bytes: 1, errors: 0, seconds: 1 }
    events.push(say(from, 'stage.started', { sequence, stage, ownAt: from, offsetMs: 0, at: from }))
    events.push(say(to, 'stage.finished', { sequence, stage, ...figures }))
    events.push(say(to, 'barrier.waiting', { sequence, stage }))
    events.push(released(sequence, releasedAt(sequence)))
  }
  const end = { status: 'completed', exit: 0, reason: '', unilateral: false }
  return [...events, say(releasedAt(STAGES) + 30, 'run.finished', end)]
}

function stageName(sequence: number): string {
  return `s${sequence}`
}

export function folderOf(policy: PlanOptions['policy']): ResultFolder {
  const lines = Array.from({ length: STAGES + 1 }, (_, sequence) => {
    const time = sequence === 0 ? START : releasedAt(sequence)
    const kind = sequence === 0 ? 'start' : 'release'
    return `${JSON.stringify({ plan: 1, sequence, kind, term: 1, leader: 'a', policy, members: NAMES, startAt: time + 5 })}\n`
  })
  const tables = new Map<string, string>()
  const sequences = Array.from({ length: STAGES }, (_, index) => index + 1)
  for (const sequence of sequences) {
    tables.set(`0${sequence}_${stageName(sequence)}_results.tsv`, 'all')
    for (const name of NAMES) tables.set(`agents/${name}/0${sequence}_${stageName(sequence)}_results.tsv`, name)
  }
  const stages = sequences.map((sequence) => ({
    sequence,
    outcome: 'complete',
    unilateral: false,
    members: [...NAMES],
    counted: [...NAMES],
    missing: [],
    excluded: [],
    agents: NAMES.map((name) => ({ name, late: false, status: 'ok' })),
  }))
  return { dir: '/out', decisions: lines.join(''), summary: { status: 'completed', unilateral: false, stages }, tables }
}
