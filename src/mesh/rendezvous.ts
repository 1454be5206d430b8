/** A folder in which the peers of one host leave their addresses, so that they find each other without being told. */

import { createHash, createHmac } from 'node:crypto'
import { existsSync, type FSWatcher, lstatSync, readFileSync, rmSync, watch } from 'node:fs'
import { chmod, lstat, mkdir, readdir, rename, rm, rmdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'
import { limits } from './limits.ts'
import { address, identity } from './wire.ts'

const entry = z.strictObject({
  pid: z.number().int().positive(),
  peer: z.string().min(1).max(128),
  addrs: z.array(address).max(limits.addressesMax),
  /** Who it is; as its hello says it. */
  who: identity,
  /** Shows that the writer has the secret of the run: `sealOf`. */
  seal: z.string().length(64),
})

export type Entry = z.infer<typeof entry>

const fileBytesMax = 16 * 1024
const ANNOUNCE_ATTEMPTS = 3

/** Undefined for what is no entry. */
export function parseEntry(text: string): Entry | undefined {
  try {
    const parsed = entry.safeParse(JSON.parse(text))
    return parsed.success ? parsed.data : undefined
  } catch {
    return undefined
  }
}

/** What only who knows the secret of a run can write for a peer. Without a secret anybody on this host can. */
export function sealOf(secret: Uint8Array | null, peer: string): string {
  return createHmac('sha256', secret ?? '')
    .update(peer)
    .digest('hex')
}

export interface RendezvousEvents {
  /** Each new entry, and now and then again every one whose process lives; not the own. `count`: entries there are. */
  onFound(entry: Entry, count: number): void
  /** The entry was removed, or its process is gone. */
  onGone(peer: string): void
}

export class Rendezvous {
  readonly #folder: string
  readonly #own: string
  readonly #events: RendezvousEvents
  /** By file name. An entry never changes. */
  readonly #entries = new Map<string, Entry>()
  #watcher: FSWatcher | undefined
  #timer: NodeJS.Timeout | undefined
  /** The own entry; null where none is left. */
  #text: string | null = null
  #closed = false

  constructor(folder: string, runId: string, peer: string, events: RendezvousEvents) {
    this.#folder = path.join(folder, createHash('sha256').update(runId).digest('hex').slice(0, 32))
    this.#own = `${peer}.json`
    this.#events = events
  }

  /** `own` null: only looks, leaves nothing. */
  async open(own: Omit<Entry, 'pid'> | null): Promise<void> {
    this.#text = own === null ? null : JSON.stringify({ pid: process.pid, ...own } satisfies Entry)
    await this.#announce()
    this.#watch()
    this.#timer = setInterval(() => void this.#scan(), limits.rendezvousRescanMs)
    this.#timer.unref()
    await this.#scan()
  }

  async #announce(): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await makeOwnFolder(this.#folder)
        await this.#checkOwner()
        return await this.#writeOwn()
      } catch (error) {
        // Another peer has just left as the last one, and removed the folder.
        if (codeOf(error) !== 'ENOENT' || attempt === ANNOUNCE_ATTEMPTS) throw error
      }
    }
  }

  async #writeOwn(): Promise<void> {
    if (this.#text === null) return
    const file = path.join(this.#folder, this.#own)
    await writeFile(`${file}.tmp`, this.#text, { mode: 0o600 })
    await rename(`${file}.tmp`, file)
  }

  /** A watcher may fail, at once or later (too many of them on this host): the rare scan then does its work. */
  #watch(): void {
    this.#watcher?.close()
    try {
      this.#watcher = watch(this.#folder, (_, name) => {
        // The end of the folder itself comes under its own name.
        if (name === null || name === path.basename(this.#folder)) void this.#scan()
        else this.#look(name)
      })
      this.#watcher.on('error', () => this.#watcher?.close())
    } catch {
      this.#watcher = undefined
    }
  }

  /** For a peer that others have met before it was noticed here. */
  lookFor(peer: string): void {
    if (!this.#entries.has(`${peer}.json`)) this.#look(`${peer}.json`)
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#watcher?.close()
    clearInterval(this.#timer)
    if (this.#text === null) return
    await rm(path.join(this.#folder, this.#own), { force: true })
    // Only the last one finds it empty.
    await rmdir(this.#folder).catch(() => undefined)
  }

  /** Another user's folder under this name could lead the peers to strangers. */
  async #checkOwner(): Promise<void> {
    const stats = await lstat(this.#folder)
    const mine = process.getuid === undefined || stats.uid === process.getuid()
    if (!stats.isDirectory() || !mine) throw new Error(`${this.#folder} belongs to somebody else: remove it`)
    await chmod(this.#folder, 0o700)
  }

  async #scan(): Promise<void> {
    if (this.#closed) return
    const listed = await readdir(this.#folder).catch(() => null)
    const names = shuffled(listed ?? [])
    // Temp directories are cleaned of what is old. Where this fails, the next look tries again.
    const isForgotten = listed === null || (this.#text !== null && !names.includes(this.#own))
    if (isForgotten) await this.#announce().catch(() => undefined)
    if (this.#closed) return
    if (listed === null) this.#watch()
    for (const name of new Set([...names, ...this.#entries.keys()])) {
      const known = this.#entries.get(name)
      if (known === undefined || !names.includes(name)) this.#look(name, names.length)
      else if (isAlive(known.pid)) this.#events.onFound(known, names.length)
      else await this.#remove(name, known)
    }
  }

  /** One file that is new, or was removed. */
  #look(name: string, count = this.#entries.size): void {
    // Of a peer that others told of the name is theirs.
    const isPlain = name.endsWith('.json') && name === path.basename(name)
    if (!isPlain || name === this.#own || this.#closed) return
    const file = path.join(this.#folder, name)
    const known = this.#entries.get(name)
    if (known !== undefined) {
      if (existsSync(file)) return
      this.#entries.delete(name)
      this.#events.onGone(known.peer)
      return
    }
    const found = this.#entryOf(file)
    if (found === undefined) return
    this.#entries.set(name, found)
    this.#events.onFound(found, Math.max(count, this.#entries.size))
  }

  /** Its process is gone, whether or not the folder can be written any more. */
  async #remove(name: string, { peer }: Entry): Promise<void> {
    await rm(path.join(this.#folder, name), { force: true }).catch(() => undefined)
    if (this.#entries.delete(name)) this.#events.onGone(peer)
  }

  /** The entry, or undefined where it is unreadable, or its process is gone (then it is removed). */
  #entryOf(file: string): Entry | undefined {
    try {
      // At once: by way of other threads, the files of many peers cost each of them tens of milliseconds at their start.
      const stats = lstatSync(file)
      if (!stats.isFile() || stats.size > fileBytesMax) return undefined
      if (process.getuid !== undefined && stats.uid !== process.getuid()) return undefined
      const parsed = parseEntry(readFileSync(file, 'utf8'))
      if (parsed === undefined || isAlive(parsed.pid)) return parsed
      rmSync(file, { force: true })
    } catch {
      // It vanished.
    }
    return undefined
  }
}

/** Not `recursive`, which does not return on Node where a file system such as /proc answers ENOENT. */
async function makeOwnFolder(folder: string): Promise<void> {
  // Another peer of this host may make it at the same time.
  const make = async () => {
    await mkdir(folder, { mode: 0o700 }).catch((error: unknown) => {
      if (codeOf(error) !== 'EEXIST') throw error
    })
  }
  try {
    await make()
  } catch (error) {
    if (codeOf(error) !== 'ENOENT' || path.dirname(folder) === folder) throw error
    await makeOwnFolder(path.dirname(folder))
    await make()
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}

/** So that newcomers do not all connect to the same peers. */
function shuffled(names: readonly string[]): string[] {
  return names
    .map((name) => ({ name, place: Math.random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ name }) => name)
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return codeOf(error) === 'EPERM'
  }
}
