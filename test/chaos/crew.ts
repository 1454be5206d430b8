/** The processes of one round, and what can be done to them; remembers all of it as evidence. */

import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { parsePlan } from '../../src/cli/plan/mod.ts'
import { Cluster, type Ended, type LoggedEvent, type Program, type Runtime } from '../e2e/cluster.ts'
import { type Host, HostNetwork } from '../hosts/netns.ts'
import { type Client, type Cut, type Evidence, isFinal, type Peer, readFolders, type Trouble } from './evidence.ts'
import type { History } from './history.ts'
import { type PlanOptions, planYaml } from './plan.ts'
import { StarvationWatch } from './starvation.ts'

const PORT = 4001

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

export interface Process {
  readonly id: string
  readonly name: string
  readonly runtime: Runtime
  readonly program: Program
  readonly startedAt: number
  readonly troubles: Mutable<Trouble>[]
  paused: boolean
  end: Peer['end']
}

export interface Submission {
  readonly mark: string
  readonly hash: string
  readonly program: Program
  readonly startedAt: number
  readonly signals: Client['signals'][number][]
  readonly mustComplete: boolean
  end: Client['end']
}

/** The clock that all processes of this machine share, ms. */
export function now(): number {
  return performance.timeOrigin + performance.now()
}

export class Crew implements AsyncDisposable {
  readonly history: History
  readonly cluster: Cluster
  readonly processes: Process[] = []
  readonly submissions: Submission[] = []
  readonly #network: HostNetwork | null
  readonly #cuts: Mutable<Cut>[] = []
  readonly #acts: { at: number; text: string }[] = []
  readonly #aborts: number[] = []
  readonly #healing = new Set<NodeJS.Timeout>()
  readonly #starvation = new StarvationWatch(now)

  private constructor(history: History, cluster: Cluster, network: HostNetwork | null) {
    this.history = history
    this.cluster = cluster
    this.#network = network
  }

  /** The peers of a history, on hosts of their own where it says so; not yet met. */
  static async create(history: History): Promise<Crew> {
    const { network, peers, loss, delayMs } = history
    const hosts = network === 'hosts' ? HostNetwork.create({ hosts: peers.length }) : null
    const crew = new Crew(history, await Cluster.create(), hosts)
    if (loss > 0) hosts?.setLoss(loss)
    if (delayMs > 0) await hosts?.delay({ delayMs, jitterMs: delayMs / 4, port: PORT })
    for (const { name } of peers) await crew.start(name)
    return crew
  }

  note(text: string): void {
    this.#acts.push({ at: now(), text })
  }

