/**
 * Hosts as an operator sees them: a home and a temp folder on each, names that resolve, and programs in the PATH that
 * reach them as ssh, scp and Slurm would.
 */

import type { ChildProcess } from 'node:child_process'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type Host, HostNetwork } from './netns.ts'

export const root = path.resolve(import.meta.dirname ?? 'test/hosts', '../..')
const main = path.join(root, 'bin/paceline.js')

export interface Words {
  readonly code: number | null
  readonly text: string
}

export class StageSet implements AsyncDisposable {
  readonly folder: string
  readonly network: HostNetwork

  private constructor(folder: string, network: HostNetwork) {
    this.folder = folder
    this.network = network
  }

  static async create(hosts: number): Promise<StageSet> {
    const set = new StageSet(await mkdtemp(path.join(tmpdir(), 'paceline-hosts-')), HostNetwork.create({ hosts }))
    await set.#furnish()
    return set
  }

  /** The storage that all hosts share, as a URI. */
  get target(): string {
    return `file://${this.folder}/bench/`
  }

  homeOf(name: string): string {
    return path.join(this.folder, name)
  }

  /** Starts a command line on "host1", ..., or on "laptop". */
  start(name: string, line: string, env: Record<string, string> = {}): ChildProcess {
    const home = this.homeOf(name)
    const PATH = [path.join(this.folder, 'bin'), path.dirname(process.execPath), process.env.PATH].join(':')
    return this.network.spawn(this.#host(name), 'sh', ['-c', line], {
      cwd: home,
      env: { PATH, HOME: home, TMPDIR: path.join(home, 'tmp'), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  }

  /** The same, to its end. */
  async run(name: string, line: string, env: Record<string, string> = {}): Promise<Words> {
    const child = this.start(name, line, env)
    let text = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (more: string) => {
        text += more
      })
    }
    const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
    return { code, text }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.network[Symbol.asyncDispose]()
    await rm(this.folder, { recursive: true, force: true })
  }

  #host(name: string): Host {
    return name === 'laptop' ? this.network.hub : this.network.host(Number(name.replace('host', '')) - 1)
  }

  async #furnish(): Promise<void> {
    const names = this.network.hosts.map((_, at) => `host${at + 1}`)
    for (const name of [...names, 'laptop']) await mkdir(path.join(this.homeOf(name), 'tmp'), { recursive: true })
    await mkdir(path.join(this.folder, 'bench'))
    await mkdir(path.join(this.folder, 'bin'))
    const on = (host: string) => `ip netns exec "${this.#host('host1').namespace.replace(/1$/, '')}\${${host}#host}"`
    const home = (host: string) => `HOME=${this.folder}/$${host} TMPDIR=${this.folder}/$${host}/tmp`
    const programs = {
      paceline: `exec node ${main} "$@"`,
      scp: `exec cp -p "$2" "${this.folder}/\${3%:}/"`,
      ssh: `host=$1; shift; cd "${this.folder}/$host"; exec ${on('host')} env ${home('host')} sh -c "$*"`,
      scontrol: `printf '%s\\n' ${names.join(' ')}`,
      srun: `
        while [ "\${1#--}" != "$1" ]; do shift; done
        trap 'kill $(jobs -p)' TERM
        for host in ${names.join(' ')}; do ${on('host')} env SLURMD_NODENAME=$host ${home('host')} "$@" & done
        wait`,
    }
    for (const [name, text] of Object.entries(programs)) {
      const file = path.join(this.folder, 'bin', name)
      await writeFile(file, `#!/usr/bin/env bash\n${text}\n`)
      await chmod(file, 0o755)
    }
    await writeFile(path.join(this.homeOf('laptop'), 'plan.yaml'), planFor(this.target))
  }
}

function planFor(target: string): string {
  return `
target: ${target}
concurrency: 1
distributed:
  stages:
    - { name: check, order: 1, type: validation }
    - { name: fill, order: 2, type: prepare, ensure_objects: [{ base_uri: ${target}data/, count: 12, size: 4KiB }] }
    - { name: read, order: 3, type: execute, duration: 1s, workload: [{ op: get, path: 'data/*', weight: 1 }] }
    - { name: clean, order: 4, type: cleanup }
`
}
