/**
 * One client under load, on the runtime that runs this: CLIENT OP BYTES OBJECTS SECONDS LANES. The endpoint, the base
 * (`s3://bucket/prefix/`) and the credentials are in the environment. Prints one line of JSON.
 */

import aws4 from 'aws4'
import { Pool } from 'undici'
import { createEngine, now, resolveContainment, type StageResult } from '../../src/io/mod.ts'
import { Signer } from '../../src/io/stores/s3/signer.ts'

const [client = '', op = '', ...numbers] = process.argv.slice(2)
const [bytes = 4096, objects = 1000, seconds = 3, lanes = 32] = numbers.map(Number)
const base = process.env.BENCH_BASE ?? ''
const endpoint = process.env.AWS_ENDPOINT_URL ?? ''
const [bucket = '', ...prefix] = base.slice('s3://'.length).split('/')

/** Lanes run this long before they are measured. */
const WARMUP_MS = 1000

export interface Figures {
  readonly opsPerSecond: number
  readonly cpuUsPerOp: number
  readonly errors: number
}

type Request = (key: string) => Promise<unknown>

function cpuUs(): number {
  const { user, system } = process.cpuUsage()
  return user + system
}

/** Objects of a prepare by this project: all clients read the same. */
function keyOf(number: number): string {
  return `${prefix.join('/')}prepared-${String(number).padStart(8, '0')}.dat`
}

/** As many loops as lanes, each with one request under way. */
async function measureLoops(request: Request): Promise<Figures> {
  let [ops, errors, isOver, turn] = [0, 0, false, 0]
  const lane = async (): Promise<void> => {
    while (!isOver) {
      try {
        await request(keyOf(turn++ % objects))
        ops++
      } catch {
        errors++
      }
    }
  }
  const running = Array.from({ length: lanes }, lane)
  await new Promise((resolve) => setTimeout(resolve, WARMUP_MS))
  const before = { ops, cpu: cpuUs(), at: performance.now() }
  await new Promise((resolve) => setTimeout(resolve, 1000 * seconds))
  const done = ops - before.ops
  const figures = {
    opsPerSecond: (1000 * done) / (performance.now() - before.at),
    cpuUsPerOp: (cpuUs() - before.cpu) / done,
    errors,
  }
  isOver = true
  await Promise.all(running)
  return figures
}

const body = Buffer.alloc(bytes, 0x5a)

function aws4OverUndici(): Request {
  const { host, origin } = new URL(endpoint)
  const pool = new Pool(origin, { connections: lanes, pipelining: 1 })
  const method = op === 'put' ? 'PUT' : 'GET'
  return async (key) => {
    const path = `/${bucket}/${key}`
    const headers = { 'X-Amz-Content-Sha256': 'UNSIGNED-PAYLOAD' }
    const signed = aws4.sign({ service: 's3', region: 'us-east-1', method, host, path, headers })
    const answer = await pool.request({
      method,
      path,
      headers: signed.headers as Record<string, string>,
      body: op === 'put' ? body : null,
    })
    for await (const _ of answer.body) {
      // Read to its end, and not kept.
    }
    if (answer.statusCode >= 300) throw new Error(`answered with ${answer.statusCode}`)
  }
}

/** What an engine could not do without: signatures with a kept key, undici without its conveniences, bodies not kept. */
function signerOverDispatch(): Request {
  const { host, origin } = new URL(endpoint)
  const pool = new Pool(origin, { connections: lanes, pipelining: 1 })
  const { AWS_ACCESS_KEY_ID: accessKeyId = '', AWS_SECRET_ACCESS_KEY: secretAccessKey = '' } = process.env
  const signer = new Signer({ accessKeyId, secretAccessKey, sessionToken: null }, 'us-east-1', host)
  const method = op === 'put' ? 'PUT' : 'GET'
  return (key) => {
    const path = `/${bucket}/${key}`
    const headers = signer.sign(method, path, '')
    return new Promise<void>((resolve, reject) => {
      let status = 0
      pool.dispatch(
        { method, path, headers, body: op === 'put' ? body : null },
        {
          onRequestStart: () => {},
          onResponseStart: (_controller, code) => {
            status = code
          },
          onResponseData: () => {},
          onResponseEnd: () => (status < 300 ? resolve() : reject(new Error(`answered with ${status}`))),
          onResponseError: (_controller, error) => reject(error),
        },
      )
    })
  }
}

