import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { type ExecuteWork, resolveContainment, type StageResult } from '../../src/io/mod.ts'
import {
  cleanup,
  context,
  countOf,
  objectSet,
  onCleanup,
  op,
  operations,
  prepare,
  runStage,
  startEngine,
  tempFolder,
  tree,
  validation,
} from './helpers.ts'
import { CREDENTIALS, sendError, setEnvironment, sharedEngine, startScript } from './s3-servers.ts'

const engine = sharedEngine()

const BODY = Buffer.alloc(4096, 1)

function sendObject(response: ServerResponse): void {
  response.writeHead(200, { 'content-length': BODY.length }).end(BODY)
}

function messagesOf(result: StageResult): string {
  return result.errorSamples.map(({ message }) => message).join('\n')
}

/** So many gets of prepared objects of 4 KiB. */
function gets(base: string, opsMax: number, more: Partial<ExecuteWork> = {}): ExecuteWork {
  return operations([op('get', `${base}prepared-*`)], opsMax, { prepared: [objectSet(base)], ...more })
}

describe('an S3 server that says no', () => {
  it('missing objects are errors of their kind, and the stage goes on', async () => {
    const script = await startScript((request, response) => {
      if (request.url?.endsWith('7.dat')) sendError(response, 404, 'NoSuchKey')
      else sendObject(response)
    })
    const ran = await runStage(engine, gets(script.base, 300))
    const { count, bytes, errors } = countOf(ran, 'get')
    expect(ran.status).toBe('ok')
    expect([count > 0, bytes === 4096 * count, errors > 0]).toEqual([true, true, true])
    expect(ran.objects.missing).toBe(errors)
    expect(ran.errorSamples).toEqual([
      { message: expect.stringContaining('7.dat: does not exist (404'), count: errors },
    ])
    expect(script.requests).toHaveLength(count + errors)
  })

  it('a strict cleanup notices what is missing, which a delete alone would not', async () => {
    const script = await startScript(({ url, method }, response) => {
      if (url?.endsWith('7.dat') && method === 'HEAD') response.writeHead(404).end()
      else if (method === 'HEAD') response.writeHead(200, { 'content-length': 4096 }).end()
      else response.writeHead(204).end()
    })
    const set = objectSet(script.base, { count: 10 })
    const strict = await runStage(engine, cleanup([set], { mode: 'strict' }))
    expect(strict).toMatchObject({ status: 'failed', code: 'CLEANUP_INCOMPLETE', objects: { deleted: 9 } })
    expect(strict.reason).toContain('prepared-00000007.dat: does not exist')
    const tolerant = await runStage(engine, cleanup([set]))
    expect(tolerant).toMatchObject({ status: 'ok', objects: { deleted: 10 } })
  })

  it('denied access fails validation and prepare at once, and is counted by a workload', async () => {
    const script = await startScript((_request, response) => sendError(response, 403, 'AccessDenied', 'not yours'))
    const checked = await runStage(engine, validation(script.base, true))
    expect(checked).toMatchObject({ status: 'failed', code: 'FORBIDDEN' })
    expect(checked.reason).toMatch(/s3:\/\/bucket\/dir\/.*access was denied \(403 AccessDenied\): not yours/)
    const before = script.requests.length
    const made = await runStage(engine, prepare([objectSet(script.base)], { forceOverwrite: true }))
    expect(made).toMatchObject({ status: 'failed', code: 'PREPARE_INCOMPLETE' })
    expect(script.requests.length - before).toBeLessThanOrEqual(4)
    const ran = await runStage(engine, gets(script.base, 10))
    expect(ran.status).toBe('ok')
    expect(countOf(ran, 'get')).toEqual({ count: 0, bytes: 0, errors: 10 })
    expect(messagesOf(ran)).toContain('access was denied')
    expect(ran.warnings.join()).toContain('Every operation failed')
  })

  it('no bucket, no server, a wrong key: validation says what to do', async () => {
    const script = await startScript((request, response) => {
      if (request.url?.startsWith('/bucket/nobucket')) sendError(response, 404, 'NoSuchBucket')
      else sendError(response, 403, 'SignatureDoesNotMatch', `the key ${CREDENTIALS.secretAccessKey} is wrong`)
    })
    const missing = await runStage(engine, validation('s3://bucket/nobucket/', true))
    expect(missing).toMatchObject({ status: 'failed', code: 'NOT_REACHABLE' })
    expect(missing.reason).toContain('the bucket does not exist (404 NoSuchBucket): create the bucket')
    const wrong = await runStage(engine, validation(script.base, true))
    expect(wrong.reason).toContain('SignatureDoesNotMatch): check the secret key')
    script.kill()
    const gone = await runStage(engine, validation(script.base, false))
    expect(gone).toMatchObject({ status: 'failed', code: 'NOT_REACHABLE' })
    expect(gone.reason).toContain('nothing listens there (ECONNREFUSED): check the endpoint')
  })

  it('without credentials nothing is sent; they come from files, too', async () => {
    const script = await startScript((_request, response) => sendObject(response))
    const home = tempFolder()
    setEnvironment({
      AWS_ACCESS_KEY_ID: undefined,
      AWS_SECRET_ACCESS_KEY: undefined,
      AWS_SESSION_TOKEN: undefined,
      AWS_PROFILE: 'ours.dot',
      AWS_SHARED_CREDENTIALS_FILE: `${home}/credentials`,
      AWS_CONFIG_FILE: `${home}/config`,
    })
    for (const work of [validation(script.base, false), gets(script.base, 1), cleanup([objectSet(script.base)])]) {
      const result = await runStage(engine, work)
      expect(result).toMatchObject({ status: 'failed', code: 'NO_CREDENTIALS' })
      expect(result.reason).toContain('set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or fill profile "ours.dot"')
    }
    expect(script.requests).toEqual([])
    const pair = 'aws_access_key_id = AKFILE\naws_secret_access_key = from/file+1\naws_session_token = tok'
    writeFileSync(`${home}/credentials`, `[default]\naws_access_key_id = x\n[ours.dot]\n${pair}\n`)
    const ran = await runStage(engine, gets(script.base, 3))
    expect(countOf(ran, 'get').count).toBe(3)
    const headers = script.requests[0]?.headers
    expect(headers?.authorization).toContain('Credential=AKFILE/')
    expect(headers?.['x-amz-security-token']).toBe('tok')
  })
})

