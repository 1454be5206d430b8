/** Endpoint, region and credentials, where the AWS command line finds them: environment variables and `~/.aws`. */

import { readFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import ini from 'ini'
import { codeOf, IoError, messageOf } from '../../errors.ts'
import { S3_ATTEMPTS_DEFAULT, S3_ATTEMPTS_MAX } from '../../limits.ts'

export interface S3Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken: string | null
}

/** Plain data: handed to lane threads, and to nobody else. */
export interface S3Settings {
  /** `http://host:port`, perhaps with a path; for targets that name no host. */
  readonly endpoint: string
  readonly region: string
  readonly credentials: S3Credentials
  /** Requests that one operation may take at one thing, the first included. */
  readonly attempts: number
  /** Certificates to trust, a file (PEM); null for those of the system. Read only on the way to an `https:` endpoint. */
  readonly caFile: string | null
}

type Environment = Readonly<Record<string, string | undefined>>

const REGION_DEFAULT = 'us-east-1'

/**
 * `endpoint`: the operator's flag, which wins over everything else. Files are read only for what is missing.
 * Throws IoError NO_CREDENTIALS or BAD_URI.
 */
export function readS3Settings(endpoint: string | null, environment: Environment): S3Settings {
  const env = new Variables(environment)
  const profile = new Profile(env)
  const region = env.get('AWS_REGION') ?? env.get('AWS_DEFAULT_REGION') ?? profile.get('region') ?? REGION_DEFAULT
  return {
    endpoint: checkEndpoint(endpoint ?? configuredEndpoint(env, profile) ?? `https://s3.${region}.amazonaws.com`),
    region,
    credentials: readCredentials(env, profile),
    attempts: readAttempts(env, profile),
    caFile: env.get('AWS_CA_BUNDLE'),
  }
}

/** Without a slash at its end. Throws IoError BAD_URI. */
function checkEndpoint(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null
  const plain = url !== null && url.username === '' && url.password === '' && url.search === '' && url.hash === ''
  if (url === null || !plain || !/^https?:$/.test(url.protocol)) {
    throw new IoError('BAD_URI', 'Cannot use the S3 endpoint: it must be a URL such as http://127.0.0.1:9000')
  }
  return url.href.replace(/\/+$/, '')
}

function configuredEndpoint(env: Variables, profile: Profile): string | null {
  if (env.get('AWS_IGNORE_CONFIGURED_ENDPOINT_URLS') === 'true') return null
  return env.get('AWS_ENDPOINT_URL_S3') ?? env.get('AWS_ENDPOINT_URL') ?? profile.get('endpoint_url')
}

function readCredentials(env: Variables, profile: Profile): S3Credentials {
  const accessKeyId = env.get('AWS_ACCESS_KEY_ID')
  const secretAccessKey = env.get('AWS_SECRET_ACCESS_KEY')
  if (accessKeyId !== null && secretAccessKey !== null) {
    return { accessKeyId, secretAccessKey, sessionToken: env.get('AWS_SESSION_TOKEN') }
  }
  if (accessKeyId !== null || secretAccessKey !== null) {
    const missing = accessKeyId === null ? 'AWS_ACCESS_KEY_ID' : 'AWS_SECRET_ACCESS_KEY'
    throw new IoError('NO_CREDENTIALS', `The S3 credentials are incomplete: ${missing} is not set`)
  }
  const [id, secret] = [profile.get('aws_access_key_id'), profile.get('aws_secret_access_key')]
  if (id === null || secret === null) throw new IoError('NO_CREDENTIALS', profile.describeLack())
  return { accessKeyId: id, secretAccessKey: secret, sessionToken: profile.get('aws_session_token') }
}

function readAttempts(env: Variables, profile: Profile): number {
  const wanted = Number(env.get('AWS_MAX_ATTEMPTS') ?? profile.get('max_attempts') ?? S3_ATTEMPTS_DEFAULT)
  return Number.isInteger(wanted) && wanted >= 1 ? Math.min(wanted, S3_ATTEMPTS_MAX) : S3_ATTEMPTS_DEFAULT
}

/** Null where nobody asks for any. Throws IoError BAD_URI. */
export function readCertificates({ caFile: file }: S3Settings, origin: string): string | null {
  if (file === null || !origin.startsWith('https:')) return null
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new IoError('BAD_URI', `Cannot read the certificates that AWS_CA_BUNDLE names: ${messageOf(error)}`)
  }
}

/** Environment variables; what Deno does not let this process see is not set. */
class Variables {
  readonly #env: Environment

  constructor(env: Environment) {
    this.#env = env
  }

  get(name: string): string | null {
    try {
      const value = this.#env[name]
      return value === undefined || value === '' ? null : value
    } catch (error) {
      if (error instanceof Error && error.name === 'NotCapable') return null
      throw error
    }
  }
}

/** The profile of the `~/.aws` files: those of `credentials` win over those of `config`. Read when it is asked. */
class Profile {
  readonly #env: Variables
  readonly #name: string
  #values: ReadonlyMap<string, string> | null = null
  readonly #problems: string[] = []

  constructor(env: Variables) {
    this.#env = env
    this.#name = env.get('AWS_PROFILE') ?? 'default'
  }

  get(key: string): string | null {
    this.#values ??= this.#read()
    return this.#values.get(key) ?? null
  }

  describeLack(): string {
    const files = `profile "${this.#name}" of ~/.aws/credentials`
    const problems = this.#problems.map((problem) => ` (${problem})`).join('')
    return `There are no S3 credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or fill ${files}${problems}`
  }

  #read(): ReadonlyMap<string, string> {
    const own = this.#name === 'default' ? 'default' : `profile ${this.#name}`
    const config = this.#section(this.#env.get('AWS_CONFIG_FILE') ?? this.#standard('config'), own)
    const file = this.#env.get('AWS_SHARED_CREDENTIALS_FILE') ?? this.#standard('credentials')
    return new Map([...config, ...this.#section(file, this.#name)])
  }

  #standard(name: string): string {
    const home = this.#env.get('HOME') ?? os.homedir()
    return path.join(home, '.aws', name)
  }

  #section(file: string, name: string): [string, string][] {
    let text: string
    try {
      text = readFileSync(file, 'utf8')
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') this.#problems.push(`${file} cannot be read: ${messageOf(error)}`)
      return []
    }
    // A dot in a section's name is part of the name here; the parser would nest sections by it.
    const flat = text.replace(/^\s*\[.*$/gm, (line) => line.replaceAll('.', '\\.'))
    const section: unknown = ini.parse(flat)[name]
    if (typeof section !== 'object' || section === null) return []
    return Object.entries(section).map(([key, value]) => [key, String(value)])
  }
}
