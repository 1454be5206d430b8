import { constants, existsSync, readdirSync, statSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { setFlagsFromString } from 'node:v8'
import { runInThisContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { CONTROL } from '../../src/io/lanes/board.ts'
import type { Job, LaneWork } from '../../src/io/lanes/jobs.ts'
import { alike, practiceFor } from '../../src/io/lanes/practice.ts'
import { practiceFiles } from '../../src/io/stores/practice.ts'
import {
  allowing,
  cleanup,
  context,
  countOf,
  execute,
  objectSet,
  op,
  prepare,
  runStage,
  startEngine,
  tempFolder,
  tree,
} from './helpers.ts'

const base = 'file:///nowhere/'
const set = objectSet(base, { count: 1_000_000, size: { kind: 'fixed', bytes: 2 ** 30 } })
const collections = { kind: 'collections', parts: [{ collection: 0, numbers: null }], mixed: false } as const

function job(work: LaneWork, sources: Job['sources'] = []): Job {
  return {
    kind: 'job',
    id: 7,
    work,
    context: context({ agents: ['a', 'b'], agent: 'b', agentIndex: 1 }),
    containment: allowing('/nowhere'),
    lanes: 1,
    threads: 1,
    seats: [],
    slots: 1,
    isAsync: false,
    s3: null,
    control: new SharedArrayBuffer(64),
    clock: new SharedArrayBuffer(16),
    cursors: new SharedArrayBuffer(4),
    sources,
    listings: [],
    consumed: {},
    handles: 8,
    opLog: null,
    sentAt: 0,
  }
}

describe('practice', () => {
  it('is little work of the same kind, on counters of its own, once for each kind', () => {
    const real = job(prepare([set], { trees: [tree(base)] }))
    const [first, ...others] = practiceFor(real)
    if (first?.work.type !== 'prepare') throw new Error('no practice')
    expect(others.length).toBeLessThan(20)
    const isLaneDone = ({ control }: Job): boolean => new Int32Array(control)[CONTROL.DONE] === 1
    expect([isLaneDone(first), others.every(isLaneDone)]).toEqual([false, true])
    const [few] = first.work.objects
    expect([few?.count, few?.size]).toEqual([200, { kind: 'fixed', bytes: 16_384 }])
    expect(first.work.trees[0]).toMatchObject({ width: 1, depth: 1 })
    expect([first.context.agents, first.context.agentIndex]).toEqual([['b'], 0])
    expect([first.control === real.control, first.cursors === real.cursors, first.id === real.id]).toEqual([
      false,
      false,
      false,
    ])
    expect([...practiceFor(real)]).toEqual([])
  })

  it('ends when the job that waits for it is called off, and is then to be had again', () => {
    const deletes = execute([op('delete', `${base}*`)], { prepared: [set] })
    const roundsOf = (real: Job, stopAt: number): number => {
      let rounds = 0
      for (const _ of practiceFor(real)) {
        rounds += 1
        if (rounds === stopAt) new Int32Array(real.control)[CONTROL.STOP] = 1
      }
      return rounds
    }
    const own = (): Job => job(deletes, [{ ...collections, sized: true }])
    expect(roundsOf(own(), 1)).toBe(1)
    expect(roundsOf(own(), 3)).toBe(3)
    expect(roundsOf(own(), Number.POSITIVE_INFINITY)).toBeGreaterThan(3)
  })

  it('is done by as many threads at a time as there are cores, and beside them where no turn comes in time', () => {
    const cores = availableParallelism()
    const practising = (real: Job, others: number): number[] => {
      const control = new Int32Array(real.control)
      control[CONTROL.PRACTISING] = others
      const seen = new Set<number>()
      for (const _ of practiceFor(real)) seen.add(control[CONTROL.PRACTISING] ?? 0)
      return [...seen, control[CONTROL.PRACTISING] ?? 0]
    }
    const from = performance.now()
    expect(practising(job(cleanup([set])), cores - 1)).toEqual([cores, cores - 1])
    const free = performance.now()
    const stats = execute([op('stat', `${base}*`)], { prepared: [set] })
    expect(practising(job(stats, [{ ...collections, sized: true }]), cores)).toEqual([cores + 1, cores])
    expect(performance.now() - free).toBeGreaterThan(free - from + 1000)
  })

  it('of a workload ends by itself, hardly waits, and verifies nothing', () => {
    const ops = [op('get', `${base}*`), op('put', base, { size: { kind: 'fixed', bytes: 2 ** 30 } })]
    const real = job(execute(ops, { prepared: [set], verify: true, rate: { opsPerSecond: 1, arrivals: 'fixed' } }), [
      { ...collections, sized: true },
      { kind: 'fresh' },
    ])
    const [first] = practiceFor(real)
    expect(first?.work).toMatchObject({ opsMax: 200, warmupMs: 0, verify: false })
    expect(first?.work).toMatchObject({ rate: { opsPerSecond: 1_000_000 }, ops: [{}, { size: { bytes: 16_384 } }] })
  })

  it('is left out where objects would be read to an end that there is not, or folders listed', () => {
    const get = [op('get', `${base}x*`, { rangeBytes: 1 })]
    expect([...practiceFor(job(execute(get), [{ kind: 'listing', listing: 0 }]))]).toEqual([])
    expect([...practiceFor(job(execute(get), [{ ...collections, sized: false }]))]).toEqual([])
    expect([...practiceFor(job(execute([op('list', base)]), [{ kind: 'folders' }]))]).toEqual([])
  })

  it('has the shapes of what comes by a message, but for its changes', () => {
    const message = { a: 1, b: 'x', c: null, d: [2] }
    const copy = alike(message, { c: null, a: 7 })
    expect(copy).toEqual({ a: 7, b: 'x', c: null, d: [2] })
    expect(Object.keys(copy)).toEqual(Object.keys(message))
    setFlagsFromString('--allow-natives-syntax')
    try {
      const sameShape = runInThisContext('(a, b) => %HaveSameMap(a, b)')
      expect(sameShape(alike(message, { a: 7 }), structuredClone(message))).toBe(true)
      expect(sameShape({ ...message, e: 1 }, structuredClone(message))).toBe(false)
    } finally {
      setFlagsFromString('--no-allow-natives-syntax')
    }
  })

  it('happens on a device that stays as it is', () => {
    const turns = practiceFiles()
    expect(turns.length).toBeGreaterThan(0)
    for (const { folders, calls } of turns) {
      const folder = folders.hold('/nowhere/', true)
      const fd = calls.open(folder, 'name', constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL)
      const reader = calls.open(folder, 'name', constants.O_RDONLY)
      const data = Buffer.from('content')
      expect(calls.write(fd, data, 0)).toBe(7)
      expect(calls.read(reader, data, 5, 0)).toBe(5)
      expect(data.toString()).toBe('\0\0\0\0\0nt')
      expect(calls.lookAt(fd)).toMatchObject({ size: 0, nlink: 1 })
      expect(calls.sizeOf(folder, 'name')).toBe(0)
      calls.close(fd)
      calls.close(reader)
      calls.remove(folder, 'name')
      expect([...calls.entries(folder)]).toEqual([])
      folders.close()
    }
    expect(statSync('/dev/zero').isCharacterDevice()).toBe(true)
    expect(existsSync('/dev/name')).toBe(false)
  })

  it('touches no storage and is in no figure', async () => {
    const folder = tempFolder()
    const engine = startEngine(allowing(folder))
    const here = objectSet(`file://${folder}/data/`, { count: 3 })
    const made = await engine.arm(prepare([here]), context())
    expect(existsSync(`${folder}/data`)).toBe(false)
    const result = await made.run({ startAt: 0, signal: new AbortController().signal })
    expect(result).toMatchObject({ status: 'ok', warnings: [], objects: { created: 3 } })
    expect(countOf(result, 'put')).toMatchObject({ count: 3, errors: 0 })
    await engine.arm(cleanup([here], { putUris: [`file://${folder}/data/`] }), context({ sequence: 2 }))
    expect(readdirSync(`${folder}/data`)).toHaveLength(3)
    const cleaned = await runStage(engine, cleanup([here]), context({ sequence: 3 }))
    expect(cleaned).toMatchObject({ status: 'ok', errorSamples: [], objects: { deleted: 3, missing: 0 } })
  })
})
