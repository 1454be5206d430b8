/** S3 servers for tests: one in memory that behaves, and one that misbehaves as it is told. */

import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3'
import { startFauxqs } from 'fauxqs'
import { afterAll } from 'vitest'
import { createEngine, type Engine, resolveContainment } from '../../src/io/mod.ts'
import { onCleanup } from './helpers.ts'

export const CREDENTIALS = { accessKeyId: 'AKTESTKEY', secretAccessKey: 'a-secret-that-nobody-may-see' } as const

export const BUCKET = process.env.PACELINE_TEST_S3_BUCKET ?? 'bucket'

const VARIABLES = {
  AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
  AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
  AWS_REGION: 'us-east-1',
  AWS_CA_BUNDLE: undefined,
}

/** Sets variables of this process until the test ends; undefined takes one away. */
export function setEnvironment(variables: Readonly<Record<string, string | undefined>>): void {
  for (const [name, value] of Object.entries(variables)) {
    const before = process.env[name]
    onCleanup(() => {
      if (before === undefined) delete process.env[name]
      else process.env[name] = before
    })
    if (value === undefined) delete process.env[name]
    else process.env[name] = value
  }
}

export interface Place {
  /** `http://host:port`. */
  readonly endpoint: string
  readonly bucket: string
  /** `s3://bucket/prefix/`. */
  readonly base: string
}

/**
 * A server that keeps objects: the one that PACELINE_TEST_S3_ENDPOINT names (with PACELINE_TEST_S3_BUCKET, which must be
 * there, and credentials in the AWS variables), else one in this process.
 */
export async function startStorage(): Promise<Place> {
  const external = process.env.PACELINE_TEST_S3_ENDPOINT
  if (external !== undefined) {
    setEnvironment({ AWS_ENDPOINT_URL: external, AWS_ENDPOINT_URL_S3: undefined })
    return placeAt(external, BUCKET, `s3://${BUCKET}/test-${randomUUID()}/`)
  }
  const server = await startFauxqs({ port: 0, logger: false })
  onCleanup(() => server.stop())
  server.createBucket(BUCKET)
  const endpoint = `http://127.0.0.1:${server.port}`
  setEnvironment({ ...VARIABLES, AWS_ENDPOINT_URL: endpoint, AWS_ENDPOINT_URL_S3: undefined })
  return placeAt(endpoint, BUCKET, `s3://${BUCKET}/dir/`)
}

function placeAt(endpoint: string, bucket: string, base: string): Place {
  return { endpoint, bucket, base }
}

export function sdk({ endpoint }: Place): S3Client {
  // Servers of other makers do not know the checksums that the SDK adds by itself.
  const client = new S3Client({
    endpoint,
    forcePathStyle: true,
    region: 'us-east-1',
    requestChecksumCalculation: 'WHEN_REQUIRED',
  })
  onCleanup(() => client.destroy())
  return client
}

/** As another client sees them, without the prefix of the place; a page of them. */
export async function keysBelow(place: Place): Promise<string[]> {
  const prefix = place.base.slice(`s3://${place.bucket}/`.length)
  const page = await sdk(place).send(new ListObjectsV2Command({ Bucket: place.bucket, Prefix: prefix }))
  return (page.Contents ?? []).map(({ Key = '' }) => Key.slice(prefix.length)).sort()
}

/** One engine for the tests of a file, which finds the server of each in the environment. */
export function sharedEngine(): Engine {
  const engine = createEngine(resolveContainment([`s3://${BUCKET}/`], false))
  afterAll(() => engine.close())
  return engine
}

export type Answer = (request: IncomingMessage, response: ServerResponse, count: number) => void

export interface ScriptedServer extends Place {
  /** Requests so far. */
  readonly requests: readonly {
    readonly method: string
    readonly url: string
    readonly headers: IncomingMessage['headers']
  }[]
  /** Made so far. */
  connections(): number
  /** Ends it with all its connections, as a kill would. */
  kill(): void
}

/** A server whose every answer is written by the test; bodies of requests are read first. */
export async function startScript(answer: Answer): Promise<ScriptedServer> {
  const requests: ScriptedServer['requests'][number][] = []
  const sockets = new Set<Socket>()
  const server = createServer((request, response) => {
    const { method = '', url = '', headers } = request
    requests.push({ method, url, headers })
    const count = requests.length
    request.on('end', () => answer(request, response, count)).resume()
  })
  let connections = 0
  server.on('connection', (socket) => {
    connections++
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => {})
  })
  const kill = (): void => {
    server.close()
    for (const socket of sockets) socket.destroy()
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onCleanup(kill)
  const { port } = server.address() as AddressInfo
  const endpoint = `http://127.0.0.1:${port}`
  setEnvironment({ ...VARIABLES, AWS_ENDPOINT_URL: endpoint, AWS_ENDPOINT_URL_S3: undefined })
  return {
    ...placeAt(endpoint, BUCKET, `s3://${BUCKET}/dir/`),
    requests,
    kill,
    connections: () => connections,
  }
}

export function sendError(response: ServerResponse, status: number, code: string, message = 'for a test'): void {
  response.writeHead(status, { 'content-type': 'application/xml' })
  response.end(`<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`)
}
