/** A broken invariant: a defect of this program. The node must stop rather than go on with a wrong state. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError'
  readonly code = 'BARRIER_INVARIANT'
}

export function assert(condition: boolean, rule: string): asserts condition {
  if (!condition) throw new InvariantError(`Broken invariant: ${rule}. This is a defect in Paceline; please report it`)
}