  /** Also a peer that was there before, as a new process. */
  async start(name: string): Promise<void> {
    const runtime = this.history.peers.find((peer) => peer.name === name)?.runtime ?? 'node'
    const count = this.processes.filter((process) => process.name === name).length
    const once = this.history.once ? ['--once'] : []
    const host = this.#hostOf(name)
    const program =
      host === null
        ? this.cluster.start(name, { runtime, args: once })
        : this.cluster.start(name, {
            runtime,
            ...(await this.#onHost(host)),
            args: [...once, ...this.#hostFlags(host)],
          })
    const id = count === 0 ? name : `${name}#${count + 1}`
    const process: Process = { id, name, runtime, program, startedAt: now(), troubles: [], paused: false, end: null }
    void program.ended.then((ended) => {
      process.end = { ...ended, at: now() }
      this.note(`${id} ended with ${ended.code ?? ended.signal}`)
    })
    this.processes.push(process)
    this.#starvation.watch(program.process.pid ?? 0)
  }

  /** Processes that run and are not paused. */
  able(): Process[] {
    return this.processes.filter(({ program, paused, troubles }) => {
      return program.end === null && !paused && !troubles.some(isFinal)
    })
  }

  eventsOf({ program }: Process): LoggedEvent[] {
    return this.cluster.events.filter(({ pid }) => pid === program.process.pid)
  }

  /** Hands in a plan of its own. */
  async submit(options: PlanOptions, agents: number, mustComplete = false): Promise<Submission> {
    const mark = `m${this.submissions.length + 1}`
    const yaml = planYaml(this.cluster.folder, mark, options)
    const file = path.join(this.cluster.folder, `${mark}.yaml`)
    await writeFile(file, yaml)
    const out = ['--out', this.#clientOut(mark), '--agents', String(agents)]
    const program = this.#client(['submit', file, ...out])
    const { hash } = parsePlan(yaml, mark)
    const submission: Submission = { mark, hash, program, startedAt: now(), signals: [], mustComplete, end: null }
    void program.ended.then((ended) => {
      submission.end = { ...ended, at: now() }
      this.note(`${mark} ended with ${ended.code ?? ended.signal}`)
    })
    this.submissions.push(submission)
    return submission
  }

  signalClient(submission: Submission, signal: 'SIGINT' | 'SIGKILL'): void {
    if (submission.program.end !== null) return
    submission.signals.push({ signal, at: now() })
    submission.program.kill(signal)
  }

  async abort(): Promise<Ended> {
    this.#aborts.push(now())
    return await this.#client(['abort', '--reason', 'chaos']).ended
  }

  kill(processes: readonly Process[]): void {
    for (const one of processes) this.#trouble(one, 'killed', Number.POSITIVE_INFINITY, 'SIGKILL')
  }

  tellToLeave(processes: readonly Process[]): void {
    for (const one of processes) this.#trouble(one, 'told to leave', Number.POSITIVE_INFINITY, 'SIGTERM')
  }

  pause(processes: readonly Process[], forMs: number): void {
    for (const one of processes) this.#trouble(one, 'paused', Number.POSITIVE_INFINITY, 'SIGSTOP')
    this.#later(forMs, () => this.resume(processes))
  }

  resume(processes: readonly Process[]): void {
    for (const one of processes) {
      const open = one.troubles.find(({ kind, until }) => kind === 'paused' && until === Number.POSITIVE_INFINITY)
      if (open === undefined) continue
      one.program.kill('SIGCONT')
      one.paused = false
      open.until = now()
      this.note(`${one.id} resumed`)
    }
  }

  /** Cuts peers off from all others for a while. */
  cut(names: readonly string[], way: 'in' | 'out' | 'both', forMs: number): void {
    for (const name of names) {
      const host = this.#hostOf(name)
      if (host === null) continue
      this.#network?.isolate(host, way)
      for (const { name: other } of this.history.peers) {
        if (other === name) continue
        if (way !== 'out') this.#cuts.push({ from: other, to: name, since: now(), until: Number.POSITIVE_INFINITY })
        if (way !== 'in') this.#cuts.push({ from: name, to: other, since: now(), until: Number.POSITIVE_INFINITY })
      }
    }
    this.#later(forMs, () => this.heal())
  }

  split(names: readonly string[], forMs: number): void {
    const others = this.history.peers.map(({ name }) => name).filter((name) => !names.includes(name))
    const hosts = (list: readonly string[]) => list.flatMap((name) => this.#hostOf(name) ?? [])
    this.#network?.split(hosts(names), hosts(others))
    for (const from of names) {
      for (const to of others) {
        for (const pair of [
          { from, to },
          { from: to, to: from },
        ]) {
          this.#cuts.push({ ...pair, since: now(), until: Number.POSITIVE_INFINITY })
        }
      }
    }
    this.#later(forMs, () => this.heal())
  }

  /** Takes all cuts back. */
  heal(): void {
    const open = this.#cuts.filter(({ until }) => until === Number.POSITIVE_INFINITY)
    if (open.length === 0) return
    this.#network?.heal()
    for (const cut of open) cut.until = now()
    this.note('the network is whole again')
  }

  /** Whether something that was done to them is still to be undone. */
  get troubled(): boolean {
    return this.#healing.size > 0
  }

  async evidence(hung: readonly string[]): Promise<Evidence> {
    const { plan: options, loss, delayMs } = this.history
    const peers: Peer[] = []
    for (const process of this.processes) {
      const { id, name, runtime, program, startedAt, end } = process
      const starved = this.#starvation
        .of(program.process.pid ?? 0)
        .map((span) => ({ kind: 'starved' as const, ...span }))
      const troubles = [...process.troubles, ...starved]
      // Two processes of one name write to the same folder, one after the other.
      const folders = (await readFolders(this.cluster.outOf(name))).filter(({ dir }) => this.#wrote(process, dir))
      const rest = { events: this.eventsOf(process), stderr: program.stderr, troubles, folders }
      peers.push({ id, name, runtime, once: this.history.once, startedAt, end, ...rest })
    }
    const clients: Client[] = []
    for (const { mark, hash, program, startedAt, signals, mustComplete, end } of this.submissions) {
      const [folder] = await readFolders(this.#clientOut(mark))
      const { stdout, stderr } = program
      clients.push({ id: mark, hash, startedAt, end, signals, stdout, stderr, folder: folder ?? null, mustComplete })
    }
    const acts = [...this.#acts]
    return {
      options,
      disturbed: loss > 0 || delayMs > 0,
      peers,
      clients,
      cuts: this.#cuts,
      aborts: this.#aborts,
      hung,
      acts,
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#starvation.stop()
    for (const timer of this.#healing) clearTimeout(timer)
    await this.cluster[Symbol.asyncDispose]()
    await this.#network?.[Symbol.asyncDispose]()
  }

  #trouble(process: Process, kind: Trouble['kind'], until: number, signal: NodeJS.Signals): void {
    if (process.program.end !== null) return
    this.note(`${signal} for ${process.id}`)
    process.troubles.push({ kind, since: now(), until })
    process.paused = kind === 'paused'
    // One that is paused would not hear it.
    if (signal === 'SIGTERM') process.program.kill('SIGCONT')
    process.program.kill(signal)
  }

  #later(ms: number, act: () => void): void {
    const timer = setTimeout(() => {
      this.#healing.delete(timer)
      act()
    }, ms)
    this.#healing.add(timer)
  }

  /** Folders are made by the process that lives then; their names end with that time, to the second. */
  #wrote({ startedAt, end }: Process, dir: string): boolean {
    const stamp = /-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z(?:-\d+)?$/.exec(dir)
    if (stamp === null) return false
    const [, year, month, day, hour, minute, second] = stamp
    const made = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
    return made + 1000 > startedAt && made <= (end?.at ?? Number.POSITIVE_INFINITY)
  }

  #clientOut(mark: string): string {
    return path.join(this.cluster.folder, 'clients', mark)
  }

  #client(args: readonly string[]): Program {
    const words = [...args, '--run-id', this.cluster.runId, '--no-mdns']
    const network = this.#network
    if (network === null) return this.cluster.command(words)
    const peers = network.hosts.flatMap(({ prefix }) => ['--peer', `${prefix}/tcp/${PORT}`])
    return this.cluster.command([...words, ...peers], {
      prefix: ['ip', 'netns', 'exec', network.hub.namespace],
      env: { TMPDIR: this.cluster.folder },
    })
  }

  #hostOf(name: string): Host | null {
    const at = this.history.peers.findIndex((peer) => peer.name === name)
    return this.#network?.hosts[at] ?? null
  }

  /** A temp folder of its own: as on separate hosts, nobody finds anybody through files. */
  async #onHost({ namespace, name }: Host): Promise<{ prefix: string[]; env: NodeJS.ProcessEnv }> {
    const temp = path.join(this.cluster.folder, `tmp-${name}`)
    await mkdir(temp, { recursive: true })
    return { prefix: ['ip', 'netns', 'exec', namespace], env: { TMPDIR: temp } }
  }

  #hostFlags(host: Host): string[] {
    const others = (this.#network?.hosts ?? []).filter((other) => other !== host)
    const joins = others.flatMap(({ prefix }) => ['--join', `${prefix}/tcp/${PORT}`])
    return ['--insecure', '--listen', `${host.prefix}/tcp/${PORT}`, ...joins]
  }
}
