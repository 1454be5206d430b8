/** The hello of a peer: does it make its sender one of this run? */

import type { PeerInfo } from './types.ts'
import { checkHello, type Hello, wireVersion } from './wire.ts'

export type Greeting =
  | { readonly ok: true; readonly hello: Hello }
  | { readonly ok: false; readonly expected: string; readonly got: string }

/** `before`: what the sender, which is known by its peer ID, has said of itself earlier. */
export function judgeHello(document: unknown, run: string, before: PeerInfo | undefined): Greeting {
  const checked = checkHello(document)
  if (!checked.ok) return refused('a hello', checked.fault)
  const hello = checked.value
  if (hello.wire !== wireVersion) return refused(`wire version ${wireVersion}`, `${hello.wire}`)
  if (hello.run !== run) return refused(`run ${run}`, `run ${hello.run}`)
  // A peer ID is made at each start: the same one is the same process, and that does not change.
  const { name, incarnation, role } = hello
  if (before !== undefined && !(before.name === name && before.incarnation === incarnation && before.role === role)) {
    return refused(`${before.role} ${before.name}, as before`, `${role} ${name}`)
  }
  return { ok: true, hello }
}

function refused(expected: string, got: string): Greeting {
  return { ok: false, expected, got }
}
