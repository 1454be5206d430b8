/** The system calls of file stores. Names are looked up in a held folder, whatever its path leads to meanwhile. */

import {
  closeSync,
  fstatSync,
  ftruncateSync,
  lstatSync,
  opendirSync,
  openSync,
  readSync,
  type Stats,
  unlinkSync,
  writeSync,
} from 'node:fs'

export interface HeldFolder {
  /** -1 where folders cannot be held. */
  readonly fd: number
  /** Ends with a slash: what names are appended to. */
  readonly prefix: string
}

/** Where names in a folder are looked up: see `Folders`. */
export interface FolderHolder {
  hold(folder: string, create: boolean): HeldFolder
  forget(folder: string): void
  close(): void
}

/** What file stores reach their files by. */
export interface FileAccess {
  readonly folders: FolderHolder
  readonly calls: FileCalls
}

export interface Entry {
  readonly name: string
  /** Links are `other`. */
  readonly kind: 'file' | 'folder' | 'other'
}

/** All throw system errors (`code`: ENOENT, …). A descriptor is good for the calls that opened it only. */
export interface FileCalls {
  open(folder: HeldFolder, name: string, flags: number): number
  close(fd: number): void
  /** Into the start of `buffer`, `length` bytes at most; `position` null: from where the last read ended. */
  read(fd: number, buffer: Buffer, length: number, position: number | null): number
  /** Returns how much of `data` was written. */
  write(fd: number, data: Buffer, position: number): number
  truncate(fd: number, bytes: number): void
  lookAt(fd: number): Pick<Stats, 'size' | 'nlink'>
  /** Of a link: its own size. */
  sizeOf(folder: HeldFolder, name: string): number
  remove(folder: HeldFolder, name: string): void
  /** What is in the folder. Takes memory for a part of it at a time; by the functions of Deno, for all of it. */
  entries(folder: HeldFolder): Iterable<Entry>
}

const MODE = 0o666
/** Entries of a folder that are read at once. */
const READ_AHEAD = 1024

interface TypedName {
  readonly name: string
  readonly isFile: boolean
  readonly isDirectory: boolean
}

/** Deno's own calls take half to two thirds of the time, and of the memory, of its `node:fs`. */
declare const Deno:
  | { lstatSync(path: string): { readonly size: number }; readDirSync(path: string): Iterable<TypedName> }
  | undefined
const lookAtPath: (path: string) => { readonly size: number } = typeof Deno === 'undefined' ? lstatSync : Deno.lstatSync

/** By the runtime's own functions: a held folder is reached by its path below `/proc/self/fd`. */
export const runtimeCalls: FileCalls = {
  open: (folder, name, flags) => openSync(folder.prefix + name, flags, MODE),
  close: closeSync,
  read: (fd, buffer, length, position) => readSync(fd, buffer, 0, length, position),
  write: (fd, data, position) => writeSync(fd, data, 0, data.length, position),
  truncate: ftruncateSync,
  lookAt: (fd) => fstatSync(fd),
  sizeOf: (folder, name) => lookAtPath(folder.prefix + name).size,
  remove: (folder, name) => unlinkSync(folder.prefix + name),
  entries: (folder) => (typeof Deno === 'undefined' ? readFolder : readWholeFolder)(folder.prefix),
}

function* readFolder(path: string): Iterable<Entry> {
  const folder = opendirSync(path, { bufferSize: READ_AHEAD })
  try {
    for (let entry = folder.readSync(); entry !== null; entry = folder.readSync()) {
      yield { name: entry.name, kind: entry.isFile() ? 'file' : entry.isDirectory() ? 'folder' : 'other' }
    }
  } finally {
    folder.closeSync()
  }
}

function* readWholeFolder(path: string): Iterable<Entry> {
  for (const { name, isFile, isDirectory } of Deno?.readDirSync(path) ?? []) {
    yield { name, kind: isFile ? 'file' : isDirectory ? 'folder' : 'other' }
  }
}
