/** What is told to people of an error: its code and message where it is an expected one, else that it is a defect. */

export interface Failure {
  /** Stable; `DEFECT` for errors that nobody foresaw. */
  readonly code: string
  readonly message: string
  readonly exitCode: number
  readonly expected: boolean
}

/** Errors of other folders that are cured by other flags, as those of the command line itself. */
const USAGE_CODES: ReadonlySet<string> = new Set([
  'MESH_NAME',
  'MESH_RUN_ID',
  'MESH_ADDRESS',
  'MESH_PORT_IN_USE',
  'MESH_LISTEN',
  'MESH_NOT_PRIVATE',
  'MESH_SECRET',
  'BAD_URI',
])

/** How the runtimes answer code that calls them with something wrong. */
function isMisuse(error: Error): boolean {
  return (
    (error instanceof TypeError || error instanceof RangeError) && 'code' in error && /^ERR_/.test(String(error.code))
  )
}

/**
 * Errors of every folder carry a `code`, as those of the operating system do; those of the command line an `exitCode`
 * as well. Anything else is a defect.
 */
export function describeFailure(error: unknown): Failure {
  if (!(error instanceof Error)) return { code: 'DEFECT', message: String(error), exitCode: 1, expected: false }
  const code = 'code' in error && typeof error.code === 'string' && !isMisuse(error) ? error.code : null
  const usual = code !== null && USAGE_CODES.has(code) ? 2 : 1
  const exitCode = 'exitCode' in error && typeof error.exitCode === 'number' ? error.exitCode : usual
  return { code: code ?? 'DEFECT', message: error.message, exitCode, expected: code !== null }
}
