/** One valid document of every kind that comes over the wire; the fuzzer starts from these. */

import type { Decision, Member, Message, MessageType, PlanSpec } from '../../src/barrier/mod.ts'
import type { Hello } from '../../src/mesh/wire.ts'

const ballot = { term: 7, peer: '12D3KooWA' }
const plan = { number: 3, uid: '3/7/12D3KooWA' }
const member = (name: string): Member => ({ peer: `12D3KooW${name}`, name, incarnation: 'e1f2' })
const members = ['A', 'B', 'C'].map(member)

const spec: PlanSpec = {
  submission: 's-1',
  hash: 'abcdef',
  yaml: 'target: file:///data/\nexecute: {}\n',
  stages: [
    {
      barrierName: 'stage-1-prepare',
      name: 'prepare',
      optional: false,
      barrier: {
        policy: 'majority',
        heartbeatIntervalMs: 1000,
        missedThreshold: 3,
        queryTimeoutMs: 1000,
        queryRetries: 2,
        barrierTimeoutMs: 120_000,
        stragglerGraceMs: 10_000,
      },
    },
  ],
  wanted: { kind: 'names', names: ['A', 'B', 'C'] },
  agentReadyTimeoutMs: 30_000,
}

const base = { plan, sequence: 1, ballot, leader: 'A' } as const
const report = { peer: '12D3KooWB', name: 'B', sequence: 1, status: 'ok', payload: 'cGF5bG9hZA==' } as const
const excluded = [{ peer: '12D3KooWC', name: 'C', reason: 'dead' }] as const

export const decisions: Readonly<Record<Decision['kind'], Decision>> = {
  start: { ...base, kind: 'start', sequence: 0, spec, members, startAt: 1_700_000_000_000.25, armMs: 10_000 },
  release: {
    ...base,
    kind: 'release',
    policy: 'majority',
    members: members.slice(0, 2),
    ready: ['12D3KooWA', '12D3KooWB'],
    excluded,
    reports: [report],
    waitedMs: 12.5,
    startAt: 1_700_000_000_000.5,
  },
  abort: { ...base, kind: 'abort', policy: 'all_or_nothing', members, reason: 'C died', excluded, reports: [report] },
}

const readyNote = { sequence: 1, status: 'ok', payload: 'ü€😀', waitedMs: 3.25 } as const

/** A record by type, so that the compiler misses none. */
const byType: { readonly [T in MessageType]: Extract<Message, { type: T }> } = {
  ping: { type: 'ping', sentAt: 1.5, term: 7, plan, sequence: 1, planMax: 3 },
  pong: {
    type: 'pong',
    ballot,
    pingSentAt: 1.5,
    receivedAt: 2.5,
    sentAt: 2.75,
    plan: null,
    sequence: 0,
    planMax: 3,
    readyKnown: true,
    lateKnown: [1],
  },
  heartbeat: {
    type: 'heartbeat',
    ballot,
    plan,
    sequence: 1,
    planMax: 3,
    digest: {
      plan,
      sequence: 1,
      digestSequence: 4,
      ready: ['12D3KooWA'],
      failed: [],
      waiting: ['12D3KooWB'],
      dead: [],
    },
    clock: { peer: '12D3KooWB', offsetMs: -3.25, errorMs: 0.5 },
  },
  prevote: { type: 'prevote', ballot, plan: null, sequence: 0 },
  prevote_reply: { type: 'prevote_reply', ballot, granted: false, leader: ballot, promised: ballot, known: 2 },
  vote: { type: 'vote', ballot, plan, sequence: 1, inFull: true },
  promise: {
    type: 'promise',
    ballot,
    plan,
    sequence: 1,
    accepted: { ballot, decision: decisions.release },
    ready: readyNote,
    planMax: 3,
  },
  reject: { type: 'reject', ballot, promised: { term: 9, peer: '12D3KooWB' } },
  propose: { type: 'propose', ballot, decision: decisions.start },
  remind: { type: 'remind', ballot, plan, sequence: 1, origin: ballot },
  accept: { type: 'accept', ballot, plan, sequence: 1 },
  refuse: { type: 'refuse', ballot, plan, reason: 'busy with plan 2', accepted: false, planMax: 3 },
  decided: { type: 'decided', ballot, plan, sequence: 1, startAt: 1_700_000_000_100.5 },
  catchup: { type: 'catchup', plan, sequence: 1 },
  decision: { type: 'decision', decision: decisions.abort, startAt: null },
  ready: { type: 'ready', plan, ...readyNote },
  query: { type: 'query', nonce: 9, plan },
  answer: { type: 'answer', nonce: 9, plan: null, sequence: 0 },
  leave: { type: 'leave' },
  handover: { type: 'handover', ballot },
  submit: { type: 'submit', spec },
  submit_reply: { type: 'submit_reply', submission: 's-1', outcome: { status: 'busy', plan, detail: 'plan 3 runs' } },
  abort_request: { type: 'abort_request', plan, reason: 'by hand' },
}

export const messages: readonly Message[] = Object.values(byType)

export const hello: Hello = {
  type: 'hello',
  wire: 1,
  run: 'r1',
  name: 'A',
  incarnation: 'e1f2',
  role: 'agent',
  version: '0.1.0',
  runtime: 'node 24.18.0',
  addrs: ['/ip4/127.0.0.1/tcp/4001'],
  peers: [{ peer: '12D3KooWB', addrs: ['/ip6/::1/tcp/4002'] }],
}
