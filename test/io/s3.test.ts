import { GetObjectCommand, HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import { ContentPool, contentKey } from '../../src/io/content.ts'
import { resolveContainment, type StageResult } from '../../src/io/mod.ts'
import {
  agentOf,
  cleanup,
  context,
  countOf,
  objectSet,
  op,
  operations,
  prepare,
  RANDOM,
  runStage,
  startEngine,
  tree,
  validation,
} from './helpers.ts'
import { keysBelow, type Place, sdk, sharedEngine, startStorage } from './s3-servers.ts'

/** Bytes of an object as every agent of seed 42 writes them. */
function contentOf(dir: string, name: string, size: number): Buffer {
  const content = new ContentPool(RANDOM).open(contentKey(42, dir, name))
  const chunk = 1024 * 1024
  const parts: Buffer[] = []
  for (let at = 0; at < size; at += chunk) parts.push(Buffer.from(content.slice(at, Math.min(chunk, size - at))))
  return Buffer.concat(parts)
}

async function download(place: Place, name: string): Promise<Buffer> {
  const Key = `${place.base}${name}`.slice(`s3://${place.bucket}/`.length)
  const { Body } = await sdk(place).send(new GetObjectCommand({ Bucket: place.bucket, Key }))
  return Buffer.from((await Body?.transformToByteArray()) ?? [])
}

const engine = sharedEngine()

describe('objects on S3', () => {
  it('are made once, found again, read, written, listed and deleted', async () => {
    const place = await startStorage()
    const { base } = place
    const set = objectSet(base, { count: 30, size: { kind: 'fixed', bytes: 5000 } })
    const checked = await runStage(engine, validation(base, true))
    expect(checked).toMatchObject({ status: 'ok', reason: '' })
    expect(await keysBelow(place)).toEqual([])
    const made = await runStage(engine, prepare([set]))
    expect(made).toMatchObject({ status: 'ok', objects: { created: 30, existed: 0 }, repeated: 0 })
    const again = await runStage(engine, prepare([set]))
    expect(again.objects).toMatchObject({ created: 0, existed: 30 })
    const ops = [
      op('get', `${base}*`),
      op('get', `${base}prepared-*`, { rangeBytes: 1000 }),
      op('put', base, { size: { kind: 'uniform', min: 0, max: 9000 } }),
      op('stat', `${base}prepared-*`),
      op('list', base),
    ]
    const ran = await runStage(engine, operations(ops, 200, { prepared: [set], verify: true, concurrency: 8 }))
    expect(ran).toMatchObject({ status: 'ok', errorSamples: [] })
    for (const { op } of ops) expect(countOf(ran, op).count, op).toBeGreaterThan(0)
    expect(ran.stats.every(({ totalNs, count }) => totalNs > count * 1000)).toBe(true)
    const written = (await keysBelow(place)).filter((name) => name.startsWith('obj_'))
    expect(written).toHaveLength(countOf(ran, 'put').count)
    const cleaned = await runStage(engine, cleanup([set], { putUris: [base], concurrency: 5 }))
    expect(cleaned).toMatchObject({ status: 'ok', objects: { deleted: 30 + written.length } })
    expect(await keysBelow(place)).toEqual([])
  })

  it.each([8, 80])('do not mix their contents where %i of them are under way', async (concurrency) => {
    const { base } = await startStorage()
    const set = objectSet(base, { count: 100, size: { kind: 'fixed', bytes: 300_001 } })
    expect(await runStage(engine, prepare([set], { concurrency }))).toMatchObject({ objects: { created: 100 } })
    const get = op('get', `${base}prepared-*`)
    const ran = await runStage(engine, operations([get], 300, { prepared: [set], verify: true, concurrency }))
    expect(ran).toMatchObject({ status: 'ok', errorSamples: [] })
    expect(countOf(ran, 'get')).toEqual({ count: 300, bytes: 300 * 300_001, errors: 0 })
    expect((await runStage(engine, cleanup([set], { concurrency }))).objects.deleted).toBe(100)
  })

  it('have the bytes that any other client reads, in one request or in parts', async () => {
    const place = await startStorage()
    const { base } = place
    const small = objectSet(base, { count: 2, size: { kind: 'fixed', bytes: 70_001 } })
    const large = objectSet(base, { count: 1, size: { kind: 'fixed', bytes: 3_000_001 }, namePrefix: 'large' })
    expect(await runStage(engine, prepare([small, large]))).toMatchObject({ status: 'ok', objects: { created: 3 } })
    const name = 'prepared-00000001.dat'
    expect((await download(place, name)).equals(contentOf(base, name, 70_001))).toBe(true)
    const other = 'large-00000000.dat'
    expect((await download(place, other)).equals(contentOf(base, other, 3_000_001))).toBe(true)
    const parts = op('put', `${base}up-`, { size: { kind: 'fixed', bytes: 11_000_001 }, partBytes: 5 << 20 })
    const ran = await runStage(engine, operations([parts], 1))
    expect(ran).toMatchObject({ status: 'ok', errorSamples: [] })
    expect(countOf(ran, 'put')).toEqual({ count: 1, bytes: 11_000_001, errors: 0 })
    const uploaded = (await keysBelow(place)).find((key) => key.startsWith('up-')) ?? ''
    expect((await download(place, uploaded)).equals(contentOf(base, uploaded, 11_000_001))).toBe(true)
    const Key = `${base}${uploaded}`.slice(`s3://${place.bucket}/`.length)
    const { ETag } = await sdk(place).send(new HeadObjectCommand({ Bucket: place.bucket, Key }))
    expect(ETag).toMatch(/-3"$/)
    await runStage(engine, cleanup([small, large], { putUris: [`${base}up-`] }))
    expect(await keysBelow(place)).toEqual([])
  })

  it('that others made are listed, whatever their names, and read', async () => {
    const place = await startStorage()
    const client = sdk(place)
    const prefix = place.base.slice(`s3://${place.bucket}/`.length)
    const odd = ['a b+c%20.bin', 'ä/ö&<>"\'.bin', "x!*'().bin"]
    for (const name of odd) {
      await client.send(new PutObjectCommand({ Bucket: place.bucket, Key: prefix + name, Body: 'twelve bytes' }))
    }
    const read = await runStage(engine, operations([op('get', `${place.base}*.bin`)], 20))
    expect(read).toMatchObject({ status: 'ok', errorSamples: [] })
    const { count, bytes } = countOf(read, 'get')
    expect(count).toBe(20)
    expect(bytes).toBe(12 * count)
    const all = await runStage(engine, operations([op('delete', `${place.base}*`)], 20))
    expect(all.objects.deleted).toBe(odd.length)
    expect(await keysBelow(place)).toEqual([])
  })

  it('are listed page by page', async () => {
    const place = await startStorage()
    const set = objectSet(place.base, { count: 1010, size: { kind: 'fixed', bytes: 1 } })
    const quick = { concurrency: 16, forceOverwrite: true }
    expect(await runStage(engine, prepare([set], quick))).toMatchObject({ status: 'ok', objects: { created: 1010 } })
    const all = await runStage(engine, operations([op('delete', `${place.base}*`)], 2000, { concurrency: 16 }))
    expect(all.objects.deleted).toBe(1010)
    expect(await keysBelow(place)).toEqual([])
  })

  it('of a tree, of several agents, of none: as on files', async () => {
    const place = await startStorage()
    const { base } = place
    const agents = ['a', 'b']
    const spec = tree(base)
    const results: StageResult[] = []
    for (const i of agents.keys())
      results.push(await runStage(engine, prepare([], { trees: [spec] }), agentOf(agents, i)))
    expect(results.map(({ objects }) => objects.created)).toEqual([6, 6])
    expect(await keysBelow(place)).toContain('d1_w1.dir/d2_w1.dir/file_00000000.dat')
    const empty = await runStage(engine, operations([op('get', `${base}nothing-*`)], 1))
    expect(empty).toMatchObject({ status: 'failed', code: 'NO_OBJECTS' })
    await runStage(engine, cleanup([], { trees: [spec] }), context())
    expect(await keysBelow(place)).toEqual([])
  })

  it('are verified: another content is an error of the get', async () => {
    const place = await startStorage()
    const { base } = place
    const set = objectSet(base, { count: 2, size: { kind: 'fixed', bytes: 2_100_000 } })
    await runStage(engine, prepare([set]))
    const name = 'prepared-00000000.dat'
    const wrong = contentOf(base, name, 2_100_000)
    wrong.writeUInt8((wrong[2_000_000] ?? 0) ^ 1, 2_000_000)
    const Key = `${base}${name}`.slice(`s3://${place.bucket}/`.length)
    await sdk(place).send(new PutObjectCommand({ Bucket: place.bucket, Key, Body: wrong }))
    const ran = await runStage(engine, operations([op('get', `${base}*`)], 30, { prepared: [set], verify: true }))
    expect(countOf(ran, 'get').count).toBeGreaterThan(0)
    expect(countOf(ran, 'get').errors).toBeGreaterThan(0)
    expect(ran.errorSamples[0]?.message).toContain('byte 2000000 is not what was written')
    await runStage(engine, cleanup([set]))
  })

  it('by two hosts that show the same bucket are deleted once', async () => {
    const place = await startStorage()
    const { base, endpoint } = place
    const named = base.replace('s3://', `s3://${new URL(endpoint).host}/`)
    const both = startEngine(resolveContainment([base, named], false))
    const work = operations([op('put', base, { uris: [`${base}x-`, `${named}x-`] })], 60, { concurrency: 16 })
    expect(countOf(await runStage(both, work), 'put')).toMatchObject({ count: 60, errors: 0 })
    expect(await keysBelow(place)).toHaveLength(60)
    const cleaned = await runStage(both, cleanup([], { putUris: [`${base}x-`, `${named}x-`], concurrency: 16 }))
    expect(cleaned).toMatchObject({ status: 'ok', objects: { deleted: 60 } })
    expect(await keysBelow(place)).toEqual([])
  })
})
