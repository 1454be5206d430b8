/** What the fuzzer starts from: valid input for every decoder. */

import { readFileSync } from 'node:fs'
import path from 'node:path'
import { deflateSync } from 'node:zlib'
import { encodeResult, type StageResult } from '../../src/io/mod.ts'
import { generateSecret } from '../../src/mesh/mod.ts'
import { statsOf } from '../cli/samples.ts'
import { hello, messages } from '../mesh/samples.ts'

export { messages }

export const hellos: readonly unknown[] = [hello]
export const introductions: readonly unknown[] = [{ type: 'introduction', peers: hello.peers }]

const envelope = { run: 'r1', incarnation: 'e1f2', number: 7 }
const stageProgress = {
  seconds: 1.5,
  ops: 10,
  bytes: 40_960,
  errors: 0,
  opsPerSecond: 6.6,
  bytesPerSecond: 27_306,
  p99Ns: 1e6,
  done: 0.5,
}

export const progress: readonly unknown[] = [{ uid: 'u', sequence: 1, progress: stageProgress }]

export const gossip: readonly unknown[] = [
  ...messages
    .filter(({ type }) => type === 'heartbeat' || type === 'decided')
    .map((message) => ({ type: 'message', ...envelope, message })),
  { type: 'progress', ...envelope, data: progress[0] },
]

export const requests: readonly unknown[] = [
  { type: 'submit', yaml: 'target: file:///data/\n', agents: 3, submission: 's-12345678', after: -1 },
  { type: 'follow', submission: null, after: 2 },
  { type: 'status' },
  { type: 'abort', reason: 'by hand' },
]

const plan = { number: 3, uid: 'u' }
const member = { peer: '12D3KooWA', name: 'a', incarnation: 'e1' }
const decisions = messages.flatMap((message) => (message.type === 'decision' ? [message.decision] : []))

export const answers: readonly unknown[] = [
  { type: 'outcome', outcome: { status: 'busy', plan, detail: 'plan 2 runs' } },
  ...decisions.map((decision) => ({ type: 'decision', decision, unilateral: false, waitedMs: 3.5 })),
  ...messages.flatMap((message) =>
    message.type === 'heartbeat' && message.digest !== null ? [{ type: 'digest', digest: message.digest }] : [],
  ),
  { type: 'progress', peer: '12D3KooWA', sequence: 2, progress: stageProgress },
  { type: 'leader', name: 'a' },
  { type: 'alive', leaderless: null },
  {
    type: 'alive',
    leaderless: {
      plan,
      sinceMs: 1,
      members: 2,
      missing: [{ name: 'b', reason: 'left' }],
      givesUpInMs: null,
      next: 'quorum_lost',
    },
  },
  { type: 'finished', plan, status: 'completed', reason: '', unilateral: false },
  { type: 'no_plan' },
  { type: 'aborting', plan },
  { type: 'error', code: 'BUSY', message: 'too many clients', exit: 4 },
  {
    type: 'status',
    status: {
      core: {
        self: member,
        role: 'leader',
        term: 4,
        leader: { peer: '12D3KooWA', name: 'a' },
        plan,
        sequence: 2,
        stage: 'read',
        members: [member],
        ready: [],
        unilateral: false,
        peers: [{ member, connected: true, lastHeardMs: 12 }],
        clock: { offsetMs: 0.1, roundTripMs: 0.3 },
        rejected: { stale_term: 1 },
      },
      peers: [
        {
          peerId: '12D3KooWA',
          name: 'a',
          incarnation: 'e1',
          role: 'agent',
          version: '0.1.0',
          runtime: 'node 24.18.0',
          addrs: ['/ip4/127.0.0.1/tcp/4001'],
          connected: true,
        },
      ],
      version: '0.1.0',
      runtime: 'node 24.18.0',
      plan: {
        number: 3,
        stages: ['read'],
        status: 'running',
        starts: [{ sequence: 1, stage: 'read', spreadMs: 0.25 }],
      },
    },
  },
]

const group = { ops: 3, bytes: 12_288, meanNs: 2000, p50Ns: 1000, p90Ns: 5000, p99Ns: 9000 }
const result: StageResult = {
  status: 'ok',
  reason: '',
  code: '',
  startedAt: 1_700_000_000_000.125,
  endedAt: 1_700_000_001_000.5,
  seconds: 1,
  stats: [statsOf('get', [1000, 2000, 1e6]), statsOf('put', [5e5], 1)],
  warmup: { ops: 1, bytes: 2, errors: 0 },
  perf: [
    {
      second: 1,
      ops: 3,
      bytes: 12_288,
      errors: 0,
      p50Ns: 1000,
      p99Ns: 9000,
      get: group,
      put: { ...group, ops: 0 },
      meta: group,
      warm: true,
      cpu: { user: 0.25, system: 0.125, iowait: 0 },
    },
  ],
  objects: { created: 1, existed: 2, deleted: 0, missing: 0 },
  repeated: 0,
  firstLaneDoneSeconds: 0.9,
  lastLaneDoneSeconds: 1,
  measuring: {
    latencyFrom: 'intended_start',
    clockReadNs: 25,
    lanes: 2,
    busyShare: 0.9,
    laneOpsMin: 1,
    laneOpsMax: 2,
    lagMs: 0.5,
    timedOut: 0,
    stalledMs: 0,
    firstDone: { ops: 2, bytes: 8192 },
  },
  limits: ['the engine was saturated'],
  cpu: { host: 0.5, process: null },
  errorSamples: [{ message: 'EIO', count: 1 }],
  warnings: ['the engine was saturated'],
  output: 'ü€😀',
  exitCode: null,
}

export const results: readonly unknown[] = [result]
export const resultTexts: readonly string[] = [encodeResult(result)]

/** As results are packed, whatever is in them. */
export function deflated(document: unknown): string {
  return deflateSync(JSON.stringify(document) ?? 'undefined').toString('base64')
}

const examples = path.resolve(import.meta.dirname ?? 'test/fuzz', '../../examples')
export const plans: readonly string[] = [
  readFileSync(path.join(examples, 'quickstart.yaml'), 'utf8'),
  'target: file:///data/\nworkload: &w [{ op: get, path: "a/*", weight: 1 }]\ndistributed: { stages: [] }\nx: *w\n',
]

export const entryDocuments: readonly unknown[] = [
  {
    pid: 4711,
    peer: '12D3KooWA',
    addrs: ['/ip4/127.0.0.1/tcp/4001'],
    who: { wire: 1, run: 'r', name: 'a', incarnation: '1', role: 'agent', version: '0.1.0', runtime: 'node 24.18.0' },
    seal: '0'.repeat(64),
  },
]
export const entries: readonly string[] = entryDocuments.map((entry) => JSON.stringify(entry))

export const secrets: readonly Uint8Array[] = [new TextEncoder().encode(generateSecret())]