describe('an S3 server in trouble', () => {
  it('a 503 storm is counted, repeated within bounds, and ends nothing', async () => {
    setEnvironment({ AWS_MAX_ATTEMPTS: '2' })
    const script = await startScript((_request, response) => sendError(response, 503, 'SlowDown'))
    const ran = await runStage(engine, gets(script.base, 20, { concurrency: 8 }))
    expect(ran).toMatchObject({ status: 'ok', repeated: 20 })
    expect(countOf(ran, 'get')).toEqual({ count: 0, bytes: 0, errors: 20 })
    expect(script.requests).toHaveLength(40)
    expect(ran.errorSamples).toEqual([
      { message: expect.stringContaining('the storage was too busy (503 SlowDown)'), count: 20 },
    ])
    expect(ran.warnings.join()).toContain('20 attempts were repeated, 20 of them because')
  })

  it('what succeeds when it is repeated is a success; its latency has all attempts', async () => {
    const failed = new Set<string>()
    const script = await startScript((request, response) => {
      const { url = '' } = request
      if (failed.has(url)) return sendObject(response)
      failed.add(url)
      if (failed.size % 2 === 0) request.socket.destroy()
      else sendError(response, 500, 'InternalError')
    })
    const ran = await runStage(engine, gets(script.base, 40, { concurrency: 4 }))
    expect(ran).toMatchObject({ status: 'ok', errorSamples: [], repeated: failed.size })
    expect(script.requests).toHaveLength(countOf(ran, 'get').count + failed.size)
  })

  it('connections that are reset: errors after as many attempts as AWS_MAX_ATTEMPTS says', async () => {
    setEnvironment({ AWS_MAX_ATTEMPTS: '2' })
    const script = await startScript((request) => request.socket.destroy())
    const ran = await runStage(engine, gets(script.base, 10))
    expect(ran).toMatchObject({ status: 'ok', repeated: 10 })
    expect(countOf(ran, 'get')).toEqual({ count: 0, bytes: 0, errors: 10 })
    expect(script.requests).toHaveLength(20)
    expect(messagesOf(ran)).toContain('the connection was closed')
  })

  it('answers that end early, and objects that are too short, are told apart from others', async () => {
    const script = await startScript((request, response) => {
      if (request.url?.endsWith('0.dat')) response.writeHead(200, { 'content-length': 100 }).end(BODY.subarray(0, 100))
      else {
        response.writeHead(200, { 'content-length': 4096 })
        response.write(BODY.subarray(0, 300), () => request.socket.destroy())
      }
    })
    const ran = await runStage(engine, gets(script.base, 10))
    expect(ran.status).toBe('ok')
    expect(countOf(ran, 'get')).toEqual({ count: 0, bytes: 0, errors: 10 })
    expect(ran.errorSamples).toHaveLength(1)
    expect(messagesOf(ran)).toMatch(/ends after 100 bytes, expected are 4096|closed after 300 bytes of the answer/)
    expect(ran.repeated).toBe(0)
  })

  it('answers that do not come are cut off after the time allowed, and the stage ends', async () => {
    const script = await startScript((_request, response, count) => {
      if (count > 4) sendObject(response)
    })
    const ran = await runStage(engine, gets(script.base, 10, { opTimeoutMs: 500 }))
    expect(ran.status).toBe('ok')
    expect(countOf(ran, 'get')).toEqual({ count: 6, bytes: 6 * 4096, errors: 4 })
    expect(messagesOf(ran)).toContain('no complete answer within 500 ms')
  })

  it('is slow: latencies say so, and the stage ends when it should', async () => {
    const script = await startScript((_request, response) => {
      setTimeout(() => sendObject(response), 50)
    })
    const ran = await runStage(engine, { ...gets(script.base, 0), opsMax: null, durationMs: 400, concurrency: 4 })
    const { count, bytes, errors } = countOf(ran, 'get')
    expect([ran.status, bytes, errors]).toEqual(['ok', 4096 * count, 0])
    expect(count).toBeGreaterThan(0)
    expect(count).toBeLessThanOrEqual(4 * 8)
    const totalNs = ran.stats.reduce((sum, stats) => sum + stats.totalNs, 0)
    expect(totalNs / count).toBeGreaterThan(49e6)
    expect(script.requests).toHaveLength(count)
  })

  it('is full: a prepare fails at the first object, a workload counts it', async () => {
    const script = await startScript((_request, response) => sendError(response, 507, 'XMinioStorageFull', 'no space'))
    const made = await runStage(engine, prepare([objectSet(script.base)], { forceOverwrite: true }))
    expect(made).toMatchObject({ status: 'failed', code: 'PREPARE_INCOMPLETE', objects: { created: 0 } })
    expect(made.reason).toContain('the storage is full (507 XMinioStorageFull): no space')
    // One for each lane.
    expect(script.requests.length).toBeLessThanOrEqual(2)
    const ran = await runStage(engine, operations([op('put', script.base)], 20))
    expect(ran).toMatchObject({ status: 'ok', repeated: 0 })
    expect(countOf(ran, 'put')).toEqual({ count: 0, bytes: 0, errors: 20 })
  })

  it('is killed: what was done until then counts, the rest is errors; a prepare fails', async () => {
    const script = await startScript((_request, response, count) => {
      if (count === 50) script.kill()
      else sendObject(response)
    })
    const ran = await runStage(engine, gets(script.base, 60))
    const { count, bytes, errors } = countOf(ran, 'get')
    expect(ran.status).toBe('ok')
    expect([count >= 48, count + errors, bytes]).toEqual([true, 60, 4096 * count])
    expect(messagesOf(ran)).toContain('ECONNREFUSED')
    const set = objectSet(script.base, { count: 2 })
    const made = await runStage(engine, prepare([set], { forceOverwrite: true }))
    expect(made).toMatchObject({ status: 'failed', code: 'PREPARE_INCOMPLETE', objects: { created: 0 } })
    expect(made.reason).toContain('nothing listens there')
  })

  it('hangs: a cancelled stage ends within a second, without errors that nobody answered', async () => {
    const cancel = new AbortController()
    const script = await startScript((_request, _response, count) => {
      if (count === 2) cancel.abort(new Error('enough'))
    })
    const ran = await runStage(engine, gets(script.base, 10), context(), { signal: cancel.signal })
    expect(ran).toMatchObject({ status: 'failed', code: 'CANCELLED', errorSamples: [], warnings: [] })
    expect(countOf(ran, 'get')).toEqual({ count: 0, bytes: 0, errors: 0 })
  })

  it('least_connections leaves a slow endpoint alone', async () => {
    const held: ServerResponse[] = []
    // Whoever took turns would wait here for ever.
    const slow = await startScript((_request, response) => {
      if (quick.requests.length >= 30) sendObject(response)
      else held.push(response)
    })
    const quick = await startScript((_request, response, count) => {
      sendObject(response)
      if (count >= 30) for (const one of held.splice(0)) sendObject(one)
    })
    const bases = [slow, quick].map(({ endpoint, base }) => base.replace('s3://', `s3://${new URL(endpoint).host}/`))
    const own = startEngine(resolveContainment(bases, false))
    const get = op('get', '', { uris: bases.map((base) => `${base}prepared-*`) })
    const work = operations([get], 60, {
      prepared: [objectSet('', { baseUris: bases })],
      endpointStrategy: 'least_connections',
      concurrency: 8,
    })
    const ran = await runStage(own, work)
    expect(countOf(ran, 'get')).toEqual({ count: 60, bytes: 60 * 4096, errors: 0 })
    expect(slow.requests.length).toBeGreaterThan(0)
    expect(quick.requests.length).toBeGreaterThanOrEqual(30)
  })

  it('a range that is ignored is no success', async () => {
    const script = await startScript((_request, response) => sendObject(response))
    const ranged = op('get', `${script.base}prepared-*`, { rangeBytes: 512 })
    const work = operations([ranged], 3, { prepared: [objectSet(script.base)] })
    const ran = await runStage(engine, work)
    expect(countOf(ran, 'get')).toEqual({ count: 0, bytes: 0, errors: 3 })
    expect(messagesOf(ran)).toContain('ignored the range')
  })

  it('an upload that fails in one part, or at its very end, is aborted', async () => {
    const script = await startScript((request, response, count) => {
      const { method, url = '' } = request
      if (method === 'POST' && url.endsWith('?uploads=')) {
        response.end(`<InitiateMultipartUploadResult><UploadId>id/${count}</UploadId></InitiateMultipartUploadResult>`)
      } else if (method === 'PUT' && url.includes('partNumber=2') && url.includes('id%2F1')) {
        sendError(response, 400, 'BadDigest')
      } else if (method === 'PUT') response.writeHead(200, { etag: '"tag"' }).end()
      else if (method === 'POST') response.end('<Error><Code>InternalError</Code><Message>sorry</Message></Error>')
      else response.writeHead(204).end()
    })
    const large = op('put', script.base, { size: { kind: 'fixed', bytes: 6 << 20 }, partBytes: 5 << 20 })
    const work = operations([large], 2, { concurrency: 1 })
    const ran = await runStage(engine, work)
    expect(countOf(ran, 'put')).toEqual({ count: 0, bytes: 0, errors: 2 })
    const aborted = script.requests.filter(({ method }) => method === 'DELETE').map(({ url }) => url.split('?')[1])
    expect(aborted).toHaveLength(2)
    expect(aborted[0]).toBe('uploadId=id%2F1')
  })
})

