/** What commands that join a mesh have in common. */

import { readFile, stat } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import path from 'node:path'
import type { Mesh } from '../mesh/mod.ts'
import { PacelineError } from './errors.ts'
import { describeFailure } from './failure.ts'
import type { ClientFlags } from './flags.ts'
import { waitForAgent } from './follow.ts'
import { ownVersion } from './version.ts'

/** One folder a user, so that peers of one host find each other and strangers of that host do not. */
export function rendezvousDir(): string {
  return path.join(tmpdir(), `paceline-peers-${userInfo().uid}`)
}

/**
 * Null when there is no file; one that everybody can read is warned of. Throws a PacelineError `SECRET_UNREADABLE`, or a
 * MeshError `MESH_SECRET` for a file that holds no key.
 */
export async function readSecret(file: string | null): Promise<Uint8Array | null> {
  if (file === null) return null
  const { normalizeSecret } = await import('../mesh/mod.ts')
  return normalizeSecret(await readKeyFile(file), file)
}

async function readKeyFile(file: string): Promise<Uint8Array> {
  try {
    const { mode } = await stat(file)
    if (process.getuid !== undefined && (mode & 0o004) !== 0) {
      process.stderr.write(`warning: everybody on this host can read ${file}: chmod 600 ${file}\n`)
    }
    return await readFile(file)
  } catch (error) {
    throw new PacelineError(
      'SECRET_UNREADABLE',
      `The secret file cannot be read: ${describeFailure(error).message}. "paceline keygen ${file}" makes one`,
      { exitCode: 2 },
    )
  }
}

/**
 * Joins a run as a client and waits until one of its peers is found. Throws a PacelineError with code `NO_PEER`. The
 * caller closes the mesh. `secret`: where it was read already.
 */
export async function joinAsClient(flags: ClientFlags, secret?: Uint8Array | null): Promise<Mesh> {
  const { createMesh } = await import('../mesh/mod.ts')
  const mesh = await createMesh({
    runId: flags.runId,
    name: `client-${process.pid}`,
    listen: [],
    join: flags.peers,
    secret: secret === undefined ? await readSecret(flags.secretFile) : secret,
    insecure: false,
    mdns: flags.mdns,
    rendezvousDir: rendezvousDir(),
    role: 'client',
    version: ownVersion(),
  })
  mesh.onEvent((event) => {
    if (event.type === 'trouble') process.stderr.write(`warning: ${event.error.message}\n`)
  })
  if (await waitForAgent(mesh, flags.waitMs)) return mesh
  await mesh.close()
  const nearby = flags.mdns ? 'on this host or by multicast DNS' : 'on this host'
  const asked = flags.peers.length === 0 ? nearby : `at ${flags.peers.join(', ')}`
  throw new PacelineError(
    'NO_PEER',
    `No peer of run "${flags.runId}" found ${asked} within ${flags.waitMs / 1000} s. Is a "paceline node --run-id ` +
      `${flags.runId}" running, with the same secret? Name one with --peer HOST:PORT`,
    { exitCode: 4 },
  )
}
