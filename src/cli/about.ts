/** What an agent says of itself with its results: the figures are of this program on that machine. */

import { availableParallelism, cpus, hostname, release, totalmem } from 'node:os'
import { z } from 'zod'
import { ownRuntime, ownVersion } from './version.ts'

const text = z.string().max(256)

export const aboutSchema = z.strictObject({
  version: text,
  /** "node 24.18.0" or "deno 2.9.6". */
  runtime: text,
  host: text,
  /** "linux 6.1.0 x64". */
  system: text,
  cores: z.number().int().min(0),
  /** Null where the operator does not let this process know. */
  cpu: text.nullable(),
  memoryBytes: z.number().min(0).nullable(),
})

export type About = z.infer<typeof aboutSchema>

/** Read once: no part of it changes while a process lives. */
export const ownAbout: () => About = (() => {
  let known: About | null = null
  return () => {
    known ??= readAbout()
    return known
  }
})()

function readAbout(): About {
  return {
    version: ownVersion(),
    runtime: ownRuntime(),
    host: clip(ifAllowed(hostname) ?? ''),
    system: clip([process.platform, ifAllowed(release), process.arch].filter((part) => part !== null).join(' ')),
    cores: ifAllowed(availableParallelism) ?? 0,
    cpu: ifAllowed(() => clip(cpus()[0]?.model.trim() ?? '')),
    memoryBytes: ifAllowed(totalmem),
  }
}

/** Deno asks its operator before it tells such things; a refusal costs the detail, not the run. */
function ifAllowed<T>(read: () => T): T | null {
  try {
    return read()
  } catch {
    return null
  }
}

function clip(value: string): string {
  return value.slice(0, 256)
}
