export type MeshErrorCode =
  | 'MESH_NAME'
  | 'MESH_RUN_ID'
  | 'MESH_ADDRESS'
  | 'MESH_PORT_IN_USE'
  | 'MESH_LISTEN'
  | 'MESH_NOT_PRIVATE'
  | 'MESH_SECRET'
  | 'MESH_RENDEZVOUS'
  | 'MESH_CHANNEL'
  | 'MESH_CLOSED'

/** What went wrong in the mesh, for the person who started the node. `code` is stable. */
export class MeshError extends Error {
  override readonly name = 'MeshError'
  readonly code: MeshErrorCode

  constructor(code: MeshErrorCode, message: string, cause?: unknown) {
    super(message, { cause })
    this.code = code
  }
}

/** Messages of an error and of everything inside it, in one line. */
export function allMessages(error: unknown): string {
  const inner = error instanceof AggregateError ? error.errors.map(allMessages) : []
  const cause = error instanceof Error && error.cause !== undefined ? [allMessages(error.cause)] : []
  const own = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  return [own, ...inner, ...cause].join('; ').replace(/\s+/g, ' ').slice(0, 600)
}
