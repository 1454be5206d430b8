/**
 * Folders that were judged and are held: files in them are opened through the held folder, so that a symbolic link put
 * somewhere in the path afterwards leads nowhere. Where the system has no `/proc/self/fd` (or a sandbox hides it), each
 * operation asks first whether the path still leads to the folder that was judged: a link put there in the microseconds
 * in between is followed.
 */

import { closeSync, constants, existsSync, lstatSync, mkdirSync, openSync, readlinkSync, statSync } from 'node:fs'
import path from 'node:path'
import { allowedRoot, refusal, resolvePath } from '../containment.ts'
import { codeOf } from '../errors.ts'
import type { Containment } from '../types.ts'
import { asFolder } from '../uri.ts'
import type { FolderHolder, HeldFolder } from './calls.ts'

const FOLDER_FLAGS = constants.O_RDONLY | (constants.O_DIRECTORY ?? 0)

interface Held extends HeldFolder {
  /** Which folder it was when it was judged; of no interest for one that is held. */
  readonly identity: string
}

export class Folders implements FolderHolder {
  readonly #containment: Containment
  readonly #heldMax: number
  readonly #held = new Map<string, Held>()
  readonly canHold: boolean
  readonly #instead: (() => HeldFolder) | null
  #lastFolder = ''
  #last: Held | null = null

  /** `heldMax`: folders held at once, a file descriptor each. `instead`: what is held in the place of any folder. */
  constructor(
    containment: Containment,
    heldMax: number,
    canHold = canHoldFolders(),
    instead: (() => HeldFolder) | null = null,
  ) {
    this.#containment = containment
    this.#heldMax = heldMax
    this.canHold = canHold
    this.#instead = instead
  }

  /**
   * Where names in `folder` (an absolute path with a slash at its end) are looked up.
   * Throws IoError NOT_ALLOWED, or a system error (ENOENT, …); with `create`, folders are made first.
   */
  hold(folder: string, create: boolean): HeldFolder {
    if (this.#lastFolder === folder && this.#last !== null && this.canHold) return this.#last
    const held = this.#held.get(folder)
    if (held !== undefined && (this.canHold || identityOf(held.prefix) === held.identity)) {
      this.#lastFolder = folder
      this.#last = held
      return held
    }
    const fresh = this.#open(folder, create)
    this.#remember(folder, fresh)
    return fresh
  }

  #open(folder: string, create: boolean): Held {
    if (this.#instead !== null) {
      const { fd, prefix } = this.#instead()
      return { fd, prefix, identity: '' }
    }
    try {
      return this.#judge(folder)
    } catch (error) {
      if (!create || codeOf(error) !== 'ENOENT') throw error
    }
    this.#make(folder)
    return this.#judge(folder)
  }

  /** Opens first, then asks where that is: nothing can change in between. */
  #judge(folder: string): Held {
    if (!this.canHold) {
      const before = statSync(folder)
      const resolved = resolvePath(folder)
      this.#check(folder, resolved)
      const identity = identityOf(resolved)
      if (identity !== `${before.dev} ${before.ino}`)
        throw refusal(`file://${folder}`, `file://${resolved}`, this.#containment)
      closeSync(openSync(resolved, FOLDER_FLAGS))
      return { fd: -1, prefix: asFolder(resolved), identity }
    }
    const fd = openSync(folder, FOLDER_FLAGS)
    try {
      this.#check(folder, readlinkSync(`/proc/self/fd/${fd}`))
    } catch (error) {
      closeSync(fd)
      throw error
    }
    return { fd, prefix: `/proc/self/fd/${fd}/`, identity: '' }
  }

  #check(folder: string, resolved: string): string {
    const root = allowedRoot(this.#containment, resolved)
    if (root === null) throw refusal(`file://${folder}`, `file://${resolved}`, this.#containment)
    return root
  }

  /** Makes missing folders one by one, each inside a held parent. An allowed folder itself is made with its parents. */
  #make(folder: string): void {
    const plain = folder.replace(/\/+$/, '')
    const resolved = resolvePath(plain)
    const root = this.#check(folder, resolved)
    if (resolved === root) {
      makeWithParents(root)
      return
    }
    const parent = this.#open(`${path.dirname(resolved)}/`, true)
    try {
      mkdirSync(parent.prefix + path.basename(resolved))
    } catch (error) {
      // Another lane or agent was faster.
      if (codeOf(error) !== 'EEXIST') throw error
    } finally {
      if (parent.fd >= 0) closeSync(parent.fd)
    }
  }

  #remember(folder: string, held: Held): void {
    this.forget(folder)
    if (this.#held.size >= this.#heldMax) {
      for (const oldest of this.#held.keys()) {
        this.forget(oldest)
        break
      }
    }
    this.#held.set(folder, held)
    this.#lastFolder = folder
    this.#last = held
  }

  /** After a folder was removed, or to look again. */
  forget(folder: string): void {
    const held = this.#held.get(folder)
    if (held === undefined) return
    this.#held.delete(folder)
    if (held.fd >= 0) closeSync(held.fd)
    this.#last = null
  }

  close(): void {
    for (const folder of [...this.#held.keys()]) this.forget(folder)
  }
}

/** As `mkdirSync` with `recursive`, which does not return on Node where a file system such as /proc answers ENOENT. */
function makeWithParents(folder: string): void {
  const parent = path.dirname(folder)
  if (!existsSync(parent)) makeWithParents(parent)
  try {
    mkdirSync(folder)
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
  }
}

/** A link is not what it leads to. */
function identityOf(folder: string): string {
  const { dev, ino } = lstatSync(folder.replace(/\/+$/, '') || '/')
  return `${dev} ${ino}`
}

export function canHoldFolders(): boolean {
  try {
    const fd = openSync('/', FOLDER_FLAGS)
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === '/'
    } finally {
      closeSync(fd)
    }
  } catch {
    return false
  }
}
