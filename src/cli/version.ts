/** What this is: its version and the runtime under it. */

import { readFileSync } from 'node:fs'
import { z } from 'zod'

const manifest = z.object({ version: z.string() })

export function ownVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return manifest.parse(JSON.parse(text)).version
}

/** "node 24.18.0" or "deno 2.9.6". */
export function ownRuntime(): string {
  const deno = process.versions.deno
  return deno === undefined ? `node ${process.versions.node}` : `deno ${deno}`
}
