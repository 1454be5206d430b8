/**
 * A small web server to look through, never to change anything: GET and HEAD only, no bodies, few connections, and on
 * every answer the headers that keep browsers from doing more with it than showing it.
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { PacelineError } from '../errors.ts'
import { describeFailure } from '../failure.ts'
import { type Gate, isLoopback, judge } from './access.ts'
import { newToken, readToken } from './token.ts'

export interface HttpOptions {
  readonly host: string
  /** 0: any. */
  readonly port: number
  /** Null: one is made up where one is needed. */
  readonly tokenFile: string | null
}

export interface Answer {
  readonly status: number
  readonly type: string
  readonly body: string | Uint8Array
  readonly headers?: Readonly<Record<string, string>>
}

/** Answers a request, or takes over the response (null) for as long as it likes. */
export type Route = (request: IncomingMessage, response: ServerResponse) => Promise<Answer | null> | Answer | null

export interface HttpServer {
  /** "http://127.0.0.1:9100". */
  readonly url: string
  /** Made up here, and so to be told to the operator; null where there is none, or it came from a file. */
  readonly madeUpToken: string | null
  /** Until then every request is told to come back. `onDefect` hears of each answer that could not be made. */
  open(routes: ReadonlyMap<string, Route>, onDefect: (error: unknown) => void): void
  close(): Promise<void>
}

const CONNECTIONS_MAX = 128
const HEADER_BYTES_MAX = 8192
const URL_CHARS_MAX = 2048
const HEADERS_TIMEOUT_MS = 5000
const REQUEST_TIMEOUT_MS = 10_000
const KEEP_ALIVE_MS = 5000
/** For what is being sent when the server closes. */
const LAST_ANSWERS_MS = 500

const HEADERS: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
}

/** Listens. Throws PacelineError HTTP_UNAVAILABLE, HTTP_TOKEN. */
export async function startHttp({ host, port, tokenFile }: HttpOptions): Promise<HttpServer> {
  const loopback = isLoopback(host)
  const made = loopback || tokenFile !== null ? null : newToken()
  const token = tokenFile === null ? made : await readToken(tokenFile)
  const limits = {
    maxHeaderSize: HEADER_BYTES_MAX,
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
  }
  const server = createServer(limits)
  server.maxConnections = CONNECTIONS_MAX
  const address = await listen(server, host, port)
  const site = new Site({ loopback, token, port: address.port })
  server.on('request', (request, response) => void site.serve(request, response))
  const shown = address.family === 'IPv6' ? `[${address.address}]` : address.address
  return {
    url: `http://${shown}:${address.port}`,
    madeUpToken: made,
    open: (routes, onDefect) => site.open(routes, onDefect),
    close: () => close(server),
  }
}

async function listen(server: Server, host: string, port: number): Promise<AddressInfo> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  server.listen(port, host, resolve)
  try {
    await promise
  } catch (error) {
    const why = describeFailure(error).message
    const hint = 'choose another with --http HOST:PORT, or port 0 for any that is free'
    throw new PacelineError('HTTP_UNAVAILABLE', `Cannot serve the live view at ${host}:${port} (${why}): ${hint}`, {
      exitCode: 2,
      cause: error,
    })
  }
  server.removeListener('error', reject)
  // What a single connection suffers is not the node's concern.
  server.on('error', () => {})
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('A TCP server has an address')
  return address
}

async function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeIdleConnections()
  const timer = setTimeout(() => server.closeAllConnections(), LAST_ANSWERS_MS)
  await closed
  clearTimeout(timer)
}

class Site {
  readonly #gate: Gate
  #routes: ReadonlyMap<string, Route> | null = null
  #onDefect: (error: unknown) => void = () => {}

  constructor(gate: Gate) {
    this.#gate = gate
  }

  open(routes: ReadonlyMap<string, Route>, onDefect: (error: unknown) => void): void {
    this.#routes = routes
    this.#onDefect = onDefect
  }

  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // The other side may be gone at any time.
    response.on('error', () => {})
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value)
    let answer: Answer | null
    try {
      answer = await this.#answer(request, response)
    } catch (error) {
      this.#onDefect(error)
      answer = plain(500, `This is a defect: ${describeFailure(error).message}`)
    }
    if (answer !== null) send(request, response, answer)
  }

  #answer(request: IncomingMessage, response: ServerResponse): Promise<Answer | null> | Answer | null {
    const { method, headers, url: target = '' } = request
    if (method !== 'GET' && method !== 'HEAD')
      return plain(405, 'Only GET and HEAD', { allow: 'GET, HEAD', connection: 'close' })
    if (target.length > URL_CHARS_MAX) return plain(414, 'The address is too long')
    if ((headers['content-length'] ?? '0') !== '0' || headers['transfer-encoding'] !== undefined) {
      return plain(413, 'A request has no body', { connection: 'close' })
    }
    const url = URL.parse(target, 'http://localhost')
    if (url === null || !target.startsWith('/')) return plain(400, 'This is no address')
    const { host, authorization, cookie } = headers
    const verdict = judge({ host, authorization, cookie, url }, this.#gate)
    if (verdict.kind === 'refused') return refusal(verdict.status, verdict.message)
    if (verdict.kind === 'signed_in') {
      return plain(303, 'See there', { location: verdict.location, 'set-cookie': verdict.cookie })
    }
    if (this.#routes === null) return plain(503, 'The node is starting', { 'retry-after': '1' })
    const route = this.#routes.get(url.pathname)
    return route === undefined ? plain(404, 'There is no such page') : route(request, response)
  }
}

function refusal(status: 401 | 403, message: string): Answer {
  return plain(status, message, status === 401 ? { 'www-authenticate': 'Bearer realm="paceline"' } : {})
}

function plain(status: number, message: string, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status, type: 'text/plain; charset=utf-8', body: `${message}\n`, headers }
}

function send(request: IncomingMessage, response: ServerResponse, { status, type, body, headers }: Answer): void {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body
  response.writeHead(status, { ...headers, 'content-type': type, 'content-length': bytes.byteLength })
  response.end(request.method === 'HEAD' ? undefined : bytes)
}
