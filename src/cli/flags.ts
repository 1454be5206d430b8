/** What the flags of each command mean: their values checked, defaults filled in. Pure. */

import { z } from 'zod'
import { splitHostPort, toMultiaddr } from './addresses.ts'
import type { CommandName } from './commands.ts'
import type { Shell } from './completion/mod.ts'
import { plainName } from './names.ts'

/** Peers that one run may have; more is surely a typing error. */
const AGENTS_MAX = 1000

export interface MeshFlags {
  readonly runId: string
  readonly secretFile: string | null
  readonly mdns: boolean
}

export interface ClientFlags extends MeshFlags {
  /** Multiaddrs. */
  readonly peers: readonly string[]
  readonly waitMs: number
}

export interface ContainmentFlags {
  /** Empty: the default folders. */
  readonly allow: readonly string[]
  readonly allowExec: boolean
  readonly endpoint: string | null
}

/** Where a run is shown; null: nowhere. */
export type HttpFlags = { readonly host: string; readonly port: number; readonly tokenFile: string | null } | null

export interface RunCommand extends ContainmentFlags {
  readonly name: 'run'
  readonly plan: string
  readonly agents: number | null
  readonly runId: string | null
  readonly secretFile: string | null
  readonly http: HttpFlags
  readonly out: string
  readonly json: boolean
}

export interface NodeCommand extends MeshFlags, ContainmentFlags {
  readonly name: 'node'
  readonly peerName: string | null
  readonly listen: readonly string[]
  readonly join: readonly string[]
  readonly insecure: boolean
  readonly out: string
  readonly http: HttpFlags
  readonly log: 'json' | 'pretty' | null
  readonly once: boolean
  readonly rendezvous: boolean
  readonly stopOnEof: boolean
}

export interface SubmitCommand extends ClientFlags {
  readonly name: 'submit'
  readonly plan: string
  readonly agents: number | null
  readonly detach: boolean
  readonly json: boolean
  readonly out: string | null
}

export interface StatusCommand extends ClientFlags {
  readonly name: 'status'
  readonly json: boolean
}

export interface AbortCommand extends ClientFlags {
  readonly name: 'abort'
  readonly reason: string
  readonly json: boolean
}

export interface ReportCommand {
  readonly name: 'report'
  readonly dir: string
  /** Folder of the run that `dir` is set beside; null: the report of `dir` is made. */
  readonly compare: string | null
  /** Where the comparison goes. */
  readonly out: string | null
  readonly json: boolean
}

export type Command =
  | RunCommand
  | NodeCommand
  | SubmitCommand
  | StatusCommand
  | AbortCommand
  | { readonly name: 'validate'; readonly plan: string; readonly agents: number | null; readonly json: boolean }
  | ReportCommand
  | { readonly name: 'keygen'; readonly file: string | null }
  | { readonly name: 'completion'; readonly shell: Shell }
  | { readonly name: 'help'; readonly topic: CommandName | null }
  | { readonly name: 'version' }

const peerName = z.string().regex(plainName.pattern, `must be ${plainName.words}`)
const count = z
  .string()
  .regex(/^[0-9]{1,6}$/, 'must be a whole number')
  .transform(Number)
  .refine((value) => value >= 1 && value <= AGENTS_MAX, `must be between 1 and ${AGENTS_MAX}`)
const seconds = z
  .string()
  .regex(/^[0-9]{1,5}(\.[0-9]+)?s?$/, 'must be a number of seconds')
  .transform((text) => Number.parseFloat(text) * 1000)
const path = z.string().max(4096, 'is too long')
const address = z.string().transform((text, context) => {
  const multiaddr = toMultiaddr(text)
  if (multiaddr !== null) return multiaddr
  context.addIssue(`must be a multiaddr such as /ip4/192.0.2.1/tcp/4001, or HOST:PORT: got "${text}"`)
  return z.NEVER
})
const addresses = z.array(address).max(64, 'was given too often').default([])
const hostPort = z.string().transform((text, context) => {
  const parts = splitHostPort(text)
  if (parts !== null) return parts
  context.addIssue(`must be HOST:PORT or PORT: got "${text}"`)
  return z.NEVER
})
const flag = z.boolean().default(false)