/** A key, and a certificate for 127.0.0.1 that no system trusts; undefined where there is nothing to make them with. */
function makeCertificate(): { readonly key: Buffer; readonly cert: Buffer } | undefined {
  const folder = tempFolder()
  const [key, cert] = [`${folder}/key.pem`, `${folder}/cert.pem`]
  const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=paceline test']
  const names = ['-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert]
  const { status } = spawnSync('openssl', [...request, ...names])
  return status === 0 ? { key: readFileSync(key), cert: readFileSync(cert) } : undefined
}

describe('AWS_CA_BUNDLE', () => {
  it('is not read on the way to an endpoint without certificates, and its lack fails validation of others', async () => {
    const script = await startScript((_request, response) => sendObject(response))
    setEnvironment({ AWS_CA_BUNDLE: '/no/such/bundle.pem' })
    expect(countOf(await runStage(engine, gets(script.base, 3)), 'get').count).toBe(3)
    setEnvironment({ AWS_ENDPOINT_URL: 'https://127.0.0.1:9' })
    const checked = await runStage(engine, validation(script.base, true))
    expect(checked).toMatchObject({ status: 'failed', code: 'BAD_URI' })
    expect(checked.reason).toContain('certificates that AWS_CA_BUNDLE names')
  })

  const made = makeCertificate()
  it.skipIf(made === undefined)('names whom to trust; who is in no bundle is not spoken to', async () => {
    if (made === undefined) return
    const server = createServer(made, (_request, response) => sendObject(response))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onCleanup(() => {
      server.close()
      server.closeAllConnections()
    })
    const { port } = server.address() as AddressInfo
    const { base } = await startScript((_request, response) => sendObject(response))
    setEnvironment({ AWS_ENDPOINT_URL: `https://127.0.0.1:${port}` })
    const refused = await runStage(engine, gets(base, 3))
    expect(countOf(refused, 'get')).toEqual({ count: 0, bytes: 0, errors: 3 })
    expect(messagesOf(refused)).toContain('certificate')
    const bundle = `${tempFolder()}/bundle.pem`
    writeFileSync(bundle, made.cert)
    setEnvironment({ AWS_CA_BUNDLE: bundle })
    expect(countOf(await runStage(engine, gets(base, 3), context({ sequence: 2 })), 'get').count).toBe(3)
  })
})

describe('what S3 must not do', () => {
  it('secrets appear in no result, whatever happens', async () => {
    const script = await startScript((request, response) => {
      const { authorization = '' } = request.headers
      sendError(response, 403, 'SignatureDoesNotMatch', authorization)
    })
    const results = [
      await runStage(engine, validation(script.base, true)),
      await runStage(engine, gets(script.base, 3)),
      await runStage(engine, prepare([objectSet(script.base)])),
    ]
    const text = JSON.stringify(results)
    expect(text).not.toContain(CREDENTIALS.secretAccessKey)
    expect(text).not.toContain(CREDENTIALS.accessKeyId)
  })

  it('keys do not leave the prefix that was allowed, and hosts are allowed by name', async () => {
    const script = await startScript((_request, response) => sendObject(response))
    const narrow = startEngine(resolveContainment([script.base], false))
    const other = 's3://bucket/other/'
    const named = `s3://${new URL(script.endpoint).host}/bucket/dir/`
    for (const uri of [other, 's3://bucket/', named, `${script.base}../other/`]) {
      const result = await runStage(narrow, validation(uri, true))
      expect(result, uri).toMatchObject({ status: 'failed', code: 'NOT_ALLOWED' })
    }
    const refused = await runStage(narrow, operations([op('put', other)], 1))
    expect(refused.reason).toContain(`--allow ${other}`)
    const sly = tree(script.base, { dirMask: '..', fileMask: '%d', depth: 1 })
    const made = await runStage(narrow, prepare([], { trees: [sly] }))
    expect(made).toMatchObject({ status: 'failed', code: 'NOT_ALLOWED' })
    expect(script.requests).toEqual([])
    const allowed = startEngine(resolveContainment([named], false))
    expect((await runStage(allowed, validation(named, true))).code).not.toBe('NOT_ALLOWED')
    expect(script.requests.length).toBeGreaterThan(0)
  })

  it('connections are not made anew for every request', async () => {
    const script = await startScript((request, response) => {
      if (request.method === 'HEAD') response.writeHead(200, { 'content-length': 4096 }).end()
      else if (request.method === 'GET') sendObject(response)
      else response.writeHead(request.method === 'DELETE' ? 204 : 200).end()
    })
    const set = objectSet(script.base)
    const ops = (['stat', 'get', 'delete'] as const).map((name) => op(name, `${script.base}prepared-*`))
    const work = operations([...ops, op('put', script.base)], 100, { prepared: [set], concurrency: 3 })
    const ran = await runStage(engine, work)
    expect(ran).toMatchObject({ status: 'ok', errorSamples: [], repeated: 0 })
    expect(script.requests).toHaveLength(100)
    expect(script.connections()).toBe(3)
  })
})
