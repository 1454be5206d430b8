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
