/**
 * The mesh: peers of one run that find each other, talk privately, and drive the barrier core.
 *
 * @example
 * ```ts
 * const mesh = await createMesh({ runId: 'r1', name: 'a', listen: [], join: [], secret: null, insecure: false,
 *   mdns: false, rendezvousDir: '/tmp/r', role: 'agent', version: '0.1.0' })
 * mesh.onEvent((event) => console.log(event.type))
 * await mesh.leave()
 * ```
 */

export { now } from './clock.ts'
export { MeshError, type MeshErrorCode } from './errors.ts'
export { limits as meshLimits } from './limits.ts'
export { createMesh } from './mesh.ts'
export { generateSecret, normalizeSecret } from './secret.ts'
export type * from './types.ts'
