/** Peers of `paceline run`: processes of this machine that live no longer than the run. */

import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { open, readdir, readFile, rm } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { atMost } from './at-most.ts'
import { PacelineError } from './errors.ts'
import { describeFailure } from './failure.ts'
import type { HttpFlags } from './flags.ts'
import { makeFolder } from './results/mod.ts'

export interface LocalPeersOptions {
  readonly runId: string
  readonly names: readonly string[]
  /** Folder for logs and the peers' own result folders; made here. */
  readonly scratch: string
  /** Key of a private mesh; null: none. */
  readonly secretFile: string | null
  readonly allow: readonly string[]
  readonly allowExec: boolean
  readonly endpoint: string | null
  /** Where the first peer shows the run; null: nowhere. */
  readonly http: HttpFlags
}

/** How long peers may take to end by themselves, then to leave when asked, before they are killed. */
const END_MS = 4000
const LEAVE_MS = 2000
/** Of a peer's last words. */
const STDERR_CHARS_MAX = 4000
const POLL_MS = 100

export interface PeerFailure {
  readonly words: string
  readonly exitCode: number
}

interface LocalPeer {
  readonly name: string
  readonly process: ChildProcess
  readonly ended: Promise<void>
}

export class LocalPeers {
  readonly #options: LocalPeersOptions
  readonly #peers: LocalPeer[] = []
  readonly #allEnded = Promise.withResolvers<void>()
  readonly #firstFailure = Promise.withResolvers<PeerFailure>()

  constructor(options: LocalPeersOptions) {
    this.#options = options
  }

  async start(): Promise<void> {
    await makeScratch(this.#options.scratch)
    for (const name of this.#options.names) this.#peers.push(await this.#spawn(name))
    void Promise.all(this.#peers.map((peer) => peer.ended)).then(() => this.#allEnded.resolve())
  }

  /** Resolves with the last words of the first peer that ended with an error; a plan's own exit codes are none. */
  get firstFailure(): Promise<PeerFailure> {
    return this.#firstFailure.promise
  }

  logOf(name: string): string {
    return path.join(this.#options.scratch, `${name}.jsonl`)
  }

  /** Its result folders. */
  async resultsOf(name: string): Promise<string[]> {
    const out = this.#outOf(name)
    const names = existsSync(out) ? await readdir(out) : []
    return names.map((folder) => path.join(out, folder))
  }

  /** The address of the live view, with its token if one was made up; '' when the first peer ended before it had one. */
  async liveView(): Promise<string> {
    const [first] = this.#peers
    let isRunning = first !== undefined
    void first?.ended.then(() => {
      isRunning = false
    })
    while (first !== undefined && isRunning) {
      const address = addressIn(await readFile(this.logOf(first.name), 'utf8'))
      const words = address === null ? '' : await readFile(this.#wordsOf(first.name), 'utf8')
      // A node that made a token up tells the whole address there, before it listens for peers.
      if (address !== null) return /the live view is at (\S+)/.exec(words)?.[1] ?? address
      await sleep(POLL_MS)
    }
    return ''
  }

  /** Waits for the peers to end by themselves if `orderly`, else asks them to leave; whoever is left is killed. */
  async stop(orderly: boolean): Promise<void> {
    if (orderly) await atMost(END_MS, this.#allEnded.promise)
    // The end of standard input tells them to leave the run, as would the end of this process.
    for (const { process: child } of this.#peers) child.stdin?.end()
    await atMost(LEAVE_MS, this.#allEnded.promise)
    this.kill()
    await atMost(LEAVE_MS, this.#allEnded.promise)
  }

  kill(): void {
    for (const { process: child } of this.#peers) if (child.exitCode === null) child.kill('SIGKILL')
  }

  async removeScratch(): Promise<void> {
    await rm(this.#options.scratch, { recursive: true, force: true })
  }

  #outOf(name: string): string {
    return path.join(this.#options.scratch, 'results', name)
  }

  /** Standard error of a peer. */
  #wordsOf(name: string): string {
    return path.join(this.#options.scratch, `${name}.err`)
  }

  async #spawn(name: string): Promise<LocalPeer> {
    const { runId, secretFile, allow, allowExec, endpoint, http } = this.#options
    const log = await open(this.logOf(name), 'w')
    const errors = await open(this.#wordsOf(name), 'w')
    const args = ['node', '--run-id', runId, '--name', name, '--once', '--stop-on-eof', '--log', 'json', '--no-mdns']
    args.push('--out', this.#outOf(name))
    if (secretFile !== null) args.push('--secret-file', secretFile)
    for (const prefix of allow) args.push('--allow', prefix)
    if (allowExec) args.push('--allow-exec')
    if (endpoint !== null) args.push('--endpoint', endpoint)
    if (http !== null && name === this.#options.names[0]) args.push(...httpArguments(http))
    const [program, ...before] = ownProgram()
    const child = spawn(program, [...before, ...args], { stdio: ['pipe', log.fd, errors.fd] })
    // A peer that is gone takes its end of the pipe with it.
    child.stdin?.on('error', () => {})
    const ended = new Promise<void>((resolve) => {
      child.on('error', (error) => {
        this.#firstFailure.resolve({ words: `${name} could not be started: ${error.message}`, exitCode: 1 })
        resolve()
      })
      child.on('exit', (code, signal) => {
        if (code === 2 || code === null) void this.#reportFailure(name, code ?? signal ?? 'unknown')
        resolve()
      })
    })
    await Promise.all([log.close(), errors.close()])
    return { name, process: child, ended }
  }

  async #reportFailure(name: string, code: number | string): Promise<void> {
    const text = await readFile(this.#wordsOf(name), 'utf8').catch(() => '')
    const words = `${name} ended with ${code}${text === '' ? '' : `: ${text.slice(-STDERR_CHARS_MAX).trim()}`}`
    this.#firstFailure.resolve({ words, exitCode: code === 2 ? 2 : 1 })
  }
}

async function makeScratch(folder: string): Promise<void> {
  try {
    await makeFolder(folder)
  } catch (error) {
    const why = describeFailure(error).message
    throw new PacelineError(
      'SCRATCH_UNWRITABLE',
      `Local peers have no place for their logs (${why}): set TMPDIR to a folder that can be written`,
      { exitCode: 2, cause: error },
    )
  }
}

function httpArguments({ host, port, tokenFile }: NonNullable<HttpFlags>): string[] {
  const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
  return ['--http', address, ...(tokenFile === null ? [] : ['--http-token-file', tokenFile])]
}

const listening = z.object({ event: z.literal('node.listening'), http: z.string() })

/** Null until the log says where the run is shown. The last line may not be whole yet. */
function addressIn(log: string): string | null {
  for (const line of log.split('\n').slice(0, -1)) {
    const parsed = listening.safeParse(JSON.parse(line))
    if (parsed.success) return parsed.data.http
  }
  return null
}

/** This program on this runtime, as a command line. */
function ownProgram(): [string, ...string[]] {
  const place = (file: string) => fileURLToPath(new URL(file, import.meta.url))
  if (process.versions.deno !== undefined)
    return [process.execPath, 'run', '-A', place(import.meta.url.endsWith('.ts') ? './main.ts' : './main.js')]
  return [process.execPath, place('../../bin/paceline.js')]
}