async function awsSdk(): Promise<Request> {
  const { GetObjectCommand, PutObjectCommand, S3Client } = await import('@aws-sdk/client-s3')
  const s3 = new S3Client({
    endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  })
  return async (Key) => {
    if (op === 'put') return await s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body: body }))
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key }))
    return await Body?.transformToByteArray()
  }
}

const data = { fill: 'random', dedupFactor: 1, compressFactor: 1 } as const
const set = { baseUris: [base], count: objects, size: { kind: 'fixed', bytes }, data, prefixShards: 1 } as const
const shared = { trees: [], sharing: 'concurrent', concurrency: lanes } as const

/** The engine as a plan uses it: threads, choice of objects, contents, figures and all. */
async function measureEngine(): Promise<Figures> {
  const stage = await runStage({
    ...shared,
    type: 'execute',
    ops: [
      {
        op: op === 'put' ? 'put' : 'get',
        weight: 1,
        uris: [op === 'put' ? base : `${base}prepared-*`],
        size: op === 'put' ? set.size : null,
        data,
        concurrency: null,
        rangeBytes: null,
        partBytes: null,
      },
    ],
    durationMs: 1000 * seconds,
    opsMax: null,
    warmupMs: WARMUP_MS,
    rate: { opsPerSecond: null, arrivals: 'fixed' },
    pathSelection: 'random',
    prepared: [set],
    endpointStrategy: 'round_robin',
    verify: false,
    opTimeoutMs: 60_000,
    perfLogIntervalMs: 1000,
  })
  const { result, cpu } = stage
  const ops = result.stats.reduce((sum, { count }) => sum + count, 0)
  const errors = result.stats.reduce((sum, one) => sum + one.errors, 0)
  return { opsPerSecond: ops / result.seconds, cpuUsPerOp: cpu / ops, errors }
}

/** `cpu`: of the time after the warm-up, as for the others. */
async function runStage(
  work: Parameters<ReturnType<typeof createEngine>['arm']>[0],
): Promise<{ result: StageResult; cpu: number }> {
  const engine = createEngine(resolveContainment([base], false), { endpoint })
  const stage = await engine.arm(work, {
    run: 'bench',
    plan: 1,
    stage: op,
    sequence: 1,
    agent: 'a',
    agentIndex: 0,
    agents: ['a'],
    seed: 1,
  })
  let cpu = 0
  const onStarted = (): void => {
    setTimeout(() => {
      cpu = cpuUs()
    }, WARMUP_MS)
  }
  const result = await stage.run({ startAt: now(), signal: new AbortController().signal, onStarted })
  const used = cpuUs() - cpu
  await engine.close()
  if (result.status === 'failed') throw new Error(result.reason)
  return { result, cpu: used }
}

async function measure(): Promise<Figures | null> {
  if (client === 'paceline') return await measureEngine()
  if (client === 'aws4+undici') return await measureLoops(aws4OverUndici())
  if (client === 'signer+dispatch') return await measureLoops(signerOverDispatch())
  if (client === 'aws-sdk') return await measureLoops(await awsSdk())
  // What the others read.
  const prepare = { type: 'prepare', objects: [set], skipVerification: false, forceOverwrite: false } as const
  const cleanup = { type: 'cleanup', objects: [set], putUris: [base], mode: 'tolerant' } as const
  await runStage(
    client === 'cleanup'
      ? { ...shared, ...cleanup }
      : { ...shared, ...prepare, strategy: 'sequential', postDelayMs: 0 },
  )
  return null
}

console.log(JSON.stringify(await measure()))
process.exit(0)
