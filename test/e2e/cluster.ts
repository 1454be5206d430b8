/** Real peers as processes, one run each: their events as they come, and nothing left behind. */

import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { type LogEvent, logEventSchema, logLineFields } from '../../src/cli/events.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const main = path.join(root, 'src/cli/main.ts')
/** What users start. */
export const launcher = path.join(root, 'bin/paceline.js')
const WAIT_MS = 30_000

export type Runtime = 'node' | 'deno'

/**
 * A line that a node logged. `at` is when it arrived here, on this process's monotonic clock, ms; what the node itself
 * logged under that name is `ownAt`.
 */
export interface LoggedEvent {
  readonly event: string
  readonly peer: string
  readonly time: number
  readonly at: number
  /** Of the process, which a restarted peer of the same name does not share. */
  readonly pid: number
  readonly [field: string]: unknown
}

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** However this process ends, none of its own is left behind: a test that times out never comes to its end. */
const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** A command of Paceline's with all that it prints. */
export class Program {
  readonly process: ChildProcess
  readonly ended: Promise<Ended>
  stdout = ''
  stderr = ''
  end: Ended | null = null

  constructor(words: readonly string[], options: { cwd: string; env: NodeJS.ProcessEnv }) {
    const [program = '', ...args] = words
    this.process = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
    this.process.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text
    })
    this.process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text
    })
    running.add(this.process)
    this.ended = new Promise((resolve, reject) => {
      this.process.on('error', reject)
      this.process.on('close', (code, signal) => {
        running.delete(this.process)
        this.end = { code, signal }
        resolve(this.end)
      })
    })
  }

  kill(signal: NodeJS.Signals): void {
    this.process.kill(signal)
  }
}

/** The binaries themselves: a wrapper would take the signals that are meant for them. */
function runtimeCommand({ runtime = 'node', denoFlags = ['-A'], script = main }: PeerOptions): string[] {
  if (runtime === 'node') return [process.execPath, script]
  return [path.join(root, 'node_modules/deno/deno'), 'run', ...denoFlags, script]
}

function noMdns({ mdns = false }: PeerOptions): string[] {
  return mdns ? [] : ['--no-mdns']
}

export const hasDeno = existsSync(path.join(root, 'node_modules/deno/deno'))

export interface PeerOptions {
  readonly runtime?: Runtime
  readonly args?: readonly string[]
  readonly env?: NodeJS.ProcessEnv
  /** Words before the program's own, such as those that make it run on another host. */
  readonly prefix?: readonly string[]
  /** Peers may look for each other by multicast DNS; otherwise that is switched off. */
  readonly mdns?: boolean
  /** What Deno is to allow; everything by default. */
  readonly denoFlags?: readonly string[]
  /** What is started; by default the program without its launcher. */
  readonly script?: string
}

/** Throws on a line that is not one of the public events with exactly its fields. */
function parseLine(line: string): z.infer<typeof logFields> & LogEvent & { readonly at?: unknown } {
  const { level, time, run, peer, ...event } = JSON.parse(line)
  const fields = logFields.parse({ level, time, run, peer })
  return { ...fields, ...logEventSchema.parse(event) }
}

const logFields = z.strictObject(logLineFields)

/** The peers and clients of one run, in a folder of its own. */
export class Cluster implements AsyncDisposable {
  readonly runId = `e2e-${randomBytes(6).toString('hex')}`
  readonly folder: string
  readonly events: LoggedEvent[] = []
  readonly peers = new Map<string, Program>()
  readonly #clients: Program[] = []
  readonly #watchers = new Set<() => void>()

  constructor(folder: string) {
    this.folder = folder
  }

  static async create(): Promise<Cluster> {
    const folder = await mkdtemp(path.join(tmpdir(), 'paceline-e2e-'))
    await mkdir(path.join(folder, 'data'))
    return new Cluster(folder)
  }

  /** Storage that every peer may touch, as a URI. */
  get target(): string {
    return `file://${this.folder}/data/`
  }

  /** Peers that have met each other. */
  static async of(names: readonly string[], options: PeerOptions = {}): Promise<Cluster> {
    const cluster = await Cluster.create()
    for (const name of names) cluster.start(name, options)
    try {
      await cluster.met()
    } catch (error) {
      await cluster[Symbol.asyncDispose]()
      throw error
    }
    return cluster
  }

  start(name: string, { args = [], ...options }: PeerOptions = {}): Program {
    const flags = ['node', '--run-id', this.runId, '--name', name, '--log', 'json', '--allow-exec']
    const storage = ['--allow', this.target, '--allow', 'null://', '--out', this.outOf(name)]
    const program = this.#program([...flags, ...noMdns(options), ...storage, ...args], options)
    this.peers.set(name, program)
    this.#readEvents(program)
    return program
  }

  /** Any command of Paceline's, in the cluster's folder. */
  command(args: readonly string[], options: PeerOptions = {}): Program {
    const program = this.#program(args, options)
    this.#clients.push(program)
    return program
  }

  async submit(plan: string, args: readonly string[] = [], options: PeerOptions = {}): Promise<Program> {
    const file = path.join(this.folder, `plan-${randomBytes(3).toString('hex')}.yaml`)
    await writeFile(file, plan)
    const flags = ['submit', file, '--run-id', this.runId, '--out', path.join(this.folder, 'submitter')]
    return this.command([...flags, ...noMdns(options), ...args], options)
  }

