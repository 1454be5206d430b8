/**
 * Files that answer slowly: a lane on a store that sleeps, since no file system that a test can make is slow when asked.
 * Figures and the end of the stage are the lane's own.
 */

import { expect, it } from 'vitest'
import { ContentPools } from '../../src/io/content.ts'
import { collectStats, headSum } from '../../src/io/gauge.ts'
import { boardBytes, CONTROL, HEAD, openBoard, Recorder } from '../../src/io/lanes/board.ts'
import { ErrorCounter } from '../../src/io/lanes/errors.ts'
import { ExecuteLane } from '../../src/io/lanes/execute.ts'
import type { Job } from '../../src/io/lanes/jobs.ts'
import { enter, type LaneContext, runBlocking } from '../../src/io/lanes/lane.ts'
import { SharedWalks } from '../../src/io/lanes/shared-walk.ts'
import type { ExecuteWork } from '../../src/io/mod.ts'
import { Random } from '../../src/io/random.ts'
import { BUCKETS } from '../../src/io/sizes.ts'
import { NullStore } from '../../src/io/stores/null.ts'
import { context, execute, objectSet, op } from './works.ts'

const SLOW_MS = 30
const BASE = 'null://slow/'

class SlowStore extends NullStore {
  override get(ref: Parameters<NullStore['get']>[0]): number {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, SLOW_MS)
    return super.get(ref)
  }
}

function laneOn(store: NullStore, work: ExecuteWork): LaneContext {
  const control = new Int32Array(new SharedArrayBuffer(4 * CONTROL.LENGTH))
  const seat = { index: 0, ops: [0], board: new SharedArrayBuffer(boardBytes(BUCKETS)) }
  const board = openBoard(seat.board, BUCKETS)
  const job: Job = {
    kind: 'job',
    id: 1,
    work,
    context: context(),
    containment: { allow: [BASE], allowExec: false },
    lanes: 1,
    threads: 1,
    seats: [seat],
    slots: BUCKETS,
    isAsync: false,
    s3: null,
    control: new SharedArrayBuffer(0),
    clock: new SharedArrayBuffer(16),
    cursors: new SharedArrayBuffer(4),
    sources: [{ kind: 'collections', parts: [{ collection: 0, numbers: null }], mixed: false, sized: true }],
    listings: [],
    consumed: {},
    handles: 8,
    opLog: null,
    sentAt: 0,
  }
  return {
    job,
    seat,
    board,
    recorder: new Recorder(board, BUCKETS),
    control,
    cursors: new Int32Array(1),
    errors: new ErrorCounter(() => {}),
    random: new Random(1),
    pools: new ContentPools(),
    walks: new SharedWalks(),
    rows: null,
    blocks: true,
    timing: { startAt: performance.now(), toEngineClock: performance.timeOrigin },
    openStore: () => store,
    alternativesTo: () => [store],
    warn: () => {},
    fail: () => {},
  }
}

function workFor(more: Partial<ExecuteWork>): ExecuteWork {
  return execute([op('get', `${BASE}prepared-*`)], { prepared: [objectSet(BASE)], durationMs: 10 * SLOW_MS, ...more })
}

it('slow operations have their latency, and the last one ends the stage late by no more than itself', () => {
  const work = workFor({})
  const lane = laneOn(new SlowStore(BASE), work)
  const run = enter(new ExecuteLane(lane, work))
  // It waits for the start.
  expect(lane.board.head[HEAD.STARTED_AT]).toBe(0)
  runBlocking(run)
  const [stats] = collectStats([lane.board])
  const { count = 0, bytes, errors, totalNs = 0 } = stats ?? {}
  const milliseconds = (lane.board.head[HEAD.ENDED_AT] ?? 0) - (lane.board.head[HEAD.STARTED_AT] ?? 0)
  expect([errors, bytes]).toEqual([0, 4096 * count])
  expect(count).toBeGreaterThan(0)
  expect(count).toBeLessThanOrEqual(10)
  expect(totalNs / count / 1e6).toBeGreaterThanOrEqual(SLOW_MS - 1)
  // All of its time was spent waiting for the store.
  expect(totalNs / 1e6 / milliseconds).toBeGreaterThan(0.8)
  expect(milliseconds).toBeGreaterThanOrEqual(9 * SLOW_MS)
})

it('those that take longer than allowed are errors, each counted as a time-out', () => {
  const work = workFor({ opTimeoutMs: SLOW_MS / 3 })
  const lane = laneOn(new SlowStore(BASE), work)
  runBlocking(enter(new ExecuteLane(lane, work)))
  const [stats] = collectStats([lane.board])
  expect(stats).toMatchObject({ op: 'get', count: 0, bytes: 0 })
  expect(stats?.errors).toBeGreaterThan(0)
  expect(headSum([lane.board], HEAD.TIMED_OUT)).toBe(stats?.errors)
  expect(lane.errors.totals()).toEqual([
    {
      key: 'get TIMED_OUT',
      message: expect.stringMatching(/prepared-.*: took \d+ ms, allowed are 10$/),
      count: stats?.errors,
    },
  ])
})