const clientShape = {
  'run-id': peerName,
  peer: addresses,
  'secret-file': path.optional(),
  'no-mdns': flag,
  wait: seconds.default(5000),
}
const endpoint = z.url({ protocol: /^https?$/, error: 'must be a URL such as http://127.0.0.1:9000' }).max(4096)
const uriPrefix = path.regex(
  /^(\/|(file|direct):\/\/\/|s3:\/\/|null:\/\/)/,
  'must be a full path, file:///path, direct:///path, s3://bucket/prefix or null://',
)
const storageShape = {
  allow: z.array(uriPrefix).default([]),
  'allow-exec': flag,
  endpoint: endpoint.optional(),
}

const httpShape = { http: hostPort.optional(), 'http-token-file': path.optional() }

function httpFlags(raw: z.output<z.ZodObject<typeof httpShape>>): HttpFlags {
  return raw.http === undefined ? null : { ...raw.http, tokenFile: raw['http-token-file'] ?? null }
}

function clientFlags(raw: z.output<z.ZodObject<typeof clientShape>>): ClientFlags {
  return {
    runId: raw['run-id'],
    secretFile: raw['secret-file'] ?? null,
    mdns: !raw['no-mdns'],
    peers: raw.peer,
    waitMs: raw.wait,
  }
}

/** What a command's flags and its operand (`operand`) come to; messages go behind the name of a flag. */
export const commandSchemas = {
  run: z
    .object({
      operand: path,
      agents: count.optional(),
      'run-id': peerName.optional(),
      'secret-file': path.optional(),
      ...storageShape,
      ...httpShape,
      out: path.default('results'),
      json: flag,
    })
    .transform((raw) => ({
      name: 'run' as const,
      plan: raw.operand,
      agents: raw.agents ?? null,
      runId: raw['run-id'] ?? null,
      secretFile: raw['secret-file'] ?? null,
      allow: raw.allow,
      allowExec: raw['allow-exec'],
      endpoint: raw.endpoint ?? null,
      http: httpFlags(raw),
      out: raw.out,
      json: raw.json,
    })),
  node: z
    .object({
      'run-id': peerName,
      name: peerName.optional(),
      listen: addresses,
      join: addresses,
      'secret-file': path.optional(),
      insecure: flag,
      ...storageShape,
      out: path.default('results'),
      ...httpShape,
      log: z.enum(['json', 'pretty'], 'must be json or pretty').optional(),
      once: flag,
      'no-mdns': flag,
      'no-rendezvous': flag,
      'stop-on-eof': flag,
    })
    .transform((raw) => ({
      name: 'node' as const,
      runId: raw['run-id'],
      peerName: raw.name ?? null,
      listen: raw.listen,
      join: raw.join,
      secretFile: raw['secret-file'] ?? null,
      insecure: raw.insecure,
      allow: raw.allow,
      allowExec: raw['allow-exec'],
      endpoint: raw.endpoint ?? null,
      out: raw.out,
      http: httpFlags(raw),
      log: raw.log ?? null,
      once: raw.once,
      mdns: !raw['no-mdns'],
      rendezvous: !raw['no-rendezvous'],
      stopOnEof: raw['stop-on-eof'],
    })),
  submit: z
    .object({
      operand: path,
      ...clientShape,
      agents: count.optional(),
      detach: flag,
      json: flag,
      out: path.optional(),
    })
    .transform((raw) => ({
      name: 'submit' as const,
      ...clientFlags(raw),
      plan: raw.operand,
      agents: raw.agents ?? null,
      detach: raw.detach,
      json: raw.json,
      out: raw.out ?? null,
    })),
  status: z
    .object({ ...clientShape, json: flag })
    .transform((raw) => ({ name: 'status' as const, ...clientFlags(raw), json: raw.json })),
  abort: z
    .object({ ...clientShape, reason: z.string().max(500, 'is too long').default('aborted by hand'), json: flag })
    .transform((raw) => ({ name: 'abort' as const, ...clientFlags(raw), reason: raw.reason, json: raw.json })),
  validate: z
    .object({ operand: path, agents: count.optional(), json: flag })
    .transform((raw) => ({ name: 'validate' as const, plan: raw.operand, agents: raw.agents ?? null, json: raw.json })),
  report: z.object({ operand: path, compare: path.optional(), out: path.optional(), json: flag }).transform((raw) => ({
    name: 'report' as const,
    dir: raw.operand,
    compare: raw.compare ?? null,
    out: raw.out ?? null,
    json: raw.json,
  })),
  keygen: z
    .object({ operand: path.optional() })
    .transform((raw) => ({ name: 'keygen' as const, file: raw.operand ?? null })),
  completion: z
    .object({ operand: z.enum(['bash', 'zsh', 'fish'], 'must be bash, zsh or fish') })
    .transform((raw) => ({ name: 'completion' as const, shell: raw.operand })),
}
