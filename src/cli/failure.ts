/** What is told to people of an error: its code and message where it is an expected one, else that it is a defect. */

export interface Failure {
  /** Stable; `DEFECT` for errors that nobody foresaw. */
  readonly code: string
  readonly message: string
  readonly exitCode: number
  readonly expected: boolean
}

/**
 * Errors of every folder carry a `code`, as those of the operating system do; those of the command line an `exitCode`
 * as well. Anything else is a defect.
 */
export function describeFailure(error: unknown): Failure {
  if (!(error instanceof Error)) return { code: 'DEFECT', message: String(error), exitCode: 1, expected: false }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : null
  const exitCode = 'exitCode' in error && typeof error.exitCode === 'number' ? error.exitCode : 1
  return { code: code ?? 'DEFECT', message: error.message, exitCode, expected: code !== null }
}
