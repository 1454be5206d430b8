/** The shared secret of a private mesh: a libp2p pnet key file. */

import { generateKey } from '@libp2p/pnet'
import { MeshError } from './errors.ts'

const keyFileBytes = 95
const shape = /^\/key\/swarm\/psk\/1\.0\.0\/\s+\/base16\/\s+[0-9a-f]{64}\s*$/

/** Text of a new key file. */
export function generateSecret(): string {
  const bytes = new Uint8Array(keyFileBytes)
  generateKey(bytes)
  return `${new TextDecoder().decode(bytes)}\n`
}

/** The key as libp2p wants it. Throws MeshError for anything that is not a key file; its content is never shown. */
export function normalizeSecret(content: Uint8Array, from = 'The secret'): Uint8Array {
  const text = new TextDecoder().decode(content.subarray(0, 1024))
  if (!shape.test(text)) {
    throw new MeshError('MESH_SECRET', `${from} is not a key file: make one with "paceline keygen FILE"`)
  }
  return new TextEncoder().encode(text.trim().split(/\s+/).join('\n'))
}