  outOf(name: string): string {
    return path.join(this.folder, 'out', name)
  }

  /** Peers whose processes are there. */
  living(): string[] {
    return [...this.peers].filter(([, program]) => program.end === null).map(([name]) => name)
  }

  /** Events of a name, of one peer or of all. */
  of(event: string, peer?: string): LoggedEvent[] {
    return this.events.filter((one) => one.event === event && (peer === undefined || one.peer === peer))
  }

  /** Who leads, as the peers that live saw it last. */
  leader(): string {
    const living = new Set(this.living())
    const elected = this.of('leader.elected').filter(({ peer }) => living.has(peer))
    const newest = elected.reduce((best, one) => (Number(one.term) >= Number(best.term) ? one : best))
    return String(newest.leader)
  }

  /** Resolves once the condition holds; it is looked at whenever a peer logs or ends. Rejects with the last events. */
  async until(what: string, holds: () => boolean, timeoutMs = WAIT_MS): Promise<void> {
    if (holds()) return
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const look = () => {
      if (holds()) resolve()
    }
    const timer = setTimeout(() => reject(new Error(`Waited in vain until ${what}\n${this.timeline()}`)), timeoutMs)
    this.#watchers.add(look)
    try {
      await promise
    } finally {
      clearTimeout(timer)
      this.#watchers.delete(look)
    }
  }

  async met(names: readonly string[] = this.living(), timeoutMs = WAIT_MS): Promise<void> {
    const others = (name: string) => new Set(this.of('peer.joined', name).map((event) => event.name))
    const haveMet = () => names.every((name) => names.every((other) => other === name || others(name).has(other)))
    await this.until('all have met', haveMet, timeoutMs)
    const haveLeader = () => names.every((name) => this.of('leader.elected', name).length > 0)
    await this.until('a leader is known to all', haveLeader, timeoutMs)
  }

  async kill(name: string, signal: NodeJS.Signals = 'SIGKILL'): Promise<Ended> {
    const program = this.peers.get(name)
    if (program === undefined) throw new Error(`There is no peer ${name}`)
    program.kill(signal)
    return await program.ended
  }

  async ended(name: string): Promise<Ended> {
    const program = this.peers.get(name)
    if (program === undefined) throw new Error(`There is no peer ${name}`)
    await this.until(`${name} ends`, () => program.end !== null)
    return await program.ended
  }

  /** The newest result folder of a peer, or of the submitter when no name is given. */
  async results(name?: string): Promise<string> {
    const out = name === undefined ? path.join(this.folder, 'submitter') : this.outOf(name)
    const folders = (await readdir(out)).sort()
    const newest = folders.at(-1)
    if (newest === undefined) throw new Error(`There are no results in ${out}`)
    return path.join(out, newest)
  }

  async decisions(name?: string): Promise<Record<string, unknown>[]> {
    const text = await readFile(path.join(await this.results(name), 'decisions.jsonl'), 'utf8')
    return text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
  }

  async summary(name?: string): Promise<Record<string, unknown>> {
    return JSON.parse(await readFile(path.join(await this.results(name), 'summary.json'), 'utf8'))
  }

  /** All peers' events in the order in which they came, a line each. */
  timeline(last = 80): string {
    const lines = this.events
      .slice(-last)
      .map(({ event, peer, at, time: _, level: __, run: ___, pid: ____, ...rest }) => {
        return `${at.toFixed(0).padStart(8)} ${peer.padEnd(8)} ${event} ${JSON.stringify(rest)}`
      })
    const words = [...this.peers]
      .filter(([, { stderr }]) => stderr !== '')
      .map(([name, { stderr }]) => `${name}: ${stderr}`)
    return [...lines, ...words, ...this.#clients.map(({ stdout, stderr }) => `client: ${stdout}${stderr}`)].join('\n')
  }

  /** Kills what still runs and removes the folder. */
  async [Symbol.asyncDispose](): Promise<void> {
    const programs = [...this.peers.values(), ...this.#clients]
    for (const program of programs) {
      program.kill('SIGCONT')
      program.kill('SIGKILL')
    }
    await Promise.all(programs.map((program) => program.ended))
    await rm(this.folder, { recursive: true, force: true })
  }

  #program(args: readonly string[], options: PeerOptions): Program {
    const { env = {}, prefix = [] } = options
    const words = [...prefix, ...runtimeCommand(options), ...args]
    const program = new Program(words, { cwd: this.folder, env: { ...process.env, ...env } })
    void program.ended.then(() => this.#look())
    return program
  }

  #readEvents(program: Program): void {
    let rest = ''
    program.process.stdout?.on('data', (text: string) => {
      const lines = (rest + text).split('\n')
      rest = lines.pop() ?? ''
      const at = performance.now()
      for (const line of lines) {
        const logged = parseLine(line)
        this.events.push({ ...logged, at, ownAt: logged.at, pid: program.process.pid ?? 0 })
      }
      this.#look()
    })
  }

  #look(): void {
    for (const look of [...this.#watchers]) look()
  }
}
