/** A folder in which the peers of one host leave their addresses, so that they find each other without being told. */

import { createHash } from 'node:crypto'
import { type FSWatcher, watch } from 'node:fs'
import { chmod, lstat, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'
import { limits } from './limits.ts'
import { address } from './wire.ts'

const entry = z.strictObject({
  pid: z.number().int().positive(),
  peer: z.string().min(1).max(128),
  addrs: z.array(address).max(limits.addressesMax),
})

export type Entry = z.infer<typeof entry>

const fileBytesMax = 16 * 1024

/** Undefined for what is no entry. */
export function parseEntry(text: string): Entry | undefined {
  try {
    const parsed = entry.safeParse(JSON.parse(text))
    return parsed.success ? parsed.data : undefined
  } catch {
    return undefined
  }
}

export class Rendezvous {
  readonly #folder: string
  readonly #own: string
  readonly #found: (entry: Entry) => void
  /** Files read since the last full scan: an entry never changes, and each newcomer stirs the folder several times. */
  readonly #read = new Set<string>()
  #watcher: FSWatcher | undefined
  #timer: NodeJS.Timeout | undefined
  #closed = false

  /** `found` is called for each new entry, and now and then again for every one whose process lives; not for the own. */
  constructor(folder: string, runId: string, peer: string, found: (entry: Entry) => void) {
    this.#folder = path.join(folder, createHash('sha256').update(runId).digest('hex').slice(0, 32))
    this.#own = `${peer}.json`
    this.#found = found
  }

  /** `addrs` empty: only looks, leaves nothing. */
  async open(peer: string, addrs: readonly string[]): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 })
    await this.#checkOwner()
    if (addrs.length > 0) {
      const text = JSON.stringify({
        pid: process.pid,
        peer,
        addrs: addrs.slice(0, limits.addressesMax),
      } satisfies Entry)
      const file = path.join(this.#folder, this.#own)
      await writeFile(`${file}.tmp`, text, { mode: 0o600 })
      await rename(`${file}.tmp`, file)
    }
    this.#watcher = watch(this.#folder, (_, name) => {
      if (name === null) void this.#scan()
      else if (!this.#read.has(name)) void this.#look(name)
    })
    // A watcher may fail (too many of them on this host): the rare scan then does its work.
    this.#watcher.on('error', () => this.#watcher?.close())
    this.#timer = setInterval(() => void this.#scan(), limits.rendezvousRescanMs)
    this.#timer.unref()
    await this.#scan()
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#watcher?.close()
    clearInterval(this.#timer)
    await rm(path.join(this.#folder, this.#own), { force: true })
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
    this.#read.clear()
    for (const name of await readdir(this.#folder).catch(() => [])) await this.#look(name)
  }

  async #look(name: string): Promise<void> {
    if (!name.endsWith('.json') || name === this.#own || this.#closed) return
    this.#read.add(name)
    const found = await this.#entryOf(path.join(this.#folder, name))
    if (found !== undefined) this.#found(found)
  }

  /** The entry, or undefined where it is unreadable, or its process is gone (then it is removed). */
  async #entryOf(file: string): Promise<Entry | undefined> {
    try {
      const stats = await lstat(file)
      if (!stats.isFile() || stats.size > fileBytesMax) return undefined
      if (process.getuid !== undefined && stats.uid !== process.getuid()) return undefined
      const parsed = parseEntry(await readFile(file, 'utf8'))
      if (parsed === undefined || isAlive(parsed.pid)) return parsed
      await rm(file, { force: true })
    } catch {
      // It vanished.
    }
    return undefined
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
